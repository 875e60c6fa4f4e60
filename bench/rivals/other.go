//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "rivals: it hands sockets to children, which is written for Linux only")
	os.Exit(2)
}
