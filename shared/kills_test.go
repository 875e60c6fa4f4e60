//go:build linux

package shared_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandem-go/tandem/internal/sys"
	"github.com/tandem-go/tandem/process"
	"github.com/tandem-go/tandem/shared"
)

// Many more kills than in every run of the tests:
//
//	go test -run OwnerKills -v ./shared -kills 10000
var kills = flag.Int("kills", 200, "how many owners TestOwnerKills kills")

// The ledger of TestOwnerKills: numbers beside the lock, which nobody changes as part
// of a lock's own work, so that they can bear witness against it.
const (
	inside  = iota // process id of who is between Lock and Unlock; the dead leave it
	killed         // process id of whom the test has killed last
	sentAt         // when that was
	ownedAt        // when the repairer had the lock
	repairs        // how often a lock was handed over for repair
	beat           // changes as long as a victim runs
	turns          // how often a victim came in
	ledgerSize
)

// comeIn is for who has just got the lock and was told that it is whole.
func comeIn(ledger []int64) error {
	me := int64(os.Getpid())
	if !atomic.CompareAndSwapInt64(&ledger[inside], 0, me) {
		who := atomic.LoadInt64(&ledger[inside])
		if who == atomic.LoadInt64(&ledger[killed]) {
			return fmt.Errorf("process %d was killed inside, and %d was not told", who, me)
		}
		return fmt.Errorf("process %d came in while %d was inside", me, who)
	}
	return nil
}

func goOut(ledger []int64) error {
	if me := int64(os.Getpid()); !atomic.CompareAndSwapInt64(&ledger[inside], me, 0) {
		return fmt.Errorf("process %d was inside, and %d came in", me, atomic.LoadInt64(&ledger[inside]))
	}
	return nil
}

// toil takes about as many microseconds, and beats.
func toil(ledger []int64, us int) {
	for end := sys.MonotonicNow() + int64(us)*1000; sys.MonotonicNow() < end; {
		atomic.AddInt64(&ledger[beat], 1)
	}
}

// inherit takes over from the dead.
func inherit(ctx context.Context, ledger []int64, m *shared.Mutex, told *shared.OwnerDiedError) error {
	if last := atomic.LoadInt64(&ledger[killed]); last != int64(told.PID) {
		return fmt.Errorf("told of the death of process %d, when %d was killed last", told.PID, last)
	}
	return m.Repair(ctx, func(died *shared.OwnerDiedError) error {
		atomic.StoreInt64(&ledger[ownedAt], sys.MonotonicNow())
		atomic.AddInt64(&ledger[repairs], 1)
		was := atomic.LoadInt64(&ledger[beat])
		if who := atomic.LoadInt64(&ledger[inside]); who != 0 && who != int64(died.PID) {
			return fmt.Errorf("handed over for the death of process %d while %d was inside", died.PID, who)
		}
		for range 1000 {
			sys.Pause()
		}
		if atomic.LoadInt64(&ledger[beat]) != was {
			return fmt.Errorf("handed over while process %d still ran", died.PID)
		}
		atomic.StoreInt64(&ledger[inside], 0)
		return nil
	})
}

// await waits for the lock again and again, and inherits it from the dead.
func await(ctx context.Context, c cast) error {
	return c.Slice.View(func(ledger []int64) error {
		for !c.Event.IsSet() {
			err := c.Lock.Lock(ctx)
			told := (*shared.OwnerDiedError)(nil)
			if errors.As(err, &told) {
				err = inherit(ctx, ledger, c.Lock, told)
			} else if err == nil {
				err = errors.Join(comeIn(ledger), goOut(ledger))
				c.Lock.Unlock()
			}
			if err != nil {
				return err
			}
			time.Sleep(50 * time.Microsecond) // let the victim come in
		}
		return nil
	})
}

var (
	_ = scene("await the lock", func(ctx context.Context, c cast) (int, error) { return 0, await(ctx, c) })
	_ = scene("be killed", func(ctx context.Context, c cast) (int, error) {
		return 0, c.Slice.View(func(ledger []int64) error {
			for {
				if err := c.Lock.Lock(ctx); err != nil {
					return err
				}
				if err := comeIn(ledger); err != nil {
					return err
				}
				atomic.AddInt64(&ledger[turns], 1)
				toil(ledger, rand.IntN(300))
				if err := goOut(ledger); err != nil {
					return err
				}
				c.Lock.Unlock()
				toil(ledger, rand.IntN(30))
			}
		})
	})
)

// TestOwnerKills kills the owner of a lock at any instruction, again and again, while
// others wait for it, here and in another process. Of each death they are told once,
// not before it, and only one of them owns the lock then.
func TestOwnerKills(t *testing.T) {
	c := cast{
		Lock:  open[*shared.Mutex](t)(shared.NewMutex()),
		Slice: open[*shared.Slice[int64]](t)(shared.NewSlice[int64](ledgerSize)),
		Event: newEvent(t), // it is over
	}
	ledger, err := c.Slice.Slice()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Slice.Unpin()
	c.Role = "await the lock"
	elsewhere := alone(t, c)
	var here sync.WaitGroup
	for range 2 {
		here.Go(func() {
			if err := await(background, c); err != nil {
				t.Error(err)
			}
		})
	}
	victim := c
	victim.Role = "be killed"
	var late []time.Duration // from the kill of a sure owner to the next one, who slept
	for range *kills {
		if t.Failed() {
			break
		}
		sample, err := killOne(t, victim, ledger)
		if err != nil {
			t.Error(err)
			break
		}
		if sample > 0 {
			late = append(late, sample)
		}
	}
	if err := c.Event.Set(); err != nil {
		t.Error(err)
	}
	here.Wait()
	if _, err := elsewhere.Wait(soon(t)); err != nil {
		t.Error(err)
	}
	if len(late) == 0 {
		t.Fatal("no kill met an owner for whom somebody waited: the test has tried nothing")
	}
	slices.Sort(late)
	t.Logf("%d kills, %d handed over for repair, %d of them to one who slept; from the kill to the next owner: p50 %v, p99 %v, most %v",
		*kills, atomic.LoadInt64(&ledger[repairs]), len(late), late[len(late)/2], late[len(late)*99/100], late[len(late)-1])
}

// killOne plays one victim, and returns how long the lock was nobody's, if that can
// be said.
func killOne(t *testing.T, c cast, ledger []int64) (time.Duration, error) {
	came := atomic.LoadInt64(&ledger[turns])
	h, err := process.Start(background, process.Config{}, act, c)
	if err != nil {
		return 0, err
	}
	defer kill(h)
	until(t, "the victim came in", func() bool { return atomic.LoadInt64(&ledger[turns]) > came || t.Failed() })
	pid := int64(h.Process.PID())
	toil(make([]int64, ledgerSize), rand.IntN(1000))
	select {
	case <-h.Done():
		return 0, h.Err()
	default:
	}
	before := atomic.LoadInt64(&ledger[repairs])
	atomic.StoreInt64(&ledger[killed], pid)
	atomic.StoreInt64(&ledger[sentAt], sys.MonotonicNow())
	waited := c.Lock.Sleeps() && atomic.LoadInt64(&ledger[inside]) == pid
	h.Process.Kill()
	<-h.Done()
	// Whoever waits next finds everything in order, and nobody waits for ever.
	ctx := soon(t)
	err = c.Lock.Lock(ctx)
	if told := (*shared.OwnerDiedError)(nil); errors.As(err, &told) {
		err = inherit(ctx, ledger, c.Lock, told)
		if err == nil {
			err = c.Lock.Lock(ctx)
		}
	}
	if err != nil {
		return 0, err
	}
	defer c.Lock.Unlock()
	switch n := atomic.LoadInt64(&ledger[repairs]) - before; {
	case n > 1:
		return 0, fmt.Errorf("%d repairs of one death", n)
	case n == 1 && waited:
		err = errors.Join(comeIn(ledger), goOut(ledger))
		return time.Duration(atomic.LoadInt64(&ledger[ownedAt]) - atomic.LoadInt64(&ledger[sentAt])), err
	}
	return 0, errors.Join(comeIn(ledger), goOut(ledger))
}
