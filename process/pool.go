package process

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/child"
	"github.com/tandem-go/tandem/internal/event"
	"github.com/tandem-go/tandem/internal/leak"
	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/slab"
	"github.com/tandem-go/tandem/internal/spawn"
)

// Pool is a place whose tasks run in worker processes. The zero Pool is ready:
// one worker for each usable processor, started when calls need them. Its fields
// are fixed at first use, and it must not be copied after that. It is safe for
// concurrent use.
//
// A worker that dies costs the calls that ran in it and is replaced. A call that
// it had not started moves on to another worker.
type Pool struct {
	// Workers is the number of processes, 0 tandem.CPUs().
	Workers int

	// Threads is how many calls each worker runs at once, each on an OS thread of
	// its own. 0 and 1 mean one, on an ordinary goroutine. With more, a task that
	// must be killed takes its neighbours along: they get the grace time, and then
	// a CrashError with Collateral. Limits.Memory of a single call is refused, and
	// Limits.CPU.
	Threads int

	// Limits holds for every call that does not bring its own.
	Limits tandem.Limits

	// Setup runs in each worker before its first call, Exit before it leaves of
	// its own accord (not when it is killed). They are bound calls:
	// Setup: load.With(cfg). What Setup puts into package variables the tasks of
	// that worker find there. A Setup that fails three times in a row, with no
	// worker alive, breaks the pool: every call gets tandem.ErrPoolBroken with the
	// first cause. So does a worker that dies so often before it has had a call.
	Setup, Exit tandem.Bound

	// Intensity is how often that may happen, if not three times in a row.
	Intensity Intensity

	// MaxTasks is after how many calls a worker is replaced, 0 never. Up to a
	// quarter less is taken by chance, so that workers are not replaced all at
	// once.
	MaxTasks int

	// MaxAge is after how long a worker is replaced, 0 never, with the same chance of
	// up to a quarter less. Its calls go on to their ends.
	MaxAge time.Duration

	// MaxGrowth is after how many bytes of growth of its resident private memory a
	// worker is replaced (Linux), 0 never: for code that leaks. It counts from when the
	// worker came to serve, and is looked at every 100 ms while there are calls. It is
	// no limit: see Limits.Memory for that.
	MaxGrowth int64

	// PoisonAfter is how many workers may die in calls of one task with the same
	// argument, no call of that having lived in between. Then it is given up: the
	// error is tandem.ErrPoison, and while the pool lives such a call is refused with
	// it and does not run. Deaths by a signal from outside do not count, nor calls that
	// a limit ended. Zero remembers nothing between calls, and gives up one call of an
	// idempotent task after three workers. An argument over 16 MiB, or with a Go map in
	// it, whose order is another each time, may not be known again.
	PoisonAfter int

	// Queue is how many calls may wait for a worker, 0 any number. One more gets
	// tandem.ErrQueueFull. Short calls that were given to a worker already and wait
	// there behind others do not count, nor do the items of a Map, which is asked for
	// more when there is room.
	Queue int

	// Name is for people, "" means "Pool-1" and so on; workers are called
	// "Pool-1-1", "Pool-1-2".
	Name string

	// Config is how the workers are started. Its Name and Limits are not used.
	Config Config

	// Transport is the way that calls take, 0 the best that the system has.
	Transport Transport

	// Progress, if not nil, is called after each call has settled, by the
	// goroutine that made it. It must be quick and safe for concurrent use.
	Progress func(Progress)

	// Lifecycle, if not nil, is called when a worker has been started, when it serves and
	// when it is gone, with the reason, by a goroutine of the pool for each worker. It
	// must be safe for concurrent use, and must not close the pool, which waits for it.
	Lifecycle func(Lifecycle)

	keeper *keeper // of a Service: one worker, started again as it says

	state atomic.Pointer[poolState]
	once  sync.Once // vet reports a copy of it, and so of the pool
}

// poolState is what a Pool is made of once it is used.
type poolState struct {
	pool    *Pool       // to notice a copy
	bad     error       // the fields made no sense
	able    atomic.Bool // checkStart found nothing
	name    string
	plan    *plan
	most    int
	assign  *assignment
	inline  *inlinePool // instead of workers, nil unless TANDEM_PLACE says so
	events  event.Stream
	killers *killers
	kept    string // how the limits are
	keepers sync.WaitGroup
	mark    *leak.Mark
	shut    chan struct{} // closed by Close
	closing sync.Once
	result  error // of Close

	_     [64]byte // a call reads what is above, which is not to move with what it counts
	count counters
	_     [64]byte

	mu        sync.Mutex
	nascent   map[*worker]struct{} // started, not yet serving
	farewells []error
	number    int
	resized   chan struct{} // closed and made again by Resize
}

var pools atomic.Int64

// use fixes the fields and returns the state.
func (p *Pool) use() *poolState {
	p.once.Do(func() { p.state.CompareAndSwap(nil, p.prepare()) })
	return p.state.Load()
}

// copied reports a Pool that was copied after its first use: two pools would
// share workers without knowing.
func (s *poolState) copied(p *Pool) error {
	if s.pool == p {
		return nil
	}
	return errors.New("tandem: a process.Pool was copied after its first use; keep and pass a pointer")
}

func (p *Pool) prepare() *poolState {
	s := &poolState{pool: p, name: p.Name, most: p.MaxTasks, shut: make(chan struct{}), resized: make(chan struct{}), nascent: map[*worker]struct{}{}}
	if s.name == "" {
		s.name = fmt.Sprintf("Pool-%d", pools.Add(1))
	}
	workers, threads := p.Workers, max(p.Threads, 1)
	if workers == 0 {
		workers = tandem.CPUs()
	}
	s.plan = &plan{Config: p.Config, lanes: threads, maxProcs: childProcs(max(workers, 1), threads, p.Config.CPUs), sink: newSink(&p.Config)}
	s.plan.Limits = p.Limits
	if s.bad = errors.Join(checkPlace(), p.check(s.plan)); s.plan.rings {
		s.plan.segments = slab.NewPool(mem.KindArgument, 0)
	}
	if s.bad == nil {
		s.kept = s.plan.mechanisms()
	}
	s.killers = newKillers(p.PoisonAfter)
	s.assign = newAssignment(s.name, workers, threads, p.Queue, func() {
		s.keepers.Add(1)
		go s.attend()
	})
	s.plan.doing = s.assign.doing
	if inlined() {
		s.inline = newInlinePool(s, max(workers, 1)*threads)
	}
	s.mark = leak.Open(p.kind(), s.name)
	leak.Watch(s, s.mark)
	s.assign.losses.rule = p.Intensity
	s.assign.supervised = p.keeper != nil && p.keeper.team != nil
	s.assign.eager = p.keeper != nil // the value of a service is made before it is asked for again
	return s
}

// kind is what its user has made.
func (p *Pool) kind() string {
	if p.keeper != nil {
		return "process.Service"
	}
	return "process.Pool"
}

// check reports the first field that makes no sense or cannot be kept.
func (p *Pool) check(pl *plan) (err error) {
	for _, f := range []struct {
		name  string
		value int
	}{{"Workers", p.Workers}, {"Threads", p.Threads}, {"MaxTasks", p.MaxTasks}, {"Queue", p.Queue}, {"PoisonAfter", p.PoisonAfter}} {
		if f.value < 0 {
			return fmt.Errorf("tandem: Pool.%s is negative (%d); zero means the default", f.name, f.value)
		}
	}
	if p.Threads > child.MaxLanes {
		return fmt.Errorf("tandem: Pool.Threads is %d; a worker has at most %d: use more workers: %w", p.Threads, child.MaxLanes, errors.ErrUnsupported)
	}
	if pl.rings, err = p.Transport.rings(p.Threads); err != nil {
		return err
	}
	if err := p.Intensity.check(); err != nil {
		return err
	}
	if err := p.checkRecycling(); err != nil {
		return err
	}
	if p.Config.Standby != nil {
		return fmt.Errorf("tandem: Pool.Config.Standby is set, and a pool keeps its own workers; Pool.Start boots them: %w", errors.ErrUnsupported)
	}
	if err := pl.check(); err != nil {
		return err
	}
	if err := pl.divides(p.Limits); err != nil {
		return err
	}
	if pl.setup, err = hook(p.Setup); err != nil {
		return fmt.Errorf("tandem: Pool.Setup: %w", err)
	}
	if spec, _, _ := p.Setup.Encoded(); !p.Setup.IsZero() {
		pl.setupName = spec.Name
	}
	if pl.exit, err = hook(p.Exit); err != nil {
		return fmt.Errorf("tandem: Pool.Exit: %w", err)
	}
	return nil
}

// inherit takes the snapshot of the inherited variables, once, when the first
// worker is to be started.
func (s *poolState) inherit() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.plan.vars == nil {
		s.plan.vars = append([]byte{}, child.Root.Snapshot()...)
	}
}

// ready is what every way into the pool checks first.
func (p *Pool) ready() (*poolState, error) {
	s := p.use()
	if err := s.copied(p); err != nil {
		return s, err
	}
	if s.bad != nil {
		return s, s.bad
	}
	if s.able.Load() {
		return s, nil
	}
	err := checkStart()
	s.able.Store(err == nil)
	return s, err
}

// Start starts all workers and waits until they serve, for servers that want a
// missing Init or a failing Setup at boot and not at the first request. It is
// optional. If ctx ends first, its cause is returned and the workers go on
// starting.
func (p *Pool) Start(ctx context.Context) error {
	if err := needContext(ctx, "Pool.Start"); err != nil {
		return err
	}
	s, err := p.ready()
	if err != nil {
		return err
	}
	if err := s.assign.admit(); err != nil {
		return err
	}
	defer s.assign.release()
	if s.inline != nil {
		return s.inline.setup()
	}
	s.inherit()
	s.assign.keep()
	select {
	case <-s.assign.full:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return s.assign.refusal()
}

// Shutdown takes no new calls, waits until all that were accepted are settled,
// and lets the workers go (Python: close, then join). If ctx ends first, its
// cause is returned and the work goes on; Close ends it then. The items of a Map,
// Unordered or All that another goroutine is in are accepted as they are begun: what
// no worker has begun fails with tandem.ErrClosed. Let a loop end first.
func (p *Pool) Shutdown(ctx context.Context) error {
	if err := needContext(ctx, "Pool.Shutdown"); err != nil {
		return err
	}
	s := p.use()
	if err := s.copied(p); err != nil {
		return err
	}
	s.assign.drain()
	select {
	case <-s.assign.quiet:
		return p.Close()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Close ends the pool: what is queued fails with tandem.ErrClosed, what runs is
// asked to stop and killed after the grace time. It returns when no worker is
// left. Its error is about workers that did not leave well: a failed Exit hook,
// in race builds a data race. It may be called many times.
func (p *Pool) Close() error {
	s := p.use()
	if err := s.copied(p); err != nil {
		return err
	}
	s.closing.Do(s.close)
	return s.result
}

func (s *poolState) close() {
	close(s.shut)
	for _, w := range s.assign.close() {
		w.leave()
	}
	s.mu.Lock()
	for w := range s.nascent {
		w.kill("its pool was closed")
	}
	s.mu.Unlock()
	s.keepers.Wait()
	if s.inline != nil {
		s.farewells = append(s.farewells, s.inline.close())
	}
	if s.plan.segments != nil {
		s.plan.segments.Close()
	}
	spawn.Rest()
	s.mark.Close()
	s.result = errors.Join(s.farewells...)
}
