//go:build linux && cgo

#include "picture.h"

#include <stdlib.h>
#include <string.h>

enum { header = 8, run = 5, index_bytes = 128 << 10 };

static uint32_t number(const uint8_t *p) {
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

// refused is what all three check.
static int refused(const uint8_t *file, size_t size, size_t room) {
	return size < header || (uint64_t)number(file) * number(file + 4) != room;
}

int decode_unchecked(const uint8_t *file, size_t size, uint8_t *pixels, size_t room) {
	if (refused(file, size, room))
		return -1;
	uint8_t *drawn = calloc(room, 1), *at = drawn;
	if (!drawn)
		return -1;
	for (size_t i = header; i + run <= size; i += run) {
		uint32_t length = number(file + i);
		memset(at, file[i + 4], length); // the defect: is there room for it?
		at += length;
	}
	memcpy(pixels, drawn, room);
	free(drawn);
	return 0;
}

int decode_leaking(const uint8_t *file, size_t size, uint8_t *pixels, size_t room) {
	if (refused(file, size, room))
		return -1;
	uint8_t *rows = malloc(index_bytes);
	if (!rows)
		return -1;
	memset(rows, 1, index_bytes);
	size_t at = 0;
	for (size_t i = header; i + run <= size; i += run) {
		uint32_t length = number(file + i);
		if (length > room - at) {
			free(rows);
			return -1;
		}
		memset(pixels + at, file[i + 4], length);
		at += length;
	}
	return 0; // the defect: free(rows) is in the other way out only
}

// The defect: all threads draw on this one.
static uint8_t canvas[4 << 20];

int decode_static(const uint8_t *file, size_t size, uint8_t *pixels, size_t room) {
	if (refused(file, size, room) || room > sizeof canvas)
		return -1;
	size_t at = 0;
	for (size_t i = header; i + run <= size; i += run) {
		uint32_t length = number(file + i);
		if (length > room - at)
			return -1;
		memset(canvas + at, file[i + 4], length);
		at += length;
	}
	memcpy(pixels, canvas, room);
	return 0;
}
