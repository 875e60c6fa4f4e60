// Package leak tells, in programs that run with TANDEMDEBUG=leaks in their environment,
// what was left open: pools, processes, shared things, each with the stack of who made
// it. In other programs it does nothing: a Mark is nil, and its methods return at once.
//
// Go has no hook for the end of main, and os.Exit, log.Fatal, a panic and kill -9 would
// pass it by. So the root program tells what it opens and closes to a process beside it,
// which reads the end of file when the program has ended, and then writes the report to
// standard error, in one piece. A worker writes its own when it leaves in order; of one
// that is killed there is none.
package leak
