// Command rivals obeys the benchmark's orders with net/rpc and hashicorp/go-plugin,
// and with the codecs gob and JSON.
// They are a program of their own because of what they link: gRPC alone adds
// milliseconds to the start of every process of a program, and megabytes. The
// benchmark builds and starts it.
//
//	rivals CONTENDER WORKERS   reads orders from standard input
package main
