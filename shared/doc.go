// Package shared has locks and memory that work between processes as they do
// between goroutines: parent and child, siblings, grandchildren, and all
// goroutines in them.
//
//	counter, err := shared.NewValue(0)
//	…
//	var add = tandem.NewTask("add", func(ctx context.Context, c *shared.Value[int]) (int, error) {
//		return 0, c.Update(ctx, func(n *int) error { *n++; return nil })
//	})
//	_, err = add.On(pool).Call(ctx, counter)
//
// A shared thing is made by its New function and travels as an ordinary field of
// a task's argument or result, as a pointer. It has no name and no file: its
// memory goes with its last user. In each process the handle is closed with
// Close, or when it is collected.
//
// # Locks
//
// [Mutex] and [RWMutex] have the same shape: Lock(ctx) error, Unlock(), TryLock() bool, and
// With(ctx, f) error; a [Semaphore] has Acquire and Release. An uncontended Lock does
// not look at its context and does not allocate; of a Mutex it costs about as much as
// of a sync.Mutex. A Lock that returns an
// error has not taken the lock. A lock belongs to a process and not to a
// goroutine. It cannot be taken twice.
//
// Within a process, waiters are served in the order of their coming, and any
// number of them blocks one kernel thread; between processes, a running process
// may overtake one that sleeps. While a process has a lock open, one of its
// threads, tandem-keeper, does nothing but exist: its end tells the kernel that
// the owner died.
//
// # When an owner dies
//
// A process that dies while it holds a lock, even by kill -9, leaves what the
// lock protects half changed. Lock then answers [*OwnerDiedError], to everyone,
// at once. Whoever knows how to make the data whole calls Repair:
//
//	err := mu.Lock(ctx)
//	if died := (*shared.OwnerDiedError)(nil); errors.As(err, &died) {
//		err = mu.Repair(ctx, func(died *shared.OwnerDiedError) error { return table.Rebuild() })
//		…lock again
//	}
//
// Of all who call Repair for one death, one function runs, holding the lock. If
// it fails, the lock is poisoned: everyone gets [ErrNotRecoverable] from then on.
//
// Who holds nothing that could be half changed leaves no such error behind: see
// [Semaphore], [RWMutex], [Once] and [Barrier] for what the others see. docs/sharing.md
// has all of it on one page, with costs.
//
// Processes that wait for each other's locks wait for ever. With TANDEMDEBUG=locks in
// the environment, one of them gets [*DeadlockError]; see docs/sharing.md.
//
// # Waiting
//
// [Event], [WaitGroup], [Once], [Barrier] and [Cond] are to wait for others. Methods
// that can wait take a context, which ends the waiting; in a process any number of
// waiting goroutines blocks one kernel thread for each thing. Nobody who waits
// starves. 256 processes can use one thing at once.
//
// # Memory
//
// What is in shared memory holds no pointers: numbers, bools, and arrays and
// structs of them. New functions refuse other types and name the field.
// All processes that have a shared thing trust each other with its content: one
// can write anything into it at any time.
//
// A [Value] is one of these with its lock, so that nobody gets at it without. A
// [Slice] is any number of them, changed in place under one lock, or without it. An
// [Atomic] is a number for single steps, which need no lock.
//
// A [Buffer] is bytes, any number of them, without a lock: the way for large data
// that several calls work on. What is passed once is passed as well as an ordinary
// []byte, which is copied.
//
// # Items
//
// A [Queue] takes typed items from any number of producers to any number of consumers,
// as a channel does inside a process, and holds copies of them. A pipe ([NewPipe]) has
// two ends, each a [Conn], for two who talk to each other; it carries descriptors too.
//
// # Not here
//
// Locks that can be taken twice by the same owner (in Go, code that needs one has
// its locking in the wrong layer), and shared memory by name (it outlives its
// users). On systems other than Linux, New functions answer
// [errors.ErrUnsupported]. So do locks received in another PID namespace than
// the one they were made in.
package shared
