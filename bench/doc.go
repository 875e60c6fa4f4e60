// Command bench measures tandem beside its rivals: in one run, on one machine,
// within one placement on the processors.
//
//	go run ./bench                   ratios to what the system itself offers, some seconds
//	go run ./bench -check            the same; exit status 1 if one is over its bound
//	go run ./bench -all -out DIR     everything, under 5 minutes: tables, JSON, plots
//	go run ./bench -all -short       everything, briefly, under a minute
//	go run ./bench -only map,tandem  some measures, some contenders
//	go run ./bench -list             the names of both, and what is missing here
//
// How it is built: a contender (contender.go, a file for each family) opens a
// session, which obeys orders (internal/drive). A measure (a file for each) gives
// orders to all contenders in turn and makes results of the replies. Each measure
// in each placement runs in a process of its own (conduct.go), started where it
// is to run, so that every runtime in it sees the processors that it really has.
// All children are this program once more, with some exceptions, which are found
// or built at the start of a run: Python, if there is one; bench/rivals, which
// keeps what gRPC links out of everyone else's children; bench/locals, which does
// so with the timers that pools of goroutines bring along; and bench/small, a
// program that links nothing but tandem.
//
// What tandem should reach stands in one table (goals.go), and beside each goal
// in the report what came of it.
//
// Where something is missing, the contender is left out and the report says so.
// A wrong result is a failure of the run and never a figure.
package main
