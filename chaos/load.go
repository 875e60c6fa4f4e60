//go:build linux

package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// numbered is the argument of a task that notes its start in a ledger, a file that
// outlives workers, and answers with what only it can answer.
type numbered struct {
	Number int
	Ledger string
}

func answerTo(number int) int { return 3*number + 1 }

func doNumbered(_ context.Context, in numbered) (int, error) {
	end, err := in.begin()
	if err != nil {
		return 0, err
	}
	if in.Number%32 < 2 { // for a second one to be there at the same time
		time.Sleep(time.Millisecond)
	}
	return answerTo(in.Number), end()
}

var (
	once  = tandem.NewTask("once", doNumbered)
	again = tandem.NewTask("again", doNumbered).Idempotent()

	sum = tandem.NewTask("sum", func(_ context.Context, b []byte) ([32]byte, error) { return sha256.Sum256(b), nil })

	// copied has a file in its argument and a file in its result.
	copied = tandem.NewTask("copied", func(_ context.Context, from *os.File) (*os.File, error) {
		defer from.Close()
		to, err := os.OpenFile(os.TempDir(), os.O_RDWR|unix.O_TMPFILE, 0o600) // no name for the dead to leave
		if err != nil {
			return nil, err
		}
		if _, err = io.Copy(to, from); err != nil {
			to.Close()
			return nil, err
		}
		return to, nil
	})
)

// load keeps one pool busy with rounds of each kind, until stop. What a round asks
// is judged at its end.
type load struct {
	judge  *judge
	pool   *process.Pool
	random *rand.Rand
	folder string
	shared *common
	now    atomic.Pointer[string] // the kind of round, for who waits for it
}

// common is what all loads use.
type common struct {
	serving *serving
	standby *process.Standby
	service *process.Service[*tally]
	tallies tallies
}

func (l *load) work(stop <-chan struct{}) {
	kinds := []struct {
		name string
		do   func()
	}{
		{"calls", l.calls}, {"futures", l.futures}, {"Map", l.mapped},
		{"large", l.large}, {"files", l.files}, {"shared", l.counted},
		{"Start", l.started}, {"service", l.served}, {"locks", l.locked}, {"queue", l.queued},
		{"cancelled", l.cancelled},
	}
	for {
		select {
		case <-stop:
			return
		default:
		}
		k := kinds[l.random.IntN(len(kinds))]
		l.now.Store(&k.name)
		k.do()
	}
}

// outcome counts one settled task. What the disturbances of a working pool explain
// is a death by a kill, and a time limit, for who was stopped.
func (l *load) outcome(what string, err error) {
	l.judge.settled.Add(1)
	if err == nil {
		return
	}
	l.judge.failed.Add(1)
	crash, crashed := errors.AsType[*tandem.CrashError](err)
	if !errors.Is(err, tandem.ErrTimeout) && !(crashed && (crash.Signal == "killed" || crash.Collateral)) {
		l.judge.violated("%s on %s: %v%s", what, l.pool.Name, err, lastWords(err))
	}
}

func (l *load) answer(what string, number, got int, err error) {
	l.outcome(what, err)
	if err == nil && got != answerTo(number) {
		l.judge.violated("%s %d on %s got %d, another's answer", what, number, l.pool.Name, got)
	}
}

func (l *load) calls() {
	g := newLedger(l, 200)
	for n := range g.outcomes {
		task := once
		if n%2 == 1 {
			task = again
		}
		got, err := task.On(l.pool).Call(context.Background(), g.task(n))
		l.answer("call", g.first+n, got, err)
		g.outcomes[n] = err
	}
	g.judge(func(n int) bool { return n%2 == 1 })
}

func (l *load) futures() {
	g := newLedger(l, 100)
	futures := make([]*tandem.Future[int], len(g.outcomes))
	for n := range futures {
		futures[n] = once.On(l.pool).Go(context.Background(), g.task(n))
	}
	for n, f := range futures {
		got, err := f.Wait(context.Background())
		l.answer("future", g.first+n, got, err)
		if twice, same := f.Wait(context.Background()); twice != got || same != err {
			l.judge.violated("future %d settled twice: %d, %v and %d, %v", n, got, err, twice, same)
		}
		g.outcomes[n] = err
	}
	g.judge(func(int) bool { return false })
}

func (l *load) mapped() {
	g := newLedger(l, 500)
	seen := make([]int, len(g.outcomes))
	numbers := func(yield func(numbered) bool) {
		for n := range g.outcomes {
			if !yield(g.task(n)) {
				return
			}
		}
	}
	if l.random.IntN(2) == 0 {
		n := 0
		for got, err := range once.On(l.pool).Map(context.Background(), numbers) {
			seen[n]++
			l.answer("item in order", g.first+n, got, err)
			g.outcomes[n] = err
			n++
		}
	} else {
		for it := range once.On(l.pool).Unordered(context.Background(), numbers) {
			seen[it.Index]++
			l.answer("item", g.first+it.Index, it.Out, it.Err)
			g.outcomes[it.Index] = it.Err
		}
	}
	for n, times := range seen {
		if times != 1 {
			l.judge.violated("item %d settled %d times", n, times)
		}
	}
	g.judge(func(int) bool { return false })
}

// cancelled: who gives up a call may get its answer all the same, but never another's.
func (l *load) cancelled() {
	g := newLedger(l, 100)
	futures := make([]*tandem.Future[int], len(g.outcomes))
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for n := range futures {
		own, giveUp := context.WithCancel(ctx)
		futures[n] = once.On(l.pool).Go(own, g.task(n))
		if l.random.IntN(3) == 0 {
			giveUp()
		} else {
			defer giveUp()
		}
	}
	for n, f := range futures {
		got, err := f.Wait(context.Background())
		if g.outcomes[n] = err; errors.Is(err, context.Canceled) {
			l.judge.settled.Add(1)
			continue
		}
		l.answer("cancelled call", g.first+n, got, err)
	}
	g.judge(func(int) bool { return false })
}

func (l *load) large() {
	b := make([]byte, 1+l.random.IntN(4<<20))
	for range 5 {
		for i := range 64 {
			b[l.random.IntN(len(b))] = byte(i)
		}
		got, err := sum.On(l.pool).Call(context.Background(), b)
		l.outcome("large", err)
		if err == nil && got != sha256.Sum256(b) {
			l.judge.violated("a large argument of %d bytes is not what arrived", len(b))
		}
	}
}

func (l *load) files() {
	for range 20 {
		text := fmt.Sprint(l.random.Uint64())
		from, to, err := os.Pipe()
		if err != nil {
			l.judge.violated("pipe: %v", err)
			return
		}
		io.WriteString(to, text)
		to.Close()
		out, err := copied.On(l.pool).Call(context.Background(), from)
		from.Close()
		l.outcome("file", err)
		if err != nil {
			continue
		}
		got := make([]byte, len(text)+1)
		n, _ := out.ReadAt(got, 0)
		out.Close()
		if string(got[:n]) != text {
			l.judge.violated("a file holds %q, want %q", got[:n], text)
		}
	}
}
