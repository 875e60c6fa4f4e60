package tandemtest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/tandem-go/tandem"
)

// odd fails for odd numbers.
var odd = tandem.NewTask("odd", func(_ context.Context, n int) (int, error) {
	if n%2 == 1 {
		return 0, fmt.Errorf("%d is odd: %w", n, errSentinel)
	}
	return n, nil
})

// source yields 0, 1, 2 … below n (n < 0: without end) and counts what was read
// and whether it has ended.
type source struct {
	read  atomic.Int64
	ended atomic.Bool
}

func (c *source) upTo(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		defer c.ended.Store(true)
		for i := 0; n < 0 || i < n; i++ {
			c.read.Add(1)
			if !yield(i) {
				return
			}
		}
	}
}

var loopCases = []testCase{
	{"all", func(s *suite) {
		in := make([]int, 100)
		for i := range in {
			in[i] = i
		}
		outs, err := double.On(s.place).All(s.context(), in)
		if err != nil || len(outs) != 100 {
			s.Fatalf("%d results, %v", len(outs), err)
		}
		for i, out := range outs {
			if out != 2*i {
				s.Fatalf("result %d is %d, want %d", i, out, 2*i)
			}
		}
		if outs, err := double.On(s.place).All(s.context(), nil); len(outs) != 0 || err != nil {
			s.Errorf("no inputs: %v, %v", outs, err)
		}
	}},
	{"all with failures", func(s *suite) {
		outs, err := odd.On(s.place).All(s.context(), []int{2, 3, 4, 5})
		if fmt.Sprint(outs) != "[2 0 4 0]" || !errors.Is(err, errSentinel) {
			s.Errorf("got %v, %v", outs, err)
		}
		if want := "input 1: 3 is odd: the suite's sentinel\ninput 3: 5 is odd: the suite's sentinel"; fmt.Sprint(err) != want {
			s.Errorf("got the error\n%v\nwant\n%v", err, want)
		}
		var item *tandem.ItemError
		if !errors.As(err, &item) || item.Index != 1 {
			s.Errorf("the first *ItemError is %+v, want index 1", item)
		}
	}},
	{"all, cancelled", func(s *suite) {
		outs, err := double.On(s.place).All(ended(), []int{1, 2, 3})
		if len(outs) != 3 || !errors.Is(err, errCause) || strings.Count(fmt.Sprint(err), "input ") != 3 {
			s.Errorf("got %v, %v; want three failures with the cause", outs, err)
		}
	}},
	{"map with failures", func(s *suite) {
		var got []string
		var c source
		for out, err := range odd.On(s.place).Map(s.context(), c.upTo(5)) {
			got = append(got, fmt.Sprint(out, err != nil))
		}
		if want := "0 false, 0 true, 2 false, 0 true, 4 false"; strings.Join(got, ", ") != want {
			s.Errorf("got %v, want %v: an error does not end the loop", got, want)
		}
	}},
	{"map with panics", func(s *suite) {
		// More of them than run at once: what a task does to its goroutine costs the place nothing.
		var hows, want, got []string
		for range 2*s.width() + 1 {
			hows = append(hows, "goexit", "panic", "four")
			want = append(want, "runtime.Goexit called", "at the disco", "4")
		}
		for out, err := range failing.On(s.place).Map(s.context(), slices.Values(hows)) {
			text := fmt.Sprint(out)
			var p *tandem.PanicError
			if errors.As(err, &p) {
				text = p.Value
			} else if err != nil {
				text = err.Error()
			}
			got = append(got, text)
		}
		if !slices.Equal(got, want) {
			s.Errorf("got %q, want %q", got, want)
		}
	}},
	{"unordered", func(s *suite) {
		seen := map[int]int{}
		var c source
		for it := range odd.On(s.place).Unordered(s.context(), c.upTo(100)) {
			seen[it.Index]++
			if it.In != it.Index || it.Err == nil && it.Out != it.In || (it.Err != nil) != (it.In%2 == 1) {
				s.Errorf("item %+v", it)
			}
		}
		if len(seen) != 100 || !c.ended.Load() {
			s.Errorf("%d different indices, the sequence has ended: %v", len(seen), c.ended.Load())
		}
	}},
	{"empty", func(s *suite) {
		var c source
		for out, err := range double.On(s.place).Map(s.context(), c.upTo(0)) {
			s.Errorf("map of nothing yields %v, %v", out, err)
		}
		for it := range double.On(s.place).Unordered(s.context(), c.upTo(0)) {
			s.Errorf("unordered of nothing yields %+v", it)
		}
	}},
	{"twice", func(s *suite) {
		var c source
		loop := double.On(s.place).Map(s.context(), c.upTo(3))
		for range 2 {
			sum := 0
			for out := range loop {
				sum += out
			}
			if sum != 6 {
				s.Errorf("sum %d, want 6: the loop runs as often as its sequence does", sum)
			}
		}
	}},
	{"lazy", func(s *suite) {
		for _, window := range []int{1, 3, 0} {
			ahead := int64(window)
			if window == 0 {
				ahead = tandem.MaxWindow
			}
			var c source
			yielded, n := int64(0), int64(100)
			if window == 0 {
				n = 2 * tandem.MaxWindow
			}
			for range double.On(s.place).Window(window).Map(s.context(), c.upTo(int(n))) {
				yielded++
				if read := c.read.Load(); read > yielded+ahead {
					s.Fatalf("window %d: %d inputs read when %d were yielded", ahead, read, yielded)
				}
			}
			if c.read.Load() != n || yielded != n {
				s.Errorf("window %d: read %d, yielded %d", ahead, c.read.Load(), yielded)
			}
		}
	}},
	{"an automatic window", func(s *suite) {
		// While no task has ended, no place can know that they are short.
		n := s.width()
		var read atomic.Int64
		over := make(chan int)
		go func() {
			count := 0
			for range visiting.On(s.place).Map(s.context(), func(yield func(visit) bool) {
				for i := range 4 * n {
					if read.Add(1); !yield(s.gate.visit(fmt.Sprint(i))) {
						return
					}
				}
			}) {
				count++
			}
			over <- count
		}()
		first := make([]*visitor, n)
		for i := range first {
			first[i] = s.gate.next()
		}
		if ahead := read.Load(); ahead > int64(2*n) {
			s.Errorf("%d inputs are read and none has an outcome, at a width of %d", ahead, n)
		}
		for _, v := range first {
			v.release("")
		}
		for range 3 * n {
			s.gate.next().release("")
		}
		if count := <-over; count != 4*n {
			s.Errorf("%d outcomes of %d", count, 4*n)
		}
	}},
	{"a slow sequence", func(s *suite) {
		// Each input is read when the one before it has come out: nothing holds it back.
		for _, window := range []int{1, 0} {
			came := make(chan bool, 1)
			came <- true
			outs := 0
			for out, err := range double.On(s.place).Window(window).Map(s.context(), func(yield func(int) bool) {
				for i := range 20 {
					select {
					case <-came:
					case <-s.context().Done():
						return
					}
					if !yield(i) {
						return
					}
				}
			}) {
				if out != 2*outs || err != nil {
					s.Fatalf("result %d is %d, %v", outs, out, err)
				}
				outs++
				came <- true
			}
			if outs != 20 {
				s.Errorf("window %d: %d results of 20", window, outs)
			}
		}
	}},
	{"a negative window", func(s *suite) {
		defer func() {
			if text := fmt.Sprint(recover()); !strings.Contains(text, "negative") {
				s.Errorf("panic %q, want one that says negative", text)
			}
		}()
		double.On(s.place).Window(-1)
	}},
}
