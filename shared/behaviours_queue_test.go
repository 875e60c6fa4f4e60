//go:build linux

package shared_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tandem-go/tandem/shared"
)

// beside begins f in a goroutine, and returns when it waits in the queue of c.
func beside(ctx context.Context, c cast, f func() error) (over <-chan error, err error) {
	done := make(chan error, 1)
	go func() { done <- f() }()
	for c.Line.Waiting() < 1 {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
	}
	return done, nil
}

// takes gets the items of these numbers.
func takes(ctx context.Context, c cast, numbers ...int) error {
	for _, n := range numbers {
		if w, err := c.Line.Get(ctx); err != nil || w.N != n {
			return fmt.Errorf("%d came, want %d, %w", w.N, n, err)
		}
	}
	return nil
}

func wares(from, to int) (list []ware) {
	for n := from; n <= to; n++ {
		list = append(list, ware{N: n})
	}
	return list
}

const manyWares = 1500 // more than are moved at a time

var (
	_ = move("put beside one who waits", func(ctx context.Context, c cast) (int, error) {
		if _, err := c.Line.PutAll(ctx, wares(1, 2)); err != nil {
			return 0, err
		}
		over, err := beside(ctx, c, func() error { return c.Line.Put(ctx, ware{N: 3}) })
		if err != nil {
			return 0, err
		}
		if w, ok, err := c.Line.TryGet(); !ok || w.N != 1 {
			return 0, fmt.Errorf("%d came, %v, %w", w.N, ok, err)
		}
		if ok, _ := c.Line.TryPut(ware{N: 9}); ok {
			return 0, errors.New("TryPut overtook")
		}
		got := make(chan error)
		begin := make(chan struct{})
		go func() { <-begin; got <- takes(ctx, c, 2, 3, 4) }()
		close(begin)
		return 0, errors.Join(c.Line.Put(ctx, ware{N: 4}), <-got, <-over)
	})
	_ = move("get beside one who waits", func(ctx context.Context, c cast) (int, error) {
		over, err := beside(ctx, c, func() error { return takes(ctx, c, 1) })
		if err != nil {
			return 0, err
		}
		if _, err := c.Line.PutAll(ctx, wares(1, 1)); err != nil {
			return 0, err
		}
		if w, ok, _ := c.Line.TryGet(); ok {
			return 0, fmt.Errorf("TryGet overtook, and has %d", w.N)
		}
		if err := <-over; err != nil {
			return 0, err
		}
		if over, err = beside(ctx, c, func() error { return takes(ctx, c, 1) }); err != nil {
			return 0, err
		}
		_, err = c.Line.PutAll(ctx, wares(1, 2))
		return 0, errors.Join(err, takes(ctx, c, 2), <-over)
	})
	_ = move("put many", func(ctx context.Context, c cast) (int, error) { return c.Line.PutAll(ctx, wares(1, manyWares)) })
	_ = move("get many", func(ctx context.Context, c cast) (n int, err error) {
		into := make([]ware, manyWares)
		for n < manyWares {
			k, err := c.Line.GetSome(ctx, into)
			if err != nil {
				return n, err
			}
			if k > manyWares/2 {
				return n, fmt.Errorf("%d came at once", k)
			}
			for _, w := range into[:k] {
				if n++; w.N != n {
					return n, fmt.Errorf("%d came as number %d", w.N, n)
				}
			}
		}
		return n, nil
	})
	_ = move("range over it", func(ctx context.Context, c cast) (n int, err error) {
		for w, err := range c.Line.All(ctx) {
			if err != nil {
				return n, err
			}
			n += w.N
		}
		return n, nil
	})
	_ = move("range over it in vain", func(ctx context.Context, c cast) (int, error) {
		return inVain(ctx, func(ctx context.Context) (err error) {
			for _, err = range c.Line.All(ctx) {
			}
			return err
		})
	})
	// Receives one of two from the channel, and leaves when the other is on its way.
	_ = move("receive one and leave", func(ctx context.Context, c cast) (int, error) {
		mine, cancel := context.WithCancel(ctx)
		ch := c.Line.Chan(mine)
		w := <-ch
		for c.Line.Len() > 0 && ctx.Err() == nil {
		}
		cancel()
		for range ch {
			return 0, errors.New("one more came")
		}
		for c.Line.Len() == 0 && ctx.Err() == nil { // it comes back
		}
		return w.N, nil
	})
)

// channelHas calls f when a channel of q has an item in its hands, which it puts back when
// it leaves.
func channelHas[T any](t *testing.T, q *shared.Queue[T], item T, f func(leave func())) {
	ctx, leave := context.WithCancel(soon(t))
	defer leave()
	q.Put(ctx, item)
	q.Chan(ctx)
	until(t, "it is in its hands", func() bool { return q.Len() == 0 })
	f(leave)
}

var queueBehaviours = []behaviour{
	{"Queue", "in a process nobody puts before one who waits for room", func(s *stage) {
		s.does(s.one, "put beside one who waits")
		s.does(s.other, "put beside one who waits")
	}},
	{"Queue", "in a process nobody gets before one who waits for an item", func(s *stage) {
		s.does(s.one, "get beside one who waits")
		s.does(s.other, "get beside one who waits")
	}},
	{"Queue", "many are put and taken at once, each once and in their order", func(s *stage) {
		for _, room := range []int{2, 2 * manyWares} {
			s.c.Line = newLine(s.T, room)
			puts := s.begins(s.one, "put many")
			s.is("got", s.does(s.other, "get many"), manyWares)
			s.is("put", s.ends(puts), manyWares)
			s.is("Len", s.c.Line.Len(), 0)
		}
		s.is("put before anybody gets", s.does(s.one, "put many"), manyWares)
		s.is("got", s.does(s.other, "get many"), manyWares)
	}},
	{"Queue", "range has what is there, and ends after CloseSend", func(s *stage) {
		s.c.N = 3
		s.does(s.one, "put", "put", "close send")
		s.is("sum", s.does(s.other, "range over it"), 6)
		s.is("sum", s.does(s.one, "range over it"), 0)
	}},
	{"Queue", "range says that its time ended", func(s *stage) {
		s.does(s.one, "range over it in vain")
		s.does(s.other, "range over it in vain")
	}},
	{"Queue", "what a channel has in its hands when its time ends comes back, in front of all", func(s *stage) {
		for s.c.N = 1; s.c.N <= 2; s.c.N++ {
			s.does(s.one, "put")
		}
		s.is("received", s.does(s.other, "receive one and leave"), 1)
		s.is("got", s.does(s.one, "get"), 2)
		s.does(s.one, "try get")
	}},
	{"Queue", "what a channel put back it has not taken", func(s *stage) {
		s.does(s.one, "put", "put")
		s.fails(s.begins(s.other, "receive one and leave", "task done", "task done"), "TaskDone without an item")
	}},
	{"Queue", "what a channel has in its hands waits for room, also of bytes", func(s *stage) {
		q := open[*shared.Queue[string]](s.T)(shared.NewQueueSize[string](4, 64))
		first, second := strings.Repeat("1", 40), strings.Repeat("2", 40)
		channelHas(s.T, q, first, func(leave func()) {
			q.Put(soon(s), second)
			leave()
			s.wait(q, 1)
		})
		for _, want := range []string{second, first} {
			if got, err := q.Get(soon(s)); got != want || err != nil {
				s.Errorf("%q came, want %q, %v", got, want, err)
			}
		}
	}},
	{"Queue", "Join goes on when everything was done, even if another Put follows at once", func(s *stage) {
		s.does(s.one, "put")
		waits := s.begins(s.other, "join")
		s.wait(s.c.Line, 1)
		s.does(s.one, "get", "task done", "put")
		s.ends(waits)
	}},
	{"Queue", "nobody reports done what another process has taken", func(s *stage) {
		if !s.apart {
			return
		}
		s.does(s.one, "put", "put")
		holder := s.begins(s.one, "get", "say so", "stay", "task done")
		s.ready()
		s.fails(s.begins(s.other, "task done"), "TaskDone without an item")
		s.c.Event.Set()
		s.ends(holder)
	}},
	{"Queue", "it holds as many as its capacity, however much room there is for more", func(s *stage) {
		q := open[*shared.Queue[ware]](s.T)(shared.NewQueue[ware](3))
		put := 0
		for ok, _ := q.TryPut(ware{}); ok && put < 10; put++ {
			ok, _ = q.TryPut(ware{})
		}
		s.is("put", put, q.Cap())
		ctx, cancel := context.WithCancel(background)
		cancel()
		n, err := q.PutAll(ctx, wares(1, 2))
		s.is("put into the full one", n, 0)
		if !errors.Is(err, context.Canceled) {
			s.Error(err)
		}
	}},
	{"Queue", "an item that would not even fit into an empty one is an error", func(s *stage) {
		q := open[*shared.Queue[string]](s.T)(shared.NewQueueSize[string](4, 64))
		if err := q.Put(soon(s), fmt.Sprint(make([]byte, 100))); err == nil {
			s.Error("it was put")
		}
		s.is("Len", q.Len(), 0)
		n, err := q.PutAll(soon(s), []string{"1", fmt.Sprint(make([]byte, 100)), "2"})
		if s.is("put before it", n, 1); err == nil {
			s.Error("all were put")
		}
		s.is("Len", q.Len(), 1)
	}},
}
