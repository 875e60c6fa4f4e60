#include "storm.h"

#include <stdlib.h>
#include <string.h>

void storm(size_t piece, size_t bytes)
{
	for (size_t got = 0; got < bytes; got += piece)
		memset(malloc(piece), 1, piece);
}
