package tandemtest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/tandem-go/tandem"
)

var futureCases = []testCase{
	{"settles once", func(s *suite) {
		f := visiting.On(s.place).Go(s.context(), s.gate.visit("one"))
		v := s.gate.next()
		select {
		case <-f.Done():
			s.Error("Done is closed while the task runs")
		default:
		}
		if err := f.Err(); err != nil {
			s.Errorf("Err while the task runs: %v", err)
		}
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if got, err := f.Wait(s.context()); got != "same" || err != nil {
					s.Errorf("got %q, %v", got, err)
				}
			})
		}
		v.release("same")
		all.Wait()
		f.Cancel() // too late: nothing changes
		f.Cancel()
		<-f.Done()
		if got, err := f.Wait(ended()); got != "same" || err != nil || f.Err() != nil {
			s.Errorf("after Cancel, with a context that has ended: %q, %v, Err %v; want the outcome", got, err, f.Err())
		}
	}},
	{"waiting is not working", func(s *suite) {
		f := visiting.On(s.place).Go(s.context(), s.gate.visit("patient"))
		v := s.gate.next()
		if got, err := f.Wait(ended()); got != "" || !errors.Is(err, errCause) {
			s.Errorf("a wait that ends early: %q, %v; want its own cause", got, err)
		}
		v.release("later")
		if got, err := f.Wait(s.context()); got != "later" || err != nil {
			s.Errorf("the next wait: %q, %v", got, err)
		}
	}},
	{"cancel", func(s *suite) {
		f := visiting.On(s.place).Go(s.context(), s.gate.visit("doomed"))
		v := s.gate.next()
		f.Cancel()
		for range 2 {
			if _, err := f.Wait(s.context()); !errors.Is(err, context.Canceled) || !errors.Is(f.Err(), context.Canceled) {
				s.Errorf("got %v, Err %v; want context.Canceled", err, f.Err())
			}
		}
		s.gate.ended(v)
		s.alive()
	}},
	{"a queue", func(s *suite) {
		n := s.width()
		var futures []*tandem.Future[string]
		for i := range 3 * n {
			futures = append(futures, visiting.On(s.place).Go(s.context(), s.gate.visit(fmt.Sprint(i))))
		}
		first := n // so many run before any has ended
		if !s.has.Bounded {
			first = 3 * n
		}
		var running []*visitor
		for range first {
			running = append(running, s.gate.next())
		}
		for i := range 3 * n {
			running[i].release("go")
			if len(running) < 3*n {
				running = append(running, s.gate.next())
			}
		}
		for _, f := range futures {
			if got, err := f.Wait(s.context()); got != "go" || err != nil {
				s.Errorf("got %q, %v", got, err)
			}
		}
	}},
	{"never more than the width", func(s *suite) {
		if !s.has.Bounded {
			return // the case above has seen more
		}
		n := s.width()
		var futures []*tandem.Future[string]
		for range 2 * n {
			futures = append(futures, visiting.On(s.place).Go(s.context(), s.gate.visit("first")))
		}
		var running []*visitor
		for range n {
			running = append(running, s.gate.next())
		}
		// All places are taken. Whoever comes now without another leaving is too many:
		// give the place every chance, by calls that fail without a place, then look.
		for range 50 {
			double.On(s.place).Call(ended(), 1)
		}
		s.gate.nobody("beyond the width")
		for _, f := range futures {
			f.Cancel()
		}
		for _, f := range futures {
			if _, err := f.Wait(s.context()); !errors.Is(err, context.Canceled) {
				s.Errorf("got %v, want context.Canceled", err)
			}
		}
		for _, v := range running {
			s.gate.ended(v)
		}
		s.alive()
	}},
	{"completed", func(s *suite) {
		f := visiting.On(s.place).Go(s.context(), s.gate.visit("last"))
		v := s.gate.next()
		// Other types, and twice the same: yielded once, with the first index.
		settled := double.On(tandem.Inline).Go(s.context(), 1)
		failed := failing.On(tandem.Inline).Go(s.context(), "plain")
		<-settled.Done()
		<-failed.Done()
		seen := map[int]int{}
		last := -1
		for i, w := range tandem.Completed(s.context(), f, settled, settled, failed, f) {
			if seen[i]++; len(seen) == 2 {
				v.release("") // only now: whoever is done comes before who is not
			}
			select {
			case <-w.Done():
			default:
				s.Errorf("waiter %d was yielded and has not settled", i)
			}
			last = i
		}
		if fmt.Sprint(seen) != "map[0:1 1:1 3:1]" || last != 0 {
			s.Errorf("yielded %v, the last was %d; want 0, 1 and 3 once each, 0 last", seen, last)
		}
	}},
	{"completed ends with its context", func(s *suite) {
		f := visiting.On(s.place).Go(s.context(), s.gate.visit("never"))
		v := s.gate.next()
		settled := double.On(tandem.Inline).Go(s.context(), 1)
		<-settled.Done()
		var got []int
		for i := range tandem.Completed(ended(), f, settled) {
			got = append(got, i)
		}
		if fmt.Sprint(got) != "[1]" {
			s.Errorf("with a context that has ended it yielded %v; want what has settled, [1]", got)
		}
		for range tandem.Completed(s.context(), settled, f) {
			break // leaving early leaves nobody behind
		}
		v.release("")
		f.Wait(s.context())
	}},
}

// ended is a context that has ended, by errCause.
func ended() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errCause)
	return ctx
}
