//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "chaos: it stops processes, and counts what they hold in /proc, which is written for Linux only")
	os.Exit(2)
}
