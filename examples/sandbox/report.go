package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"syscall"
)

// result is a line of the table.
type result struct {
	escape, outside, inside, by string

	succeeded bool
	harm      error // what was found to be harmed afterwards
}

// done is the result of an escape that could be done outside.
const done = "done"

// Width of the columns; with the spaces between them 80.
const line = "%-29.29s %-8.8s %-25.25s %.15s\n"

// report prints the table and returns the exit status.
func report(out io.Writer, results []result) (code int) {
	fmt.Fprintf(out, line, "ESCAPE", "OUTSIDE", "INSIDE", "CONTAINED BY")
	succeeded, real := 0, 0
	for _, r := range results {
		outside, by := r.outside, r.by
		if outside == done {
			real++
		}
		if r.succeeded || r.harm != nil {
			by = "NOT CONTAINED"
			succeeded++
		}
		fmt.Fprintf(out, line, r.escape, outside, r.inside, by)
		if r.harm != nil {
			fmt.Fprintf(out, "  harm: %v\n", r.harm)
		}
	}
	fmt.Fprintf(out, "\n%d escapes were tried, %d can be done outside, %d succeeded inside.\n", len(results), real, succeeded)
	if succeeded > 0 {
		return 1
	}
	return 0
}

// short is an error without the names around it.
func short(err error) string {
	var number syscall.Errno
	switch {
	case errors.As(err, &number):
		return number.Error()
	case errors.Is(err, fs.ErrPermission):
		return "permission denied"
	case errors.Is(err, net.ErrClosed):
		return "closed"
	case errors.Is(err, os.ErrNotExist):
		return "not there"
	}
	return err.Error()
}
