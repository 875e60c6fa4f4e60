package tandemtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/tandem-go/tandem"
)

// dying ends its process, or at least tries, in the way that its argument names.
var dying = tandem.NewTask("dying", func(ctx context.Context, how string) (int, error) {
	switch how {
	case "exit":
		os.Exit(3)
	case "exit 0":
		os.Exit(0)
	case "kill":
		if self, err := os.FindProcess(os.Getpid()); err == nil {
			self.Kill()
		}
		select {}
	case "stack overflow":
		return deeper(0), nil
	case "map":
		m := map[int]int{}
		for range 4 {
			go func() {
				for i := 0; ctx.Err() == nil; i++ {
					m[i%10]++
				}
			}()
		}
		<-ctx.Done()
	case "goroutine":
		go func() { panic("in a goroutine of the task's own") }()
		select {}
	case "loop":
		for i := 0; ; i++ {
		}
	case "system call":
		blockThread()
	case "sleep":
		time.Sleep(24 * time.Hour)
	}
	return os.Getpid(), nil
})

func deeper(n int) int { return deeper(n+1) + 1 }

// again may run twice: a death that it did not cause does not show.
var again = tandem.NewTask("again", func(_ context.Context, n int) (int, error) { return 2 * n, nil }).Idempotent()

// poisoned doubles what is not its poison; that ends it in the way it names.
var poisoned = tandem.NewTask("poisoned", func(_ context.Context, p poison) (int, error) {
	if p.N == p.Deadly {
		switch p.How {
		case "exit":
			os.Exit(4)
		case "panic":
			panic("poison")
		case "goexit":
			runtime.Goexit()
		}
		return 0, errSentinel
	}
	return 2 * p.N, nil
})

type poison struct {
	N, Deadly int
	How       string
}

var deathCases = append([]testCase{
	{"border", func(s *suite) {
		pid, err := dying.On(s.place).Call(s.context(), "not")
		if err != nil || (pid != os.Getpid()) != s.has.Isolation {
			s.Errorf("a task runs in process %d, this is %d (%v), and Isolation is %v", pid, os.Getpid(), err, s.has.Isolation)
		}
	}},
	{"others go on", func(s *suite) {
		if !s.has.Isolation {
			return // "border" has shown that there is nothing between a task and this test
		}
		poison := dying.On(s.place).Go(s.context(), "exit")
		in := make([]int, 200)
		for i := range in {
			in[i] = i
		}
		outs, err := again.On(s.place).All(s.context(), in)
		if err != nil {
			s.Errorf("the others: %v", err)
		}
		for i, out := range outs {
			if out != 2*i {
				s.Errorf("result %d is %d", i, out)
			}
		}
		if _, err := poison.Wait(s.context()); !isCrash(err) {
			s.Errorf("the task that exits: %v, want *CrashError", err)
		}
	}},
	{"a hard stop and its neighbours", func(s *suite) {
		if !s.has.HardStop {
			return // "time" in Limits has seen the refusal
		}
		strict := tandem.Limits{Time: 50 * time.Millisecond, Grace: 50 * time.Millisecond}
		var futures []*tandem.Future[string]
		var beside []*visitor
		for range s.width() - 1 {
			futures = append(futures, visiting.On(s.place).Go(s.context(), s.gate.visit("beside")))
			beside = append(beside, s.gate.next())
		}
		_, err := visiting.On(s.place).Limit(strict).Call(s.context(), s.gate.deaf("deaf"))
		if !errors.Is(err, tandem.ErrTimeout) {
			s.Errorf("got %v, want ErrTimeout", err)
		}
		s.gate.ended(s.gate.next())
		for _, v := range beside {
			v.release("done")
		}
		lost := 0
		for _, f := range futures {
			var crash *tandem.CrashError
			switch got, err := f.Wait(s.context()); {
			case errors.As(err, &crash) && crash.Collateral:
				lost++
			case got != "done" || err != nil:
				s.Errorf("a task beside it: %q, %v", got, err)
			}
		}
		if (lost == 0) != s.has.NeighboursSafe {
			s.Errorf("%d of %d tasks beside it were lost, and NeighboursSafe is %v", lost, len(futures), s.has.NeighboursSafe)
		}
		s.alive()
	}},
	{"cancelled and deaf", func(s *suite) {
		ctx, cancel := context.WithCancelCause(s.context())
		f := visiting.On(s.place).Limit(tandem.Limits{Grace: 50 * time.Millisecond}).Go(ctx, s.gate.deaf("deaf"))
		v := s.gate.next()
		cancel(errCause)
		if !s.has.HardStop {
			select {
			case <-f.Done():
				s.Error("the call has settled while its task runs")
			case <-v.gone:
				s.Error("the task has ended")
			default:
				v.release("at last")
			}
			if got, err := f.Wait(s.context()); got != "at last" || err != nil {
				s.Errorf("got %q, %v", got, err)
			}
			return
		}
		if _, err := f.Wait(s.context()); !errors.Is(err, errCause) {
			s.Errorf("got %v, want the cause", err)
		}
		s.gate.ended(v)
		s.alive()
	}},
}, append(
	each("dies by ", diesBy, "exit", "exit 0", "kill", "stack overflow", "map", "goroutine"),
	append(each("one of many: ", oneOfMany, "error", "panic", "goexit", "exit"),
		each("stopped in ", stoppedIn, "loop", "system call", "sleep")...)...,
)...)

func each(prefix string, check func(*suite, string), hows ...string) (list []testCase) {
	for _, how := range hows {
		list = append(list, testCase{prefix + how, func(s *suite) { check(s, how) }})
	}
	return list
}

// diesBy: the call gets a *CrashError that says something, and the place goes on.
func diesBy(s *suite, how string) {
	if !s.has.Isolation {
		return // it would end this test; see "border"
	}
	for range 2 {
		_, err := dying.On(s.place).Call(s.context(), how)
		var crash *tandem.CrashError
		if !errors.As(err, &crash) || crash.PID == 0 || crash.PID == os.Getpid() || crash.Reason == "" || crash.Collateral {
			s.Fatalf("got %v, want a *CrashError with process and reason", err)
		}
		if crash.Task != dying.FullName() || !strings.Contains(err.Error(), crash.Task) || !strings.Contains(err.Error(), fmt.Sprint(crash.PID)) {
			s.Errorf("%q does not name the task %q and the process %d", err, crash.Task, crash.PID)
		}
		s.alive()
	}
}

// oneOfMany: what happens to one input, however the place sends it, costs no other;
// a death costs those that ran beside it at most, where neighbours are not safe.
func oneOfMany(s *suite, how string) {
	if how == "exit" && !s.has.Isolation {
		return
	}
	in := make([]poison, 500)
	for i := range in {
		in[i] = poison{i, 333, how}
	}
	collateral := 0
	for it := range poisoned.On(s.place).Unordered(s.context(), slices.Values(in)) {
		var crash *tandem.CrashError
		var p *tandem.PanicError
		switch {
		case it.Index == 333:
			ok := map[string]bool{
				"error": errors.Is(it.Err, errSentinel), "exit": errors.As(it.Err, &crash) && !crash.Collateral,
				"panic": errors.As(it.Err, &p), "goexit": errors.As(it.Err, &p),
			}
			if !ok[how] {
				s.Errorf("the one that ends by %s: %+v", how, it)
			}
		case errors.As(it.Err, &crash) && how == "exit" && (crash.Collateral || !s.has.NeighboursSafe):
			collateral++ // of those who ran in a process that ended, nobody may know who ended it
		case it.Err != nil || it.Out != 2*it.In.N:
			s.Errorf("another one: %+v", it)
		}
	}
	if collateral >= s.width() || collateral > 0 && s.has.NeighboursSafe {
		s.Errorf("%d others were lost, NeighboursSafe is %v", collateral, s.has.NeighboursSafe)
	}
	s.alive()
}

// stoppedIn: a limit ends what nobody asked politely could end.
func stoppedIn(s *suite, how string) {
	strict := tandem.Limits{Time: 20 * time.Millisecond, Grace: 20 * time.Millisecond}
	_, err := dying.On(s.place).Limit(strict).Call(s.context(), how)
	if !s.has.HardStop {
		s.refused(err, "Limits.Time")
		return
	}
	if !errors.Is(err, tandem.ErrTimeout) {
		s.Errorf("got %v, want ErrTimeout", err)
	}
	s.alive()
}
