package process

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/child"
	"github.com/tandem-go/tandem/internal/event"
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
	// worker alive, breaks the pool: every call gets the first cause.
	Setup, Exit tandem.Bound

	// MaxTasks is after how many calls a worker is replaced, 0 never. Up to a
	// quarter less is taken by chance, so that workers are not replaced all at
	// once.
	MaxTasks int

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
	count   counters
	keepers sync.WaitGroup
	shut    chan struct{} // closed by Close
	closing sync.Once
	result  error // of Close

	mu        sync.Mutex
	nascent   map[*worker]struct{} // started, not yet serving
	farewells []error
	first     error // cause of the first failed birth in a row
	number    int
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
	s := &poolState{pool: p, name: p.Name, most: p.MaxTasks, shut: make(chan struct{}), nascent: map[*worker]struct{}{}}
	if s.name == "" {
		s.name = fmt.Sprintf("Pool-%d", pools.Add(1))
	}
	workers, threads := p.Workers, max(p.Threads, 1)
	if workers == 0 {
		workers = tandem.CPUs()
	}
	s.plan = &plan{Config: p.Config, lanes: threads, maxProcs: childProcs(max(workers, 1), threads), sink: newSink(&p.Config)}
	s.plan.Limits = p.Limits
	if s.bad = errors.Join(checkPlace(), p.check(s.plan)); s.plan.rings {
		s.plan.segments = slab.NewPool(mem.KindArgument, 0)
	}
	s.assign = newAssignment(s.name, workers, threads, p.Queue, func() {
		s.keepers.Add(1)
		go s.attend()
	})
	s.plan.doing = s.assign.doing
	if inlined() {
		s.inline = newInlinePool(s, max(workers, 1)*threads)
	}
	s.assign.supervised = p.keeper != nil && p.keeper.team != nil
	s.assign.eager = p.keeper != nil // the value of a service is made before it is asked for again
	return s
}

// check reports the first field that makes no sense or cannot be kept.
func (p *Pool) check(pl *plan) (err error) {
	for _, f := range []struct {
		name  string
		value int
	}{{"Workers", p.Workers}, {"Threads", p.Threads}, {"MaxTasks", p.MaxTasks}, {"Queue", p.Queue}} {
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
// cause is returned and the work goes on; Close ends it then.
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
	s.result = errors.Join(s.farewells...)
}

// keep sees a worker through its birth and its death. It is on no call's path.
func (s *poolState) keep() {
	s.mu.Lock()
	s.number++
	number := s.number
	s.mu.Unlock()
	s.inherit()
	w, err := launch(s.plan, fmt.Sprintf("%s-%d", s.name, number))
	if err != nil {
		s.failed(err)
		return
	}
	w.number = number
	s.adopt(w)
	s.emit(event.Event{Kind: event.WorkerStarted, Worker: number, PID: w.proc.PID})
	err = w.awaken()
	s.disown(w)
	if err != nil {
		s.emit(event.Event{Kind: event.WorkerEnded, Worker: number, PID: w.proc.PID, Reason: w.death.reason})
		s.failed(err)
		return
	}
	if s.most > 0 {
		w.most = s.most - rand.IntN(s.most/4+1)
	}
	for _, l := range w.lanes {
		l.retire = func() {
			if s.assign.retire(w) {
				w.leave()
			}
		}
	}
	w.forsaken = func() { s.assign.died(w) }
	s.count.started.Add(1)
	s.emit(event.Event{Kind: event.WorkerReady, Worker: number, PID: w.proc.PID})
	if !s.assign.born(w) {
		w.leave()
	} else if k := s.pool.keeper; k != nil && k.team != nil {
		k.team.serves(k.number, s.shut)
	}
	w.listen(0)
	w.bury()
	s.ended(w.death.crash(s.name), w.death.exitCode == 0)
	s.count.ended.Add(1)
	s.emit(event.Event{Kind: event.WorkerEnded, Worker: number, PID: w.proc.PID, Reason: w.death.reason})
	if err := w.farewell(); err != nil {
		s.mu.Lock()
		s.farewells = append(s.farewells, err)
		s.mu.Unlock()
	}
}

// adopt makes Close know a worker that does not serve yet.
func (s *poolState) adopt(w *worker) {
	s.mu.Lock()
	s.nascent[w] = struct{}{}
	s.mu.Unlock()
	select {
	case <-s.shut:
		w.kill("its pool was closed")
	default:
	}
}

func (s *poolState) disown(w *worker) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.nascent, w)
}

// failed deals with a birth that failed. A pool with other workers alive tries
// again more and more slowly.
func (s *poolState) failed(cause error) {
	s.ended(cause, false)
	s.mu.Lock()
	s.assign.mu.Lock()
	if s.assign.stillborn == 0 {
		s.first = cause
	}
	n := s.assign.stillborn
	s.assign.mu.Unlock()
	first := s.first
	s.mu.Unlock()
	if n > 0 {
		select {
		case <-time.After(min(10*time.Millisecond<<min(n, 10), 5*time.Second)):
		case <-s.shut:
		}
	}
	s.assign.unborn(first)
}
