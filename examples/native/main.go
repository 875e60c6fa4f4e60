// Native runs three C decoders, each with a defect as they are found, first in the
// process of a program that calls them as one does, and then in a pool:
//
//	go run ./examples/native
//
// One overflows its buffer when a hostile file tells it to, one leaks, one is not
// thread-safe. The program that calls them dies, grows, gets pictures mixed up. The
// pool goes on, replaces workers that have grown, and has each worker decode one
// picture at a time, with all of them at work. The exit status is 1 if it does not.
//
// It needs Linux and a C compiler; without them it says so.
//
// Read the files in this order: picture.h and picture.c, the decoders; decode.go, how Go
// calls them; trial.go, what is tried; report.go, what must hold.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/tandem-go/tandem"
)

func main() {
	tandem.Init()
	code, err := run(context.Background(), os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "native:", err)
		code = 1
	}
	os.Exit(code)
}
