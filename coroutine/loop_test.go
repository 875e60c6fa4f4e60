package coroutine_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandem-go/tandem/coroutine"
)

type none = struct{}

func TestTurnsAreFairAndAlone(t *testing.T) {
	noLeak(t)
	var order []int // neither has a lock: the race detector would object
	inside, most := 0, 0
	run(t, func(ctx context.Context) error {
		for i := range 3 {
			coroutine.Go(ctx, "", func(ctx context.Context) (none, error) {
				for range 4 {
					inside++
					most = max(most, inside)
					order = append(order, i)
					inside--
					coroutine.Yield(ctx)
				}
				return none{}, nil
			})
		}
		for range 6 {
			coroutine.Yield(ctx)
		}
		return nil
	})
	if want := []int{0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2}; !slices.Equal(order, want) {
		t.Errorf("turns %v, want %v", order, want)
	}
	if most != 1 {
		t.Errorf("%d inside at once, want 1", most)
	}
}

func TestThousands(t *testing.T) {
	noLeak(t)
	const n = 5000
	sum := 0
	run(t, func(ctx context.Context) error {
		tasks := make([]*coroutine.Task[int], n)
		for i := range tasks {
			tasks[i] = coroutine.Go(ctx, "", func(ctx context.Context) (int, error) {
				return i, coroutine.Yield(ctx)
			})
		}
		for _, task := range tasks {
			v, err := task.Wait(ctx)
			if err != nil {
				return err
			}
			sum += v
		}
		return nil
	})
	if sum != n*(n-1)/2 {
		t.Errorf("sum %d, want %d", sum, n*(n-1)/2)
	}
}

// When main returns, the others are cancelled and awaited: their clean-up is
// done, also where it waits, when Run returns.
func TestMainReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log []string
		begin := time.Now()
		run(t, func(ctx context.Context) error {
			for _, name := range []string{"a", "b"} {
				coroutine.Go(ctx, name, func(ctx context.Context) (none, error) {
					err := coroutine.Sleep(ctx, time.Hour)
					log = append(log, name+" cancelled")
					if !errors.Is(err, context.Canceled) {
						t.Errorf("Sleep = %v, want context.Canceled", err)
					}
					if err := coroutine.Sleep(context.WithoutCancel(ctx), time.Second); err != nil {
						t.Errorf("shielded Sleep = %v", err)
					}
					log = append(log, name+" cleaned up")
					late := coroutine.Go(context.WithoutCancel(ctx), "late", func(context.Context) (none, error) {
						t.Error("a coroutine started after main has returned must not begin")
						return none{}, nil
					})
					if _, lateErr := late.Wait(context.WithoutCancel(ctx)); lateErr != err {
						t.Errorf("late one ended with %v, want %v", lateErr, err)
					}
					return none{}, err
				})
			}
			return coroutine.Yield(ctx)
		})
		want := []string{"a cancelled", "b cancelled", "a cleaned up", "b cleaned up"}
		if !slices.Equal(log, want) {
			t.Errorf("got %q, want %q", log, want)
		}
		if took := time.Since(begin); took != time.Second {
			t.Errorf("took %v, want the second of the clean-up", took)
		}
	})
}

// A Task can be used from outside: Done, Err, Cancel, and Wait once it has
// settled, after the loop as well; and from another loop at any time.
func TestTaskFromOutside(t *testing.T) {
	noLeak(t)
	tasks := make(chan *coroutine.Task[int])
	first := make(chan error)
	begun := make(chan struct{}) // a task that is cancelled before never runs
	go func() {
		first <- coroutine.Run(t.Context(), func(ctx context.Context) error {
			forever := coroutine.Go(ctx, "forever", func(ctx context.Context) (int, error) {
				close(begun)
				_, _, err := coroutine.AwaitChan(ctx, make(chan int))
				return 7, err
			})
			tasks <- forever
			return coroutine.Await(context.WithoutCancel(ctx), forever)
		})
	}()
	task := <-tasks
	<-begun
	wantText(t, "Wait before the end", panicOf(func() { task.Wait(t.Context()) }), "outside of a loop")
	run(t, func(ctx context.Context) error {
		both, err := coroutine.Gather(ctx,
			func(ctx context.Context) (int, error) { v, _ := task.Wait(ctx); return v, nil },
			func(ctx context.Context) (int, error) { task.Cancel(); return 1, nil })
		if !slices.Equal(both, []int{7, 1}) {
			t.Errorf("got %v, want [7 1]", both)
		}
		return err
	})
	<-task.Done()
	if v, err := task.Wait(t.Context()); v != 7 || err != context.Canceled || task.Err() != err {
		t.Errorf("Wait = %d, %v, Err %v; want 7, context.Canceled", v, err, task.Err())
	}
	if err := <-first; err != context.Canceled {
		t.Errorf("Run = %v, want context.Canceled from main's Await", err)
	}
	task.Cancel() // does nothing any more
}

func TestNames(t *testing.T) {
	noLeak(t)
	run(t, func(ctx context.Context) error {
		a := coroutine.Go(ctx, "", namedFunction)
		b := coroutine.Go(ctx, "own", namedFunction)
		if a.Name() != "Coroutine-1 (namedFunction)" || b.Name() != "own" {
			t.Errorf("names %q, %q", a.Name(), b.Name())
		}
		return nil
	})
}

func namedFunction(context.Context) (none, error) { return none{}, nil }

// A loop that waits does nothing: it takes turns only when something happened.
func TestIdleLoopDoesNotPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var loop coroutine.Loop
		err := loop.Run(t.Context(), func(ctx context.Context) error {
			if live := loop.Stats().Live; live != 1 {
				t.Errorf("%d coroutines live, want main", live)
			}
			return coroutine.Sleep(ctx, 24*time.Hour)
		})
		if s := loop.Stats(); err != nil || s.Turns != 2 || s.Live != 0 || s.Slow != 0 {
			t.Errorf("%v, %+v; want 2 turns, nothing live", err, s)
		}
	})
}
