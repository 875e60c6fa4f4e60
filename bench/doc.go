// Command bench measures what tandem adds to the system's own primitives: the
// start of a process beside a bare os/exec of the same binary, and a call beside
// a bare echo over the same kind of socket. Both sides of a ratio are measured
// in turn within one run, in one placement on the processors.
//
//	go run ./bench          a table
//	go run ./bench -check   exit status 1 if a ratio is over its bound
//	go run ./bench -json    the same as JSON
package main
