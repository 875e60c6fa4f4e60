package coroutine_test

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/coroutine"
)

var errBody = errors.New("body failed")

type yielder = coroutine.Yielder[int, int]

// running sums up what it is sent.
func running(y *yielder, v int) error {
	for sum := v; ; {
		sum += y.Yield(sum)
	}
}

func TestSendReachesBothSides(t *testing.T) {
	noLeak(t)
	c := coroutine.New(running)
	defer c.Stop()
	for _, step := range []struct{ send, want int }{{1, 1}, {2, 3}, {-5, -2}, {0, -2}} {
		if got, err := c.Send(step.send); got != step.want || err != nil {
			t.Errorf("Send(%d) = %d, %v, want %d", step.send, got, err, step.want)
		}
	}
}

func TestEndings(t *testing.T) {
	cases := []struct {
		name   string
		end    func() error
		is     error  // the outcome is this,
		panics string // or a PanicError of this
	}{
		{"returns nil", func() error { return nil }, coroutine.ErrDone, ""},
		{"returns an error", func() error { return errBody }, errBody, ""},
		{"panics", func() error { panic("lost") }, nil, "lost"},
		{"panics with an error", func() error { panic(errBody) }, errBody, errBody.Error()},
		{"panics with nil", func() error { panic(nil) }, nil, "panic called with nil argument"},
		{"Goexit", func() error { runtime.Goexit(); return nil }, nil, "runtime.Goexit called"},
	}
	for _, tc := range cases {
		for _, locked := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/locked=%v", tc.name, locked), func(t *testing.T) {
				noLeak(t)
				if locked {
					runtime.LockOSThread()
					defer runtime.UnlockOSThread()
				}
				deferred := false
				c := coroutine.New(func(y *yielder, _ int) error {
					defer func() { deferred = true }()
					y.Yield(1)
					return tc.end()
				})
				if v, err := c.Next(); v != 1 || err != nil {
					t.Fatalf("first Next = %d, %v", v, err)
				}
				if err := c.Err(); err != nil {
					t.Errorf("Err of a suspended coroutine = %v", err)
				}
				v, err := c.Next()
				if v != 0 || err == nil || !deferred {
					t.Fatalf("Next = %d, %v, deferred call ran: %v", v, err, deferred)
				}
				if tc.is != nil && !errors.Is(err, tc.is) {
					t.Errorf("got %v, want %v", err, tc.is)
				}
				if p, ok := errors.AsType[*tandem.PanicError](err); ok != (tc.panics != "") {
					t.Errorf("got %#v, want a PanicError: %v", err, tc.panics != "")
				} else if ok {
					if p.Value != tc.panics {
						t.Errorf("value %q, want %q", p.Value, tc.panics)
					}
					wantText(t, "stack", string(p.Stack), "coroutine_test.TestEndings")
				}
				if _, again := c.Send(7); again != err {
					t.Errorf("Send after the end = %v, want the same error again", again)
				}
				failed := err
				if failed == coroutine.ErrDone {
					failed = nil
				}
				if c.Err() != failed || c.Stop() != failed {
					t.Errorf("Err = %v, Stop = %v, want %v", c.Err(), c.Stop(), failed)
				}
			})
		}
	}
}

func TestAll(t *testing.T) {
	count := func(n int, end error, stopped *bool) *coroutine.Coroutine[int, int] {
		return coroutine.New(func(y *yielder, _ int) error {
			defer func() { *stopped = true }()
			for i := range n {
				y.Yield(i)
			}
			return end
		})
	}
	for _, tc := range []struct {
		name  string
		end   error
		leave int // after this many values; -1: never
		want  []int
		err   error
	}{
		{"to the end", nil, -1, []int{0, 1, 2}, nil},
		{"to an error", errBody, -1, []int{0, 1, 2}, errBody},
		{"left early", errBody, 2, []int{0, 1}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			noLeak(t)
			ended := false
			c := count(3, tc.end, &ended)
			var got []int
			var last error
			for v, err := range c.All() {
				if last = err; err == nil {
					got = append(got, v)
				}
				if len(got) == tc.leave {
					break
				}
			}
			if !slices.Equal(got, tc.want) || last != tc.err || c.Err() != tc.err || !ended {
				t.Errorf("got %v, %v, Err %v, ended %v; want %v, %v, ended", got, last, c.Err(), ended, tc.want, tc.err)
			}
		})
	}
	t.Run("the loop panics", func(t *testing.T) {
		noLeak(t)
		ended := false
		got := panicOf(func() {
			for range count(3, nil, &ended).All() {
				panic("mine")
			}
		})
		if got != "mine" || !ended {
			t.Errorf("panic %q, ended %v", got, ended)
		}
	})
}

func TestMisuse(t *testing.T) {
	t.Run("resumed by itself", func(t *testing.T) {
		noLeak(t)
		var c *coroutine.Coroutine[int, int]
		c = coroutine.New(func(y *yielder, _ int) error { _, err := c.Next(); return err })
		_, err := c.Next()
		wantText(t, "Next", fmt.Sprint(err), "resumed while it runs")
	})
	t.Run("stopped by itself", func(t *testing.T) {
		noLeak(t)
		var c *coroutine.Coroutine[int, int]
		c = coroutine.New(func(y *yielder, _ int) error { return c.Stop() })
		_, err := c.Next()
		wantText(t, "Next", fmt.Sprint(err), "resumed while it runs")
	})
	t.Run("resumed by two", func(t *testing.T) {
		noLeak(t)
		inside, leave := make(chan int), make(chan int)
		c := coroutine.New(func(y *yielder, _ int) error { inside <- 1; <-leave; return nil })
		first := make(chan error)
		go func() { _, err := c.Next(); first <- err }()
		<-inside
		wantText(t, "second Next", panicOf(func() { c.Next() }), "resumed while it runs")
		close(leave)
		if err := <-first; err != coroutine.ErrDone {
			t.Errorf("first Next = %v, want ErrDone: the second must not disturb it", err)
		}
	})
	t.Run("handed to another goroutine", func(t *testing.T) {
		noLeak(t)
		c := coroutine.New(running)
		c.Send(1)
		got := make(chan int)
		go func() { v, _ := c.Send(2); got <- v }()
		if v := <-got; v != 3 {
			t.Errorf("got %d, want 3", v)
		}
		c.Stop()
	})
	t.Run("a yielder kept too long", func(t *testing.T) {
		noLeak(t)
		var kept *yielder
		c := coroutine.New(func(y *yielder, _ int) error { kept = y; return nil })
		c.Next()
		wantText(t, "Yield", panicOf(func() { kept.Yield(1) }), "outside of a running body")
	})
	t.Run("zero value", func(t *testing.T) {
		var c coroutine.Coroutine[int, int]
		wantText(t, "Next", panicOf(func() { c.Next() }), "not made by New")
	})
	t.Run("nil body", func(t *testing.T) {
		wantText(t, "New", panicOf(func() { coroutine.New[int, int](nil) }), "nil function")
	})
}
