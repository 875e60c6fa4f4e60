// Package tandem is multitasking for Go: one typed task that runs in the
// caller, on goroutines, on OS threads or in processes that can be killed,
// limited and replaced.
//
// A goroutine cannot be killed and cannot be given a memory limit, and one
// fatal error (a segmentation fault in C, a stack overflow, out of memory,
// concurrent map writes) ends the whole program. tandem runs the same Go
// function in a worker process for which none of this is true. "More CPU" is
// no reason to use it: goroutines use all cores already.
//
// # Task and place
//
// A [Task] is a function with a name, kept in a package-level variable. A
// place is where it runs, a value of type [Runner]: [Inline], [Goroutines],
// thread.Pool, process.Pool. [Task.On] joins the two:
//
//	var render = tandem.NewTask("render", func(ctx context.Context, pdf []byte) (PNG, error) { … })
//
//	func main() {
//		tandem.Init() // first line of main: a worker never gets past it
//		pool := &process.Pool{Workers: 4, Limits: tandem.Limits{Time: 30 * time.Second}}
//		defer pool.Close()
//		png, err := render.On(pool).Call(ctx, pdf)
//	}
//
// Changing the place never changes the meaning. What a place cannot do it
// refuses with [errors.ErrUnsupported]: a goroutine cannot keep a time limit,
// so Goroutines refuses Limits.Time instead of ignoring it.
//
// # Settling
//
// Every call gets exactly one outcome: a value, the task's own error, or an
// error of this package. It gets it when the task no longer runs. The first
// cause wins: [context.Cause] for a context that ended, [ErrTimeout] for a time
// limit. A task runs at most once, unless it was declared idempotent.
//
// # What travels
//
// Arguments and results are encoded only where they leave the process. Both
// sides are the same program, so unexported fields travel too. Channels,
// functions and locks do not: [NewTask] panics and names the field. Files and
// the types of package shared travel as descriptors.
//
// # Not here
//
// Closures do not cross a process border, and neither do context values: use
// [WithMeta]. tandem installs no signal handler, prints nothing and opens no
// port.
package tandem
