package coroutine_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/coroutine"
)

var errTimeout = tandem.ErrTimeout

// A future is the smallest tandem.Waiter.
type future struct {
	done chan struct{}
	err  error
}

func newFuture() *future                   { return &future{done: make(chan struct{})} }
func (f *future) Done() <-chan struct{}    { return f.done }
func (f *future) settle(err error) *future { f.err = err; close(f.done); return f }

func (f *future) Err() error {
	select {
	case <-f.done:
		return f.err
	default:
		return nil
	}
}

func TestAwait(t *testing.T) {
	noLeak(t)
	run(t, func(ctx context.Context) error {
		for _, err := range []error{nil, errBody} {
			if got := coroutine.Await(ctx, newFuture().settle(err)); got != err {
				t.Errorf("settled before: %v, want %v", got, err)
			}
			f := newFuture()
			go f.settle(err)
			if got := coroutine.Await(ctx, f); got != err {
				t.Errorf("settled meanwhile: %v, want %v", got, err)
			}
		}
		wantText(t, "nil", panicOf(func() { coroutine.Await(ctx, nil) }), "nil Waiter")
		return nil
	})
}

var double = tandem.NewTask("double", func(_ context.Context, n int) (int, error) {
	if n < 0 {
		return 0, fs.ErrNotExist
	}
	return 2 * n, nil
})

// The futures of tasks that run elsewhere are Waiters.
func TestAwaitFuture(t *testing.T) {
	noLeak(t)
	run(t, func(ctx context.Context) error {
		place := double.On(tandem.Goroutines(2))
		good, bad := place.Go(ctx, 21), place.Go(ctx, -1)
		if err := coroutine.Await(ctx, bad); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("bad one: %v, want %v", err, fs.ErrNotExist)
		}
		if err := coroutine.Await(ctx, good); err != nil {
			t.Errorf("good one: %v", err)
		}
		if n, err := good.Wait(ctx); n != 42 || err != nil {
			t.Errorf("good one gave %d, %v", n, err)
		}
		return nil
	})
}

// While one waits for the world outside, the others run.
func TestOthersRunDuringAWait(t *testing.T) {
	noLeak(t)
	run(t, func(ctx context.Context) error {
		release := make(chan int)
		turns := 0
		other := coroutine.Go(ctx, "", func(ctx context.Context) (none, error) {
			for ; turns < 10; turns++ {
				coroutine.Yield(ctx)
			}
			close(release)
			return none{}, nil
		})
		_, err := coroutine.Blocking(ctx, func() (none, error) { <-release; return none{}, nil })
		if turns != 10 {
			t.Errorf("%d turns during the wait, want 10", turns)
		}
		return errors.Join(err, coroutine.Await(ctx, other))
	})
}

func TestAwaitChan(t *testing.T) {
	noLeak(t)
	run(t, func(ctx context.Context) error {
		full := make(chan int, 1)
		full <- 7
		later := make(chan int)
		go func() { later <- 8; close(later) }()
		for _, tc := range []struct {
			name string
			c    chan int
			v    int
			ok   bool
		}{{"full", full, 7, true}, {"later", later, 8, true}, {"closed", later, 0, false}, {"closed again", later, 0, false}} {
			if v, ok, err := coroutine.AwaitChan(ctx, tc.c); v != tc.v || ok != tc.ok || err != nil {
				t.Errorf("%s: %d, %v, %v; want %d, %v", tc.name, v, ok, err, tc.v, tc.ok)
			}
		}
		return nil
	})
}

// A channel that always has something does not keep the loop.
func TestAwaitChanIsFair(t *testing.T) {
	noLeak(t)
	var order []string
	run(t, func(ctx context.Context) error {
		c := make(chan int, 3)
		for i := range cap(c) {
			c <- i
		}
		coroutine.Go(ctx, "", func(ctx context.Context) (none, error) {
			for range 3 {
				order = append(order, "other")
				coroutine.Yield(ctx)
			}
			return none{}, nil
		})
		for range 3 {
			coroutine.AwaitChan(ctx, c)
			order = append(order, "reader")
		}
		return nil
	})
	if want := []string{"other", "reader", "other", "reader", "other", "reader"}; !slices.Equal(order, want) {
		t.Errorf("order %q, want %q", order, want)
	}
}

// A receive that is cancelled takes nothing: every value sent arrives, either
// at the one whose wait was cancelled too late or at the next. On one processor
// it also shows that a loop busy with helpers lets other goroutines run.
func TestCancelledReceiveLosesNothing(t *testing.T) {
	for _, procs := range []int{1, 4} {
		t.Run(fmt.Sprint("procs=", procs), func(t *testing.T) {
			noLeak(t)
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			const n = 300
			var got []int
			run(t, func(ctx context.Context) error {
				c := make(chan int)
				go func() {
					for i := range n {
						c <- i
					}
					close(c)
				}()
				for open := true; open; {
					task := coroutine.Go(ctx, "", func(ctx context.Context) (bool, error) {
						v, ok, err := coroutine.AwaitChan(ctx, c)
						if err == nil && ok {
							got = append(got, v)
						}
						return ok || err != nil, nil
					})
					coroutine.Yield(ctx)
					task.Cancel()
					open, _ = task.Wait(ctx)
				}
				return nil
			})
			if len(got) != n || !slices.IsSorted(got) {
				t.Errorf("got %d values, want %d in order: %v", len(got), n, got)
			}
		})
	}
}

func TestBlockingEndings(t *testing.T) {
	noLeak(t)
	run(t, func(ctx context.Context) error {
		for _, tc := range []struct {
			name string
			f    func() (int, error)
			want string
		}{
			{"value", func() (int, error) { return 7, nil }, "7 <nil>"},
			{"error", func() (int, error) { return 0, errBody }, "0 body failed"},
			{"panic", func() (int, error) { panic("lost") }, "0 tandem: task panicked: lost"},
			{"Goexit", func() (int, error) { runtime.Goexit(); return 1, nil }, "0 tandem: task panicked: runtime.Goexit called"},
		} {
			v, err := coroutine.Blocking(ctx, tc.f)
			if got := fmt.Sprint(v, " ", err); got != tc.want {
				t.Errorf("%s: got %s, want %s", tc.name, got, tc.want)
			}
		}
		return nil
	})
}

// A blocking call whose wait was cancelled runs on. Run waits for it, and does
// not lose its panic.
func TestBlockingLeft(t *testing.T) {
	for _, fails := range []bool{false, true} {
		t.Run(fmt.Sprint("panics=", fails), func(t *testing.T) {
			err := bubble(t, time.Minute, func(ctx context.Context) error {
				caller := coroutine.Go(ctx, "caller", func(ctx context.Context) (int, error) {
					return coroutine.Blocking(ctx, func() (int, error) {
						time.Sleep(time.Minute)
						if fails {
							panic("late")
						}
						return 7, nil
					})
				})
				coroutine.Sleep(ctx, time.Second)
				begin := time.Now()
				caller.Cancel()
				if v, err := caller.Wait(ctx); v != 0 || err != context.Canceled || time.Since(begin) != 0 {
					t.Errorf("caller ended with %d, %v after %v; want context.Canceled at once", v, err, time.Since(begin))
				}
				return nil
			})
			if fails {
				wantText(t, "Run", fmt.Sprint(err), "a blocking call that coroutine caller had left: tandem: task panicked: late")
			} else if err != nil {
				t.Errorf("Run = %v", err)
			}
		})
	}
}

// A Coroutine can be used inside a Loop, by all its coroutines.
func TestCoroutineInALoop(t *testing.T) {
	noLeak(t)
	run(t, func(ctx context.Context) error {
		sum := coroutine.New(running)
		defer sum.Stop()
		got, err := coroutine.Gather(ctx,
			func(ctx context.Context) (int, error) { return sum.Send(1) },
			func(ctx context.Context) (int, error) { return sum.Send(2) })
		if !slices.Equal(got, []int{1, 3}) {
			t.Errorf("got %v, want [1 3]", got)
		}
		return err
	})
}
