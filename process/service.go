package process

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/tandem-go/tandem"
)

// Service is a Go value in a process of its own. Its methods, made by NewMethod, are
// called from this process, and from those to which a *Service went as a field of a
// task's argument or result. The process starts with Start or the first call, and
// again when it has ended, as Restart says: the value is then made anew, and what it
// had learned is lost, unless it kept that outside.
//
//	var newCounter = process.NewConstructor("counter", func(ctx context.Context, from int) (*counter, error) {
//		return &counter{from}, nil
//	})
//	var add = process.NewMethod("add", func(ctx context.Context, c *counter, by int) (int, error) {
//		c.n += by
//		return c.n, nil
//	})
//
//	svc := &process.Service[*counter]{New: newCounter.With(10)}
//	defer svc.Close()
//	n, err := add.On(svc).Call(ctx, 2)
//
// When the process dies, the call that ran gets its CrashError, and those that wait
// go to the next process. There are never two processes of one service at once.
//
// What travels is a handle, without the fields: it calls through the process that
// made the service, which owns it; when that closes it or dies, calls get an error
// that wraps tandem.ErrClosed. A handle's Close ends the calls of its process only,
// as that process's death would, and a handle that is forgotten is closed. A call
// through a handle wakes two processes more, and costs tens of microseconds. There are
// at most 4096 at once; one more gets tandem.ErrQueueFull.
//
// Its fields are fixed at first use, and it must not be copied after that. It is
// safe for concurrent use.
type Service[S any] struct {
	// New makes the value.
	New Bound[S]

	// Threads is how many methods run at once. 0 and 1 mean one after the other, so
	// that the value needs no lock. See Pool.Threads for what more means.
	Threads int

	// Limits holds for every call that does not bring its own. A call that must be
	// killed for it takes the value along.
	Limits tandem.Limits

	// Queue is how many calls may wait, 0 any number. One more gets
	// tandem.ErrQueueFull.
	Queue int

	// Name is for people, "" means "Service-1" and so on.
	Name string

	// Config is how the process is started. Its Name and Limits are not used.
	Config Config

	// Restart says when the process is started again.
	Restart Restart

	// OnRestart, if not nil, is called in this process before each restart, with what
	// the last process ended of. Calls wait until it returns.
	OnRestart func(cause error)

	state atomic.Pointer[serviceState[S]]
	once  sync.Once // vet reports a copy of it, and so of the service
}

// serviceState is what a Service is made of once it is used.
type serviceState[S any] struct {
	service *Service[S] // to notice a copy
	pool    *Pool
	far     *visitor // of a handle that came from another process, instead of pool
	bad     error    // the fields made no sense

	mu     sync.Mutex
	door   *door // nil: no handle was sent yet
	closed bool
}

var services atomic.Int64

// use fixes the fields and returns the state.
func (s *Service[S]) use() (*serviceState[S], error) {
	if s == nil {
		return nil, errors.New("tandem: the process.Service is nil")
	}
	s.once.Do(func() { s.state.CompareAndSwap(nil, s.prepare()) })
	state := s.state.Load()
	if state.service != s {
		return state, errors.New("tandem: a process.Service was copied after its first use; keep and pass a pointer")
	}
	return state, state.bad
}

func (s *Service[S]) prepare() *serviceState[S] {
	name := s.Name
	if name == "" {
		name = fmt.Sprintf("Service-%d", services.Add(1))
	}
	state := &serviceState[S]{service: s, bad: s.Restart.check()}
	if s.New.make.IsZero() {
		state.bad = errors.New("tandem: Service.New is not set; it is a constructor with its argument, such as newCounter.With(1)")
	}
	state.pool = &Pool{
		Workers: 1, Threads: s.Threads, Limits: s.Limits, Queue: s.Queue, Name: name, Config: s.Config,
		Setup: s.New.make, Exit: s.New.close,
		keeper: &keeper{supervision: newSupervision(name, s.Restart), again: s.OnRestart},
	}
	return state
}

// place is where the service's methods run.
func (s *Service[S]) place() tandem.Runner {
	state, err := s.use()
	if err != nil {
		return refusing{err}
	}
	if state.far != nil {
		return visiting[S]{state.far, s}
	}
	return state.pool
}

// lives says whose value it is, to the compiler.
func (s *Service[S]) lives(S) {}

// refusing is a place whose every call fails.
type refusing struct{ err error }

func (r refusing) Run(context.Context, *tandem.Job) error { return r.err }
func (r refusing) Width() int                             { return 1 }

// Start starts the process and waits until the value is made. It is optional: the
// first call does the same. If ctx ends first, its cause is returned and the process
// goes on starting. On a handle from another process it does nothing.
func (s *Service[S]) Start(ctx context.Context) error {
	state, err := s.use()
	if err != nil || state.far != nil {
		return err
	}
	return state.pool.Start(ctx)
}

// Shutdown takes no new calls, waits until all that were accepted are settled, and
// lets the process go. If ctx ends first, its cause is returned and the work goes
// on; Close ends it then. On a handle from another process it is Close.
func (s *Service[S]) Shutdown(ctx context.Context) error {
	state, err := s.use()
	if err != nil {
		return err
	}
	if state.far != nil {
		return state.far.close()
	}
	if err := state.pool.Shutdown(ctx); err != nil {
		return err
	}
	return s.Close()
}

// Close ends the service: what is queued fails with tandem.ErrClosed, what runs is
// asked to stop and killed after the grace time. It returns when the process is gone.
// Its error is about a process that did not leave well: a failed Close of the value,
// in race builds a data race. It may be called many times.
func (s *Service[S]) Close() error {
	state, err := s.use()
	if err != nil {
		return nil // it never had a process
	}
	if state.far != nil {
		return state.far.close()
	}
	err = state.pool.Close()
	if d := state.shut(); d != nil {
		d.close()
	}
	return err
}

// Stats describes the service as a pool of one worker; restarts are Started without
// the first. On a handle from another process it is zero.
func (s *Service[S]) Stats() Stats {
	state, err := s.use()
	if err != nil || state.far != nil {
		return Stats{}
	}
	return state.pool.Stats()
}
