//go:build linux

package shared_test

import (
	"context"
	"io"

	"github.com/tandem-go/tandem/shared"
)

var (
	_ = move("put", func(ctx context.Context, c cast) (int, error) { return 0, c.Line.Put(ctx, ware{N: c.N}) })
	_ = move("try put", func(ctx context.Context, c cast) (int, error) {
		ok, err := c.Line.TryPut(ware{N: c.N})
		return yes(ok), err
	})
	_ = move("put in vain", func(ctx context.Context, c cast) (int, error) {
		return inVain(ctx, func(ctx context.Context) error { return c.Line.Put(ctx, ware{}) })
	})
	_ = move("get", func(ctx context.Context, c cast) (int, error) {
		w, err := c.Line.Get(ctx)
		return w.N, err
	})
	_ = move("try get", func(ctx context.Context, c cast) (int, error) {
		_, ok, err := c.Line.TryGet()
		return yes(ok), err
	})
	_ = move("get in vain", func(ctx context.Context, c cast) (int, error) {
		return inVain(ctx, func(ctx context.Context) error { _, err := c.Line.Get(ctx); return err })
	})
	_ = move("length", func(ctx context.Context, c cast) (int, error) { return c.Line.Len(), nil })
	_ = move("task done", func(ctx context.Context, c cast) (int, error) { return 0, c.Line.TaskDone() })
	_ = move("join", func(ctx context.Context, c cast) (int, error) { return 0, c.Line.Join(ctx) })
	_ = move("join in vain", func(ctx context.Context, c cast) (int, error) { return inVain(ctx, c.Line.Join) })
	_ = move("close send", func(ctx context.Context, c cast) (int, error) { return 0, c.Line.CloseSend() })

	_ = move("increase", func(ctx context.Context, c cast) (int, error) {
		return 0, c.Tally.Update(ctx, func(y *tally) error { y.Total += c.N; return nil })
	})
	_ = move("increase and fail", func(ctx context.Context, c cast) (int, error) {
		return 0, c.Tally.Update(ctx, func(y *tally) error { y.Total += c.N; return context.Canceled })
	})
	_ = move("total", func(ctx context.Context, c cast) (int, error) {
		y, err := c.Tally.Load(ctx)
		return y.Total, err
	})
	_ = move("fill", func(ctx context.Context, c cast) (int, error) {
		return 0, c.Slice.Update(ctx, func(p []int64) error {
			for i := range p {
				p[i] += int64(c.N)
			}
			return nil
		})
	})
	_ = move("sum", func(ctx context.Context, c cast) (sum int, err error) {
		err = c.Slice.Update(ctx, func(p []int64) error {
			for _, x := range p {
				sum += int(x)
			}
			return nil
		})
		return sum, err
	})
	_ = move("size", func(ctx context.Context, c cast) (int, error) { return c.Slice.Len(), nil })
	_ = move("write beyond", func(ctx context.Context, c cast) (int, error) {
		return c.Data.WriteAt([]byte("12"), int64(c.Data.Len())-1)
	})
)

var itemBehaviours = []behaviour{
	{"Queue", "what one puts another gets, in its order", func(s *stage) {
		for s.c.N = 1; s.c.N <= 2; s.c.N++ {
			s.does(s.one, "put")
		}
		s.is("first", s.does(s.other, "get"), 1)
		s.is("second", s.does(s.other, "get"), 2)
	}},
	{"Queue", "what was put is there at once, for all", func(s *stage) {
		s.is("Len", s.does(s.one, "put", "length"), 1)
		s.is("Len", s.does(s.other, "length"), 1)
		s.is("TryGet", s.does(s.other, "try get"), 1)
	}},
	{"Queue", "an empty one has nothing for TryGet, and Get waits until its time ends", func(s *stage) {
		s.does(s.one, "put", "get")
		s.is("TryGet", s.does(s.other, "get in vain", "try get"), 0)
	}},
	{"Queue", "a full one has no room for TryPut, and Put waits until its time ends", func(s *stage) {
		s.does(s.one, "put", "put")
		s.is("TryPut", s.does(s.other, "put in vain", "try put"), 0)
		s.is("Len", s.does(s.one, "length"), 2)
	}},
	{"Queue", "who waits for an item gets the one that comes", func(s *stage) {
		waits := s.begins(s.other, "get")
		s.wait(s.c.Line, 1)
		s.c.N = 7
		s.does(s.one, "put")
		s.is("came", s.ends(waits), 7)
	}},
	{"Queue", "who waits for room puts when there is some", func(s *stage) {
		s.does(s.one, "put", "put")
		s.c.N = 7
		waits := s.begins(s.other, "put")
		s.wait(s.c.Line, 1)
		s.does(s.one, "get")
		s.ends(waits)
		s.is("the last", s.does(s.one, "get", "get"), 7)
	}},
	{"Queue", "Join waits until everything that was taken is done", func(s *stage) {
		s.does(s.one, "put", "put", "join in vain")
		waits := s.begins(s.one, "join")
		s.does(s.other, "get", "task done", "get", "task done")
		s.ends(waits)
	}},
	{"Queue", "Join of a queue that had nothing returns at once", func(s *stage) {
		s.does(s.one, "join")
		s.does(s.other, "join")
	}},
	{"Queue", "one TaskDone too many is an error", func(s *stage) {
		s.does(s.one, "put")
		s.fails(s.begins(s.other, "get", "task done", "task done"), "tandem: shared.Queue: ")
		s.does(s.one, "join")
	}},
	{"Queue", "after CloseSend nobody puts, and what is there is still got, as from a channel", func(s *stage) {
		s.c.N = 7
		s.does(s.one, "put", "close send")
		s.fails(s.begins(s.other, "put"), shared.ErrSendClosed)
		s.is("Get", s.does(s.other, "get"), 7)
		s.fails(s.begins(s.other, "get"), io.EOF)
		s.fails(s.begins(s.one, "get"), io.EOF)
	}},
	{"Queue", "CloseSend wakes who waits for an item", func(s *stage) {
		waits := s.begins(s.other, "get")
		s.wait(s.c.Line, 1)
		s.does(s.one, "close send")
		s.fails(waits, io.EOF)
	}},
	{"Value", "what one changes another sees", func(s *stage) {
		s.c.N = 5
		s.does(s.one, "increase")
		s.is("Total", s.does(s.other, "increase", "total"), 10)
	}},
	{"Value", "an Update that fails changes nothing", func(s *stage) {
		s.c.N = 5
		s.does(s.one, "increase")
		s.fails(s.begins(s.other, "increase and fail"), context.Canceled)
		s.is("Total", s.does(s.one, "total"), 5)
	}},
	{"Slice", "it has the length that it was made with, and begins as zeros", func(s *stage) {
		s.is("Len", s.does(s.one, "size")+s.does(s.other, "size"), 8)
		s.is("sum", s.does(s.one, "sum")+s.does(s.other, "sum"), 0)
	}},
	{"Slice", "what one changes another sees", func(s *stage) {
		s.c.N = 3
		s.does(s.one, "fill")
		s.is("sum", s.does(s.other, "fill", "sum"), 24)
	}},
	{"Buffer", "it does not grow: what has no room is not written", func(s *stage) {
		s.fails(s.begins(s.one, "write beyond"), io.ErrShortWrite)
		s.fails(s.begins(s.other, "write beyond"), io.ErrShortWrite)
	}},
}
