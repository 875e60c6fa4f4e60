//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "bench: it pins processes to processors and passes sockets to children, which is written for Linux only")
	os.Exit(2)
}
