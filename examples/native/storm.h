#include <stddef.h>

// storm takes memory, a piece after the other, and writes to it. It does not look whether
// it got it, as many programs do not. It returns after so many bytes.
void storm(size_t piece, size_t bytes);
