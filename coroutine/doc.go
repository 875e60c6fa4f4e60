// Package coroutine runs functions that take turns: only one of them runs at
// a time, and a turn ends only where the function itself gives it away.
//
// Goroutines run when the Go scheduler says so, on any thread, at the same
// time. Coroutines need no locks among themselves, cost less than half of a
// channel round trip to switch, and always run in the same order. They add no
// CPU: for that use goroutines, threads or processes.
//
// # Coroutine: two sides that hand values to each other
//
// A [Coroutine] is a function with a place of its own to stand: [New] makes
// it, [Coroutine.Send] runs it up to its next [Yielder.Yield], handing a value
// in and taking one out. It is a generator when only the values that come out
// matter: see [Coroutine.Next] and [Coroutine.All].
//
// A Coroutine that has begun and neither ended nor been stopped keeps its
// goroutine and everything it refers to. Defer [Coroutine.Stop].
//
// # Loop: many coroutines on one thread
//
// [Run] runs a main function and everything it starts on the calling
// goroutine, locked to its thread:
//
//	err := coroutine.Run(ctx, func(ctx context.Context) error {
//		a := coroutine.Go(ctx, "a", fetchA)
//		b := coroutine.Go(ctx, "b", fetchB)
//		x, err := a.Wait(ctx)
//		...
//	})
//
// Inside, the context that each function was given says who calls:
//
//   - [Go] starts a coroutine and gives its [Task]; [Task.Wait] joins it.
//   - [Yield] and [Sleep] give the turn away.
//   - [Await] waits for a future, a process handle or any [tandem.Waiter];
//     [AwaitChan] receives from a channel; [Blocking] moves a blocking call to
//     a goroutine.
//   - [Gather] runs several functions as one group; [WithTimeout] bounds one.
//
// Turns are first come, first served. When every coroutine waits, the loop's
// goroutine blocks; it never polls. When nothing can ever wake any of them,
// Run ends them and returns an [AsleepError] that says who waits for what.
// A coroutine that keeps its turn for longer than [Loop].Slow is reported with
// its file and line.
//
// # Cancelling
//
// The context given to Go owns the work, the one given to a wait only the
// waiting. A cancelled wait returns [context.Cause] and leaves nothing behind;
// what it waited for goes on. A context stays cancelled, so clean-up that has
// to wait does so under [context.WithoutCancel], which also shields a wait.
//
// # How a coroutine can end
//
// Every way to end gives one error. A panic becomes a [*tandem.PanicError]
// with the stack of the coroutine, and so does [runtime.Goexit], which ends
// that coroutine alone. An error that nobody asks for is returned by Run.
//
// # What not to do
//
//   - Call [runtime.LockOSThread] in a coroutine: at the next switch the Go
//     runtime ends the whole program ("coro: OS thread locking must match
//     locking at coroutine creation"). No recover can catch that. Blocking is
//     the place for code that needs a thread.
//   - Resume a Coroutine on another thread than it was made on, if it was made
//     on a locked one, as every coroutine of a Loop is: the same fatal error.
//   - Use a coroutine's context on another goroutine to yield or wait. It
//     panics, or ends the program when both run at that moment. Passing the
//     context on to functions that only watch it is fine.
//   - Block: [time.Sleep], a mutex or a channel operation in one coroutine
//     stops them all.
//
// Built with the tag tandemdebug, or with the race detector, the package
// checks at every switch that never two coroutines of a loop are inside, and
// that each one yields from its own goroutine.
package coroutine
