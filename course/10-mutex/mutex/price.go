package mutex

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/course"
	"github.com/tandem-go/tandem/thread"
)

// How many turns are timed: some with work inside the lock, many bare ones.
const (
	workTurns = 20_000
	bareTurns = 1_000_000
	minRounds = 5  // of all measurements in turn
	maxRounds = 12 // if other programs disturb them
)

// price tells what the waiting costs. A lock makes what it guards happen one
// after the other; that shows where there is something to do inside. The bare
// loop shows the opposite: without a lock two cores snatch one cache line from
// each other at every step, with it each keeps the line for a while.
func price(ctx context.Context, s *course.Stage) error {
	others := course.WatchOthers()
	p := &prices{loops: calibrate()}
	for round := range maxRounds {
		if err := p.round(ctx); err != nil {
			return err
		}
		if round+1 >= minRounds && p.cores() >= 1.5 && p.slowdown() > 1.2 {
			break
		}
	}
	s.Say("1 us of work in each turn: %.1f times as long with the lock", "每次做1微秒的工作：加锁后时间是%.1f倍", p.slowdown())
	s.Say("the bare loop of L09:      %.2f times as long with the lock", "只有加减的循环(第9课)：加锁后时间是%.2f倍", p.bare())
	s.Fact("slowdown", p.slowdown())
	s.Fact("bare_ratio", p.bare())
	s.Fact("cores_without_lock", p.cores())
	serialises := p.slowdown() > 1.2
	switch {
	case tandem.CPUs() < 2:
		s.Skip("one usable core: there is nothing to serialise", "只有一个可用的核：本来就是串行")
	case !serialises && others.Busy():
		s.Skip("other programs used the cores: without the lock the threads had %.1f", "其他程序占用了CPU：不加锁时两个线程只得到%.1f个核", p.cores())
	default:
		s.Law(serialises, "the lock serialises: with work inside, the threads wait for each other", "锁会阻止并发执行：里面有工作时，线程要互相等待")
	}
	return nil
}

// prices are times of two threads. With work inside, the shortest one counts,
// which was disturbed the least. Of the bare loop all are added up: its threads
// meet at some times more than at others, and its shortest time is the one in
// which they did not meet.
type prices struct {
	loops                int // of work that take a microsecond
	locked, free, alone  time.Duration
	bareLocked, bareFree time.Duration
	mu                   sync.Mutex
	plain                int
	num                  atomic.Int64
	sums                 [2]uint64 // keep the work from being left out
}

func (p *prices) slowdown() float64 { return ratio(p.locked, p.free) }
func (p *prices) bare() float64     { return ratio(p.bareLocked, p.bareFree) }

// cores is how many the two threads really had when no lock was in their way.
func (p *prices) cores() float64 { return ratio(2*p.alone, p.free) }

// round takes each measurement once, so that a disturbance meets all alike.
func (p *prices) round(ctx context.Context) error {
	return errors.Join(
		fastest(ctx, &p.locked, func(i int) {
			for range workTurns {
				p.mu.Lock()
				p.sums[i] += spin(p.loops)
				p.mu.Unlock()
			}
		}),
		fastest(ctx, &p.free, func(i int) {
			for range workTurns {
				p.sums[i] += spin(p.loops)
			}
		}),
		fastest(ctx, &p.alone, func(i int) {
			for range workTurns * (1 - i) { // the second thread has nothing to do
				p.sums[i] += spin(p.loops)
			}
		}),
		added(ctx, &p.bareLocked, func(i int) {
			for range bareTurns {
				p.mu.Lock()
				p.plain += amounts[i]
				p.plain -= amounts[i]
				p.mu.Unlock()
			}
		}),
		added(ctx, &p.bareFree, func(i int) {
			for range bareTurns {
				p.num.Store(p.num.Load() + int64(amounts[i]))
				p.num.Store(p.num.Load() - int64(amounts[i]))
			}
		}),
	)
}

func ratio(a, b time.Duration) float64 {
	return float64(int(100*float64(a)/float64(max(1, b)))) / 100
}

// fastest keeps the time of two threads in best if it is the shortest so far.
func fastest(ctx context.Context, best *time.Duration, body func(i int)) error {
	took, err := race(ctx, body)
	if *best == 0 || took < *best {
		*best = took
	}
	return err
}

// added adds the time of two threads to sum.
func added(ctx context.Context, sum *time.Duration, body func(i int)) error {
	took, err := race(ctx, body)
	*sum += took
	return err
}

// race runs body on a thread for each amount and waits for all of them. The
// threads begin together, and the time counts from there.
func race(ctx context.Context, body func(i int)) (took time.Duration, err error) {
	var ready atomic.Int32
	handles := make([]*thread.Handle[time.Time], len(amounts))
	for i := range handles {
		handles[i] = thread.Start(ctx, thread.Config{}, func(context.Context) (time.Time, error) {
			for ready.Add(1); int(ready.Load()) < len(amounts); {
				runtime.Gosched() // the others may need this core to come here
			}
			began := time.Now()
			body(i)
			return began, nil
		})
	}
	var first time.Time
	for _, h := range handles {
		// The bodies end by themselves; until then they use our variables.
		began, err := h.Wait(context.WithoutCancel(ctx))
		if err != nil {
			return 0, err
		}
		if first.IsZero() || began.Before(first) {
			first = began
		}
	}
	return time.Since(first), ctx.Err()
}

func spin(loops int) (sum uint64) {
	for i := range loops {
		sum = sum*31 + uint64(i)
	}
	return sum
}

// calibrate returns how many loops of spin take a microsecond.
func calibrate() int {
	const loops = 1_000_000
	began := time.Now()
	sink.Store(spin(loops))
	return max(1, int(loops*int64(time.Microsecond)/max(1, time.Since(began).Nanoseconds())))
}

// sink keeps calibrate's work from being left out.
var sink atomic.Uint64
