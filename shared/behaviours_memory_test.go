//go:build linux

package shared_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/shared"
)

var (
	_ = move("write", func(ctx context.Context, c cast) (int, error) {
		return c.Data.WriteAt([]byte{byte(c.N), 0, byte(c.N)}, 4)
	})
	_ = move("read", func(ctx context.Context, c cast) (int, error) {
		p := make([]byte, 3)
		if n, err := c.Data.ReadAt(p, 4); n != 3 || err != nil || p[1] != 0 || p[0] != p[2] {
			return 0, fmt.Errorf("%d bytes, %v, %w", n, p, err)
		}
		return int(p[0]), nil
	})
	_ = move("read beyond", func(ctx context.Context, c cast) (int, error) {
		p := []byte{9, 9, 9}
		n, err := c.Data.ReadAt(p, int64(c.Data.Len())-2)
		if n != 2 || p[0] != 0 || p[1] != 0 || p[2] != 9 {
			return 0, fmt.Errorf("%d bytes, %v", n, p)
		}
		return n, err
	})
	_ = move("write before", func(ctx context.Context, c cast) (int, error) { return c.Data.WriteAt([]byte("1"), -1) })
	_ = move("view the last byte", func(ctx context.Context, c cast) (last int, err error) {
		return last, c.Data.View(func(p []byte) error { p[len(p)-1]++; last = int(p[len(p)-1]); return nil })
	})

	_ = move("stay in the Update of a Slice", func(ctx context.Context, c cast) (int, error) {
		return 0, c.Slice.Update(ctx, func(p []int64) error { p[0] = 5; return stayed(ctx, c) })
	})
	_ = move("stay in Update", func(ctx context.Context, c cast) (int, error) {
		return 0, c.Tally.Update(ctx, func(y *tally) error { y.Total = 5; return stayed(ctx, c) })
	})
	_ = move("fill in vain", func(ctx context.Context, c cast) (int, error) {
		return inVain(ctx, func(ctx context.Context) error { return c.Slice.Update(ctx, func([]int64) error { return nil }) })
	})
	_ = move("increase in vain", func(ctx context.Context, c cast) (int, error) {
		return inVain(ctx, func(ctx context.Context) error { return c.Tally.Update(ctx, func(*tally) error { return nil }) })
	})
	_ = move("total in vain", func(ctx context.Context, c cast) (int, error) {
		return inVain(ctx, func(ctx context.Context) error { _, err := c.Tally.Load(ctx); return err })
	})
	_ = move("store in vain", func(ctx context.Context, c cast) (int, error) {
		return inVain(ctx, func(ctx context.Context) error { return c.Tally.Store(ctx, tally{}) })
	})
	_ = move("look at the first", func(ctx context.Context, c cast) (first int, err error) {
		return first, c.Slice.View(func(p []int64) error { first = int(p[0]); return nil })
	})
	_ = move("wait in Update, and close it", func(ctx context.Context, c cast) (int, error) {
		before, waiting := c.Slice.Pins(), make(chan error)
		go func() { waiting <- c.Slice.Update(ctx, func([]int64) error { return nil }) }()
		for c.Slice.Pins() == before && ctx.Err() == nil {
		}
		return 0, errors.Join(c.Slice.Close(), <-waiting)
	})
	_ = move("keep elements beyond the close", func(ctx context.Context, c cast) (int, error) {
		s, err := shared.NewSliceOf([]int64{1, 2, 3, 4})
		if err != nil {
			return 0, err
		}
		p, err := s.Slice()
		if err != nil {
			return 0, err
		}
		s.Close()
		p[3] = 5
		if !slices.Equal(p, []int64{1, 2, 3, 5}) {
			return 0, fmt.Errorf("the elements are %d", p)
		}
		s.Unpin()
		_, err = s.Slice()
		return 0, err
	})
)

// stayed says that one is inside, and stays.
func stayed(ctx context.Context, c cast) error {
	c.Ready.Set()
	return c.Event.Wait(ctx)
}

var memoryBehaviours = []behaviour{
	{"Value", "it begins as what it was made of", func(s *stage) {
		s.c.Tally = open[*shared.Value[tally]](s.T)(shared.NewValue(tally{Most: 3, Total: 4}))
		s.is("Total", s.does(s.one, "total"), 4)
		s.is("Total", s.does(s.other, "total"), 4)
	}},
	{"Value", "while one changes it nobody gets at it, nor sees what is not whole", func(s *stage) {
		inside := s.begins(s.one, "stay in Update")
		s.ready()
		s.does(s.other, "total in vain", "store in vain", "increase in vain")
		s.c.Event.Set()
		s.ends(inside)
		s.is("Total", s.does(s.other, "total"), 5)
	}},
	{"Value", "an Update keeps nothing of what it did before it failed", func(s *stage) {
		s.c.N = 3
		s.fails(s.begins(s.one, "increase and fail"), context.Canceled)
		s.is("Total", s.does(s.one, "total")+s.does(s.other, "total"), 0)
	}},
	{"Slice", "while one is in Update another waits, and View does not", func(s *stage) {
		inside := s.begins(s.one, "stay in the Update of a Slice")
		s.ready()
		s.is("seen without the lock", s.does(s.other, "fill in vain", "look at the first"), 5)
		s.c.Event.Set()
		s.ends(inside)
		s.does(s.other, "fill")
	}},
	{"Slice", "who waits in one that is closed learns it, and who is inside stays", func(s *stage) {
		inside := s.begins(s.one, "stay in the Update of a Slice")
		s.ready()
		s.fails(s.begins(s.other, "wait in Update, and close it"), tandem.ErrClosed)
		s.c.Event.Set()
		s.ends(inside)
	}},
	{"Slice", "elements stay under Slice until Unpin, also beyond the Close", func(s *stage) {
		s.fails(s.begins(s.one, "keep elements beyond the close"), tandem.ErrClosed)
		s.fails(s.begins(s.other, "keep elements beyond the close"), tandem.ErrClosed)
	}},
	{"Buffer", "what one writes somewhere another reads there", func(s *stage) {
		s.c.N = 7
		s.is("written", s.does(s.one, "write"), 3)
		s.is("read", s.does(s.other, "read"), 7)
	}},
	{"Buffer", "reading ends with what there is, and io.EOF", func(s *stage) {
		s.fails(s.begins(s.one, "read beyond"), io.EOF)
		s.fails(s.begins(s.other, "read beyond"), io.EOF)
	}},
	{"Buffer", "there is nothing before its beginning", func(s *stage) {
		s.fails(s.begins(s.one, "write before"), "offset -1 is negative")
		s.fails(s.begins(s.other, "write before"), "offset -1 is negative")
	}},
	{"Buffer", "View is the memory itself, all of it, for all", func(s *stage) {
		s.is("the last byte", s.does(s.one, "view the last byte"), 1)
		s.is("the last byte", s.does(s.other, "view the last byte"), 2)
		s.is("the last byte", int(last(s.c.Data)), 2)
	}},
}

// last is the last byte of 8, read by its place.
func last(b *shared.Buffer) byte {
	p := []byte{0xff}
	b.ReadAt(p, 7)
	return p[0]
}
