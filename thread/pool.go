package thread

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem"
)

// Pool is a place for tasks: a fixed number of OS threads, a [tandem.Runner].
// Its zero value is ready. The fields are fixed at first use, and so is the Pool:
// it must not be copied then. Its methods are safe for concurrent use.
//
//	pool := &thread.Pool{Threads: 4}
//	defer pool.Close()
//	out, err := decode.On(pool).Call(ctx, in)
//
// Threads start when there is work for them and then stay until the pool ends. A
// pool that is never closed keeps its threads.
//
// A call hands its task to a thread and back, which costs 12 to 13 µs: use it
// for tasks that need a thread, or are long. A limit on time or memory cannot be
// kept by a thread and is refused with [errors.ErrUnsupported]; use process.Pool,
// or a deadline in the context, which asks.
type Pool struct {
	// Threads is how many tasks run at once. Zero means tandem.CPUs().
	Threads int

	// Queue bounds the calls that wait for a thread; more fail with
	// tandem.ErrQueueFull. Zero means no bound.
	Queue int

	// Name is the pool's name; its threads are called Name_1, Name_2 and so on.
	// Empty means "ThreadPool-1", with a running number.
	Name string

	// CPUs are the processors that every thread of the pool may run on, counted
	// from 0; empty means all that the program may use.
	CPUs []int

	// Setup runs on each thread before its first task. What it puts into the
	// context it returns, the tasks of this thread find in theirs, unless the
	// call's own context has the key too. The context it gets ends when its thread
	// does, or when Close asks. A Setup that fails ends the pool: calls that wait
	// and later ones get its error; no thread is started in its place. Nil means
	// no setup.
	Setup func(ctx context.Context) (context.Context, error)

	// Grace is how long Close waits for tasks that it asked to stop. Zero means
	// one second, a negative value does not wait.
	Grace time.Duration

	state atomic.Pointer[state] // made at first use; go vet reports a copied one
}

var pools atomic.Int64 // pools that got a default name so far

// use returns the pool's state, made from its fields the first time.
func (p *Pool) use() (*state, error) {
	s := p.state.Load()
	if s == nil {
		if p.Threads < 0 {
			return nil, fmt.Errorf("tandem: thread.Pool: Threads is negative (%d); zero means tandem.CPUs()", p.Threads)
		}
		if p.Queue < 0 {
			return nil, fmt.Errorf("tandem: thread.Pool: Queue is negative (%d); zero means no bound", p.Queue)
		}
		s = newState(p)
		if !p.state.CompareAndSwap(nil, s) {
			s.mark.Close()
			s = p.state.Load()
		}
	}
	if s.owner != p {
		return nil, errors.New("tandem: thread.Pool: copied after first use; keep and pass a *thread.Pool")
	}
	return s, nil
}

// Width is how many tasks run at once.
func (p *Pool) Width() int {
	if p.Threads > 0 {
		return p.Threads
	}
	return tandem.CPUs()
}

// Run runs j on a thread of the pool and returns when j no longer runs. A call
// whose ctx ends while it waits for a thread never runs and returns the cause;
// one that runs is asked, and settles when its function returns.
func (p *Pool) Run(ctx context.Context, j *tandem.Job) error {
	w, ok := j.Ticket().(*work)
	if !ok {
		var err error
		if w, err = p.admit(ctx, j); err != nil {
			return err
		}
	}
	select {
	case <-w.done:
	case <-ctx.Done():
		if w.state.withdraw(w) {
			return context.Cause(ctx)
		}
		<-w.done
	}
	return w.err
}

// Admit gives j its place in the queue; see tandem.Admitter.
func (p *Pool) Admit(ctx context.Context, j *tandem.Job) (ticket any, err error) {
	w, err := p.admit(ctx, j)
	if err != nil {
		return nil, err
	}
	return w, nil
}

func (p *Pool) admit(ctx context.Context, j *tandem.Job) (*work, error) {
	if err := tandem.InProcess(ctx, j.Spec(), "thread.Pool"); err != nil {
		return nil, err
	}
	s, err := p.use()
	if err != nil {
		return nil, err
	}
	w := &work{state: s, ctx: ctx, job: j, done: make(chan struct{})}
	return w, s.submit(w)
}

// Start starts all threads and returns when each has run Setup, with the error
// of a Setup that failed. It is optional: a server wants to know at boot and not
// at the first request. ctx owns only the waiting.
func (p *Pool) Start(ctx context.Context) error {
	if ctx == nil {
		return errors.New("tandem: thread.Pool: Start: the context is nil; use context.Background()")
	}
	s, err := p.use()
	if err != nil {
		return err
	}
	for _, up := range s.startAll() {
		select {
		case <-up:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return s.refusal()
}

// Shutdown finishes what was accepted, ends all threads and returns nil. Calls
// that come after it began fail with tandem.ErrClosed, and so do those items of a Map,
// Unordered or All in another goroutine that had not begun: let a loop end first. If
// ctx ends first it returns its cause, and the finishing goes on.
func (p *Pool) Shutdown(ctx context.Context) error {
	if ctx == nil {
		return errors.New("tandem: thread.Pool: Shutdown: the context is nil; use context.Background()")
	}
	s, err := p.use()
	if err != nil {
		return err
	}
	s.shutdown()
	select {
	case <-s.ended:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Close ends the pool soon: calls that wait fail with tandem.ErrClosed, tasks
// that run are asked (their contexts end with that cause). It waits for them for
// Grace. A thread cannot be killed, so what still runs then is named in the
// error, and its thread ends when it does. Close may be called again, also after
// Shutdown, to wait once more.
func (p *Pool) Close() error {
	s, err := p.use()
	if err != nil {
		return err
	}
	s.close()
	grace := tandem.Limits{Grace: s.grace}.GraceTime()
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-s.ended:
		return nil
	case <-timer.C:
	}
	running := s.running()
	if len(running) == 0 { // threads without a task end by themselves
		<-s.ended
		return nil
	}
	slices.Sort(running)
	return fmt.Errorf("tandem: thread.Pool %s: %d still running %v after Close asked: %s; a thread cannot be killed: let tasks watch their context, or use process.Pool",
		s.name, len(running), grace, strings.Join(running, ", "))
}
