package process_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// sluice is what a constructor or a call waits at: so many processes pass freely, the others when
// there is a file.
type sluice struct {
	Note, File string
	Free       int
}

func newSluice(t *testing.T, free int) sluice {
	return sluice{filepath.Join(t.TempDir(), "note"), filepath.Join(t.TempDir(), "file"), free}
}

func (g sluice) open(t *testing.T) {
	t.Helper()
	if err := os.WriteFile(g.File, nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

// reached waits until so many processes have come to it.
func (g sluice) reached(t *testing.T, n int) {
	t.Helper()
	eventually(t, "they have come", func() bool { return remarks(t, g.Note) >= n })
}

var newGated = process.NewConstructor("gatedCounter", func(ctx context.Context, g sluice) (*counter, error) {
	if err := remark(g.Note, "."); err != nil {
		return nil, err
	}
	b, err := os.ReadFile(g.Note)
	if len(b) > len(".\n")*g.Free {
		untilThere(g.File)
	}
	return &counter{}, err
})

// untilThere returns when there is a file.
func untilThere(name string) {
	for {
		if _, err := os.Stat(name); err == nil {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// lingering is a call that does not listen, and ends when its sluice is open.
var lingering = process.NewMethod("counter.lingering", func(_ context.Context, _ *counter, g sluice) (int, error) {
	err := remark(g.Note, ".")
	untilThere(g.File)
	return 0, err
})

// anew checks that a service answers, from another process than before.
func anew(t *testing.T, svc *process.Service[*counter], before int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if pid, err := misuse.On(svc).Call(ctx, "pid"); err != nil || pid == before {
		t.Errorf("process %d, after %d: %v", pid, before, err)
	}
}

// over kills a process and waits until it is gone.
func over(t *testing.T, pid int) {
	t.Helper()
	kill(t, pid)
	eventually(t, "it is gone", func() bool { _, runs := statOf(pid); return !runs })
}

// TestSupervisorDeathsTogether: one dies while another, which is to be started again with
// it, has not ended yet.
func TestSupervisorDeathsTogether(t *testing.T) {
	leaveNothing(t)
	s := &process.Supervisor{Strategy: process.OneForAll}
	var list []*process.Service[*counter]
	for i := range 3 {
		list = append(list, &process.Service[*counter]{New: newCounter.With(i), Limits: tandem.Limits{Grace: time.Hour}})
		s.Services = append(s.Services, list[i])
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	closing(t, s)
	before := pids(t, list)
	g := newSluice(t, 0)
	held := lingering.On(list[2]).Go(t.Context(), g)
	g.reached(t, 1) // it runs: what has only been sent would be taken back
	over(t, before[0])
	over(t, before[1])
	eventually(t, "that is known", func() bool { return list[1].Stats().Ended == 1 })
	g.open(t)
	if _, err := held.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	for i, svc := range list {
		anew(t, svc, before[i])
	}
}

// TestSupervisorDeathAtStart: one dies while the next is made for the first time.
func TestSupervisorDeathAtStart(t *testing.T) {
	leaveNothing(t)
	g := newSluice(t, 0)
	list := []*process.Service[*counter]{{New: newCounter.With(1)}, {New: newGated.With(g)}, {New: newCounter.With(1)}}
	s := &process.Supervisor{Strategy: process.OneForAll, Services: []process.Supervised{list[0], list[1], list[2]}}
	started := make(chan error)
	go func() { started <- s.Start(t.Context()) }()
	closing(t, s)
	g.reached(t, 1)
	before := pids(t, list[:1])[0]
	over(t, before)
	g.open(t)
	if err := <-started; err != nil {
		t.Error(err)
	}
	anew(t, list[0], before)
	anew(t, list[1], 0)
	anew(t, list[2], 0)
}

// TestSupervisorSlowBirth: one that takes for ever to be made again keeps no other that
// dies, and does not need it, from being started again.
func TestSupervisorSlowBirth(t *testing.T) {
	for name, c := range map[string]struct {
		strategy   process.Strategy
		slow, dies int
	}{
		"one for one":  {process.OneForOne, 0, 1},
		"rest for one": {process.RestForOne, 1, 0},
		"one for all":  {process.OneForAll, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			leaveNothing(t)
			g := newSluice(t, 1)
			list := make([]*process.Service[*counter], 2)
			list[c.slow] = &process.Service[*counter]{New: newGated.With(g)}
			list[c.dies] = &process.Service[*counter]{New: newCounter.With(1)}
			s := &process.Supervisor{Strategy: c.strategy, Services: []process.Supervised{list[0], list[1]}}
			if err := s.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			closing(t, s)
			before := pids(t, list)
			over(t, before[c.slow])
			g.reached(t, 2)
			dies := pids(t, list[c.dies:][:1])[0] // another with OneForAll
			over(t, dies)
			anew(t, list[c.dies], dies)
			g.open(t)
			anew(t, list[c.slow], before[c.slow])
		})
	}
}

// TestSupervisorGivesUpAtStart: Start tells why.
func TestSupervisorGivesUpAtStart(t *testing.T) {
	leaveNothing(t)
	g := newSluice(t, 0)
	list := []*process.Service[*counter]{{New: newCounter.With(1)}, {New: newGated.With(g)}}
	s := &process.Supervisor{Services: []process.Supervised{list[0], list[1]}, Restart: process.Restart{Max: 1}}
	started := make(chan error)
	go func() { started <- s.Start(t.Context()) }()
	closing(t, s)
	g.reached(t, 1)
	for range 2 {
		over(t, pids(t, list[:1])[0])
	}
	var crash *tandem.CrashError
	if err := <-started; !errors.As(err, &crash) || crash.Signal != "killed" {
		t.Errorf("Start: %v, want the first death", err)
	}
}
