//go:build linux

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// working are the limits of tasks that do no harm: what runs for longer was stopped.
var working = tandem.Limits{Time: 3 * time.Second, Grace: 100 * time.Millisecond}

// started: each call has a process of its own, every other one from the standby.
func (l *load) started() {
	g := newLedger(l, 6)
	var handles [6]*process.Handle[int]
	for n := range handles {
		config := process.Config{Limits: working}
		if n%2 == 1 {
			config.Standby = l.shared.standby
		}
		h, err := process.Start(context.Background(), config, once, g.task(n))
		if err != nil {
			l.answer("start", g.first+n, 0, err)
			g.outcomes[n] = err
			continue
		}
		l.shared.serving.add(process.Progress{PID: h.Process.PID()})
		handles[n] = h
	}
	for n, h := range handles {
		if h == nil {
			continue
		}
		got, err := h.Wait(context.Background())
		l.answer("process", g.first+n, got, err)
		if twice, same := h.Wait(context.Background()); twice != got || same != err {
			l.judge.violated("process %d settled twice: %d, %v and %d, %v", n, got, err, twice, same)
		}
		g.outcomes[n] = err
	}
	g.judge(func(int) bool { return false })
}

// tally is the value of a service: it counts in one process's life, and holds a lock of
// the system's so that no second one can be there.
type tally struct {
	life uint64
	n    int
	lock *os.File
}

// counted is what a call of it answers.
type counted struct {
	Life        uint64
	N, PID, Own int
}

var (
	newTally = process.NewConstructor("tally", func(_ context.Context, path string) (*tally, error) {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, err
		}
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			return nil, fmt.Errorf("another process of the service lives: %w", err)
		}
		return &tally{rand.Uint64(), 0, f}, nil
	})
	count = process.NewMethod("count", func(_ context.Context, t *tally, number int) (counted, error) {
		t.n++
		return counted{t.life, t.n, os.Getpid(), answerTo(number)}, nil
	})

	// visiting calls the service from a worker, by a handle.
	visiting = tandem.NewTask("visiting", func(ctx context.Context, in visit) (counted, error) {
		defer in.Service.Close()
		return count.On(in.Service).Call(ctx, in.Number)
	})
)

type visit struct {
	Number  int
	Service *process.Service[*tally]
}

// tallies are what a service has answered. In one life it counts each call once, from 1.
type tallies struct {
	mu   sync.Mutex
	seen map[uint64]map[int]bool
}

func (t *tallies) note(j *judge, c counted) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.seen[c.Life] == nil {
		clear(t.seen) // an answer of an earlier life may be late, and then alone
		t.seen[c.Life] = map[int]bool{}
	}
	if c.N < 1 || t.seen[c.Life][c.N] {
		j.violated("the service has answered its call %d twice", c.N)
	}
	t.seen[c.Life][c.N] = true
}

// served: methods of the one service, called from here and from workers.
func (l *load) served() {
	s, first := l.shared, firstNumber()
	for n := first; n < first+20; n++ {
		var c counted
		var err error
		if n%4 == 3 {
			c, err = visiting.On(l.pool).Call(context.Background(), visit{n, s.service})
		} else {
			c, err = count.On(s.service).Call(context.Background(), n)
		}
		l.answer("service", n, c.Own, err)
		if err == nil {
			s.serving.add(process.Progress{PID: c.PID})
			s.tallies.note(l.judge, c)
		}
	}
}
