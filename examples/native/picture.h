#include <stddef.h>
#include <stdint.h>

// A picture is a header of 8 bytes, width and height, and then runs of 5 bytes:
// how many pixels, and their grey. All numbers are 32 bits, little end first.
//
// Each function is a decoder as they are found: right for the files its author
// had, with one defect. All return 0, or -1 for a file that they refuse.

// decode_unchecked believes the lengths of runs: one that is too long is written
// beyond the picture.
int decode_unchecked(const uint8_t *file, size_t size, uint8_t *pixels, size_t room);

// decode_leaking forgets its index of rows, at every call.
int decode_leaking(const uint8_t *file, size_t size, uint8_t *pixels, size_t room);

// decode_static draws on a static canvas: one thread at a time may call it.
int decode_static(const uint8_t *file, size_t size, uint8_t *pixels, size_t room);
