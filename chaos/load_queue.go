//go:build linux

package main

import (
	"context"
	"errors"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/shared"
)

var together = tandem.NewTask("together", doTogether)

// counting is what tasks share.
type counting struct {
	Number int
	Count  *shared.Value[int]
	Done   *shared.Queue[int]
}

func doTogether(ctx context.Context, in counting) (int, error) {
	defer in.Count.Close()
	defer in.Done.Close()
	for {
		err := in.Count.Update(ctx, func(n *int) error { *n++; return nil })
		if died := (*shared.OwnerDiedError)(nil); errors.As(err, &died) {
			err = in.Count.Repair(ctx, func(*int, *shared.OwnerDiedError) error { return nil })
			if err == nil {
				continue
			}
		}
		if err != nil {
			return 0, err
		}
		return answerTo(in.Number), in.Done.Put(ctx, in.Number)
	}
}

// counted: who succeeded has been counted, and its item is in the queue once.
func (l *load) counted() {
	const calls = 50
	first := firstNumber()
	total, err := shared.NewValue(0)
	if err != nil {
		l.judge.violated("shared value: %v", err)
		return
	}
	defer total.Close()
	done, err := shared.NewQueue[int](2 * calls)
	if err != nil {
		l.judge.violated("shared queue: %v", err)
		return
	}
	defer done.Close()
	futures := make([]*tandem.Future[int], calls)
	for n := range futures {
		futures[n] = together.On(l.pool).Go(context.Background(), counting{first + n, total, done})
	}
	succeeded := map[int]bool{}
	for n, f := range futures {
		got, err := f.Wait(context.Background())
		l.answer("shared", first+n, got, err)
		if err == nil {
			succeeded[n] = true
		}
	}
	seen := map[int]bool{}
	for done.Len() > 0 {
		n, err := done.Get(context.Background())
		n -= first
		if err != nil || seen[n] || n < 0 || n >= calls {
			l.judge.violated("an item of the queue: %d, %v; seen before: %v", n, err, seen[n])
			return
		}
		seen[n] = true
		delete(succeeded, n)
	}
	if len(succeeded) > 0 {
		l.judge.violated("%d items are not in the queue though their Put succeeded", len(succeeded))
	}
	var counted int
	err = total.Repair(context.Background(), func(*int, *shared.OwnerDiedError) error { return nil })
	if err == nil {
		counted, err = total.Load(context.Background())
	}
	if err != nil || counted < len(seen) || counted > calls {
		l.judge.violated("%d calls counted, %v; want %d to %d", counted, err, len(seen), calls)
	}
}

// passing is a task that gives one item to a queue which is often full.
var passing = tandem.NewTask("passing", func(ctx context.Context, in passage) (int, error) {
	defer in.Queue.Close()
	return answerTo(in.Number), in.Queue.Put(ctx, in.Number)
})

type passage struct {
	Number int
	Queue  *shared.Queue[int]
}

// queued: items that workers put are got here meanwhile, each once.
func (l *load) queued() {
	const calls = 100
	first := firstNumber()
	queue, err := shared.NewQueue[int](4)
	if err != nil {
		l.judge.violated("queue: %v", err)
		return
	}
	defer queue.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	futures := make([]*tandem.Future[int], calls)
	for n := range futures {
		futures[n] = passing.On(l.pool).Go(context.Background(), passage{first + n, queue})
	}
	var items []int
	all := make(chan error)
	go func() {
		for {
			item, err := queue.Get(ctx)
			if err != nil {
				all <- err
				return
			}
			items = append(items, item)
		}
	}()
	missing := map[int]bool{}
	for n, f := range futures {
		got, err := f.Wait(context.Background())
		l.answer("queue", first+n, got, err)
		if err == nil {
			missing[n] = true
		}
	}
	cancel()
	if err := <-all; !errors.Is(err, context.Canceled) {
		l.judge.violated("Get: %v", err)
	}
	for {
		item, ok, err := queue.TryGet()
		if err != nil {
			l.judge.violated("TryGet: %v", err)
		}
		if !ok || err != nil {
			break
		}
		items = append(items, item)
	}
	seen := map[int]bool{}
	for _, item := range items {
		n := item - first
		if n < 0 || n >= calls || seen[n] {
			l.judge.violated("item %d came out of the queue; before: %v", n, seen[n])
			return
		}
		seen[n] = true
		delete(missing, n)
	}
	if len(missing) > 0 {
		l.judge.violated("%d items did not come out of the queue though their Put succeeded", len(missing))
	}
}
