// Package process runs tasks in processes: [Start] in one of their own, [Pool]
// in workers that serve many calls. A worker is this program's own binary,
// started again; it can be killed, limited and replaced, and its death costs the
// call that ran in it and nothing else.
//
// The first line of main must be tandem.Init(), which is where a worker stays.
//
//	pool := &process.Pool{Workers: 4, Limits: tandem.Limits{Time: time.Minute}}
//	defer pool.Close()
//	png, err := render.On(pool).Call(ctx, pdf)
//
// # What a process costs
//
// Starting one costs an exec of this binary and its package initialisation:
// about a millisecond for a small program, more for each linked package. A call
// costs about a microsecond where both sides are busy and share memory, and tens of
// them where one must be woken or sockets are the way: see [Transport]. Measure on
// your machine with the benchmarks under bench/.
//
// A [Standby] keeps processes that have paid for their start already and wait for
// the task of one [Start].
//
// # A value in a process of its own
//
// A [Service] keeps a Go value in a process, for callers in any other: C code that
// has one state, a cache that may crash. A [Map] is a dictionary that way. When the
// process dies it is started again, with the value made anew.
//
// # Two ways to stop a pool
//
// [Pool.Shutdown] finishes what was accepted. [Pool.Close] fails what is queued
// with tandem.ErrClosed, asks what runs, and kills it after the grace time, so
// that a deferred Close cannot hang a program that panics. (Python's "with Pool"
// terminates.)
//
// # Signals
//
// The package installs no signal handler, except by [HandleSignals], with which
// Ctrl-C and SIGTERM shut pools down in good order.
//
// # Nothing is left over
//
// Workers die with this process, however it ends: by a parent-death signal
// (Linux), by end of file on their channel, and by the warden, one small process
// that kills the workers' process groups, so that what a task started with
// os/exec goes too. What leaves its process group by setsid gets away. When main
// returns while a process runs, the process ends; Python would wait for it.
//
// The package works where the system passes sockets to children: Linux and other
// Unix systems. Elsewhere its functions answer errors.ErrUnsupported.
package process
