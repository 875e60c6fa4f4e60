package process_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// team makes n services under a Supervisor that has started.
func team(t *testing.T, s *process.Supervisor, when ...process.When) (list []*process.Service[*counter]) {
	t.Helper()
	for i, w := range when {
		svc := &process.Service[*counter]{New: newCounter.With(10 * i), Restart: process.Restart{When: w}, Limits: tandem.Limits{Grace: 1}}
		list = append(list, svc)
		s.Services = append(s.Services, svc)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	closing(t, s)
	return list
}

// pids are the processes of services, in which the values are as they were made.
func pids(t *testing.T, list []*process.Service[*counter]) (pids []int) {
	t.Helper()
	for _, svc := range list {
		pid, err := misuse.On(svc).Call(t.Context(), "pid")
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}

// TestSupervisorStrategies: after a kill the right processes are others, and only they.
func TestSupervisorStrategies(t *testing.T) {
	for strategy, restarted := range map[process.Strategy][3]bool{
		process.OneForOne:  {false, true, false},
		process.OneForAll:  {true, true, true},
		process.RestForOne: {false, true, true},
	} {
		t.Run(fmt.Sprint(strategy), func(t *testing.T) {
			leaveNothing(t)
			s := &process.Supervisor{Strategy: strategy}
			list := team(t, s, process.Always, process.Always, process.Always)
			for range 3 {
				before := pids(t, list)
				started := list[2].Stats().Started
				kill(t, before[1])
				eventually(t, "those are gone that must go", func() bool {
					for i, pid := range before {
						if _, runs := statOf(pid); runs == restarted[i] {
							return false
						}
					}
					return true
				})
				if restarted[2] {
					eventually(t, "the last was started", func() bool { return list[2].Stats().Started > started })
				}
				after := pids(t, list)
				for i := range after {
					if (after[i] != before[i]) != restarted[i] {
						t.Errorf("service %d: process %d, then %d; restarted should be %v", i, before[i], after[i], restarted[i])
					}
				}
			}
			if s.Err() != nil {
				t.Error(s.Err())
			}
		})
	}
}

// TestSupervisorWhen: a temporary service's end touches nobody, and a transient one's
// only when it failed.
func TestSupervisorWhen(t *testing.T) {
	leaveNothing(t)
	s := &process.Supervisor{Strategy: process.OneForAll}
	list := team(t, s, process.Always, process.OnFailure, process.Never)
	before := pids(t, list)
	kill(t, before[2])
	eventually(t, "the temporary one has ended", func() bool {
		_, err := add.On(list[2]).Call(t.Context(), 1)
		return err != nil
	})
	if _, err := misuse.On(list[1]).Call(t.Context(), "leave"); err == nil {
		t.Error("it left, and its call has a value")
	}
	eventually(t, "the transient one has ended", func() bool {
		_, err := add.On(list[1]).Call(t.Context(), 1)
		return errors.Is(err, tandem.ErrClosed)
	})
	if after := pids(t, list[:1]); after[0] != before[0] {
		t.Error("the permanent one was restarted with them")
	}
}

// TestSupervisorGivesUp: too many ends, of different services, are counted together;
// the first is the cause, and nothing is left.
func TestSupervisorGivesUp(t *testing.T) {
	leaveNothing(t)
	s := &process.Supervisor{Restart: process.Restart{Max: 2}}
	list := team(t, s, process.Always, process.Always)
	for i := range 3 {
		svc := list[i%2]
		pid := pids(t, []*process.Service[*counter]{svc})[0]
		kill(t, pid)
		eventually(t, "it is gone", func() bool { _, runs := statOf(pid); return !runs })
	}
	<-s.Done()
	var crash *tandem.CrashError
	if err := s.Err(); !errors.As(err, &crash) || crash.Signal != "killed" {
		t.Errorf("it gave up with %v, want the first death", err)
	}
	for _, svc := range list {
		if _, err := add.On(svc).Call(t.Context(), 1); err == nil {
			t.Error("a service goes on")
		}
	}
}

// TestSupervisorStart: one that cannot start takes those before it along.
func TestSupervisorStart(t *testing.T) {
	leaveNothing(t)
	good := &process.Service[*counter]{New: newCounter.With(1)}
	bad := &process.Service[*counter]{New: newCounter.With(-7)}
	s := &process.Supervisor{Services: []process.Supervised{good, bad}, Restart: process.Restart{Max: 1}}
	if err := s.Start(t.Context()); err == nil {
		t.Error("it started")
	}
	if _, err := add.On(good).Call(t.Context(), 1); !errors.Is(err, tandem.ErrClosed) {
		t.Errorf("the one before it: %v, want ErrClosed", err)
	}
	if err := s.Start(t.Context()); err == nil {
		t.Error("it started a second time")
	}
	used := &process.Service[*counter]{New: newCounter.With(1)}
	closing(t, used)
	pids(t, []*process.Service[*counter]{used})
	if err := (&process.Supervisor{Services: []process.Supervised{used}}).Start(t.Context()); err == nil {
		t.Error("it took a service that was used before")
	}
}

func ExampleSupervisor() {
	ctx := context.Background()
	savings := &process.Service[*ledger]{New: openLedger.With(100)}
	stocks := stock.New()
	s := &process.Supervisor{Strategy: process.RestForOne, Services: []process.Supervised{savings, stocks}}
	if err := s.Start(ctx); err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	fmt.Println(deposit.On(savings).Call(ctx, 1))
	// Output: 101 <nil>
}
