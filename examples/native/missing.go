//go:build !linux || !cgo

package main

import (
	"context"
	"fmt"
	"io"
)

// run says what is missing: this program was built without its C code.
func run(_ context.Context, out io.Writer) (code int, err error) {
	_, err = fmt.Fprintln(out, "Nothing was tried: this example needs Linux and a C compiler (CC, CGO_ENABLED=1).")
	return 0, err
}
