//go:build linux && cgo

package main

// #include "storm.h"
import "C"

import (
	"context"

	"github.com/tandem-go/tandem"
)

// gust is a storm of allocations in C.
type gust struct{ Piece, Bytes int }

// storm is C code that takes memory without end, and does not look whether it gets it.
var storm = tandem.NewTask("storm", func(_ context.Context, g gust) (int, error) {
	C.storm(C.size_t(g.Piece), C.size_t(g.Bytes))
	return g.Bytes, nil
})
