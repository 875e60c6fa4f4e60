package tandemtest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"strings"

	"github.com/tandem-go/tandem"
)

// visits yields n visits with the names 0, 1, 2 … and says when it has ended.
func (s *suite) visits(n int, ended *bool) iter.Seq[visit] {
	return func(yield func(visit) bool) {
		defer func() { *ended = true }()
		for i := range n {
			if !yield(s.gate.visit(fmt.Sprint(i))) {
				return
			}
		}
	}
}

var orderCases = []testCase{
	{"map keeps the order", func(s *suite) {
		// As many as run at once in a loop, let go in reverse.
		n := s.width()
		var ended bool
		got := make(chan string)
		go func() {
			defer close(got)
			for out, err := range visiting.On(s.place).Map(s.context(), s.visits(n, &ended)) {
				if err != nil {
					s.Error(err)
				}
				got <- out
			}
		}()
		byName := map[string]*visitor{}
		for range n {
			v := s.gate.next()
			byName[v.name] = v
		}
		for i := n - 1; i >= 0; i-- {
			byName[fmt.Sprint(i)].release(fmt.Sprint(i))
		}
		i := 0
		for out := range got {
			if want := fmt.Sprint(i); out != want {
				s.Errorf("result %d is %q, want %q", i, out, want)
			}
			i++
		}
		if i != n || !ended {
			s.Errorf("%d results of %d, the sequence has ended: %v", i, n, ended)
		}
	}},
	{"unordered takes what comes", func(s *suite) {
		n := s.width()
		var ended bool
		came := make([]*visitor, n)
		got := make(chan int)
		go func() {
			defer close(got)
			for it := range visiting.On(s.place).Unordered(s.context(), s.visits(n, &ended)) {
				got <- it.Index
			}
		}()
		for i := range came {
			came[i] = s.gate.next()
		}
		for i := n - 1; i >= 0; i-- {
			came[i].release("")
			if index := <-got; fmt.Sprint(index) != came[i].name {
				s.Errorf("got item %d, want %s, the only one that is done", index, came[i].name)
			}
		}
		if _, more := <-got; more || !ended {
			s.Errorf("more than %d items, or the sequence has not ended: %v", n, ended)
		}
	}},
	{"leaving the loop", func(s *suite) {
		for _, how := range []string{"break", "panic", "goexit"} {
			s.gate = newGate(s.T) // who comes late to the last one is not taken for one of these
			var ended bool
			over := make(chan any)
			go func() {
				defer func() { over <- recover() }()
				for range visiting.On(s.place).Unordered(s.context(), s.visits(100, &ended)) {
					switch how {
					case "panic":
						panic("the body's")
					case "goexit":
						runtime.Goexit()
					}
					break
				}
			}()
			s.gate.next().release("")
			if v := <-over; (v == "the body's") != (how == "panic") {
				s.Errorf("%s: the loop's goroutine got the panic %v", how, v)
			}
			if !ended {
				s.Errorf("%s: the sequence has not ended with the loop", how)
			}
			s.gate.quiet()
		}
		s.alive()
	}},
	{"a sequence that panics", func(s *suite) {
		want := errors.New("the sequence's")
		got := func() (got any) {
			defer func() { got = recover() }()
			for range double.On(s.place).Map(s.context(), func(yield func(int) bool) {
				yield(1)
				panic(want)
			}) {
			}
			return nil
		}()
		if got != want {
			s.Errorf("the loop's goroutine got the panic %v, want the same value", got)
		}
		s.alive()
	}},
	{"ctx ends", func(s *suite) {
		ctx, cancel := context.WithCancelCause(s.context())
		defer cancel(nil)
		var c source
		items, last := 0, tandem.Item[int, int]{}
		for it := range double.On(s.place).Unordered(ctx, c.upTo(-1)) {
			items++
			if last = it; items == 10 {
				cancel(errCause)
			}
		}
		if last.Index != -1 || !errors.Is(last.Err, errCause) || last.Out != 0 || !c.ended.Load() {
			s.Errorf("the last of %d items is %+v; want index -1 and the cause", items, last)
		}
		causes := 0
		for out, err := range double.On(s.place).Map(ctx, c.upTo(-1)) {
			if causes++; out != 0 || !errors.Is(err, errCause) {
				s.Errorf("got %v, %v; want the cause", out, err)
			}
		}
		if causes != 1 {
			s.Errorf("a loop whose context has ended yields %d times, want once", causes)
		}
	}},
	{"ctx ends while all wait", func(s *suite) {
		ctx, cancel := context.WithCancelCause(s.context())
		defer cancel(nil)
		var ended bool
		texts := make(chan string, 1)
		go func() {
			var got []string
			for out, err := range visiting.On(s.place).Map(ctx, s.visits(100, &ended)) {
				got = append(got, fmt.Sprint(out, err))
			}
			texts <- strings.Join(got, "|")
		}()
		s.gate.next()
		cancel(errCause)
		if got := <-texts; !strings.HasSuffix(got, errCause.Error()) || strings.Contains(got, "canceled") || !ended {
			s.Errorf("got %q (sequence ended: %v), want the cause at the end", got, ended)
		}
		s.gate.quiet()
		s.alive()
	}},
}
