// Package thread runs Go functions on OS threads of their own, and pools of
// such threads. It is for what belongs to a thread and not to a goroutine:
// native libraries with thread-local state, CPU sets, a name in ps and top,
// counters of the kernel; and for those who come from a language whose unit is
// the thread.
//
// # Start
//
//	h := thread.Start(ctx, thread.Config{Name: "decoder"}, func(ctx context.Context) (int, error) {
//		return decode(ctx, file)
//	})
//	n, err := h.Wait(ctx)
//
// A thread here is a goroutine that is locked to one kernel thread for its whole
// life; the kernel thread ends with it, a moment after Done. The function shares
// all memory with the rest of the program, like one started by a go statement,
// and so it needs the same locks. Start mirrors process.Start: who knows one
// knows both.
//
// # Pool
//
// [Pool] is a place for tasks, a [tandem.Runner]: a fixed number of threads,
// each with its own setup.
//
// # What it costs, and what it cannot do
//
// A go statement is cheaper in every way. Starting a thread takes some tens of
// microseconds, and handing work to a locked goroutine and back takes 12 to
// 13 µs where two ordinary goroutines need 0.3: the scheduler has to switch
// kernel threads. Threads do not make CPU-bound work faster; goroutines use all
// cores already.
//
// A thread cannot be killed and has no memory of its own to limit. Stopping one
// is asking its context; what must really stop belongs into a process. A task
// must not call [runtime.UnlockOSThread] more often than [runtime.LockOSThread]:
// it would lose its thread.
//
// On systems other than Linux threads run and have ids (macOS, Windows), but
// their names are not shown to the kernel, and a CPU set is refused with
// [errors.ErrUnsupported].
package thread
