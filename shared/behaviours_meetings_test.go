//go:build linux

package shared_test

import (
	"context"
	"slices"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/shared"
)

var (
	_ = move("meet", func(ctx context.Context, c cast) (int, error) { return c.Meet.Wait(ctx) })
	_ = move("meet and count", func(ctx context.Context, c cast) (int, error) {
		return c.Meet.WaitWith(ctx, func() error { c.Num.Add(1); return nil })
	})
	_ = move("meet and fail", func(ctx context.Context, c cast) (int, error) {
		return c.Meet.WaitWith(ctx, func() error { return context.Canceled })
	})
	_ = move("meet in vain", func(ctx context.Context, c cast) (int, error) {
		return inVain(ctx, func(ctx context.Context) error { _, err := c.Meet.Wait(ctx); return err })
	})
	_ = move("abort", func(ctx context.Context, c cast) (int, error) { return 0, c.Meet.Abort() })
	_ = move("reset", func(ctx context.Context, c cast) (int, error) { return 0, c.Meet.Reset() })
	_ = move("is broken", func(ctx context.Context, c cast) (int, error) { return yes(c.Meet.Broken()), nil })

	_ = move("count once", func(ctx context.Context, c cast) (int, error) {
		return 0, c.Once.Do(ctx, func() error { c.Num.Add(1); return nil })
	})
	_ = move("fail once", func(ctx context.Context, c cast) (int, error) {
		return 0, c.Once.Do(ctx, func() error { return context.Canceled })
	})
	_ = move("stay once", func(ctx context.Context, c cast) (int, error) {
		return 0, c.Once.Do(ctx, func() error { c.Ready.Set(); return c.Event.Wait(ctx) })
	})
	_ = move("once in vain", func(ctx context.Context, c cast) (int, error) {
		return inVain(ctx, func(ctx context.Context) error {
			return c.Once.Do(ctx, func() error { c.Num.Add(1); return nil })
		})
	})
)

// whole checks that a meeting takes place.
func (s *stage) whole() {
	s.Helper()
	first := s.begins(s.one, "meet")
	s.does(s.other, "meet")
	s.ends(first)
}

var meetingBehaviours = []behaviour{
	{"Barrier", "each party has an index of its own, in the order of coming", func(s *stage) {
		first := s.begins(s.one, "meet")
		s.wait(s.c.Meet, 1)
		s.is("the last", s.does(s.other, "meet"), 1)
		s.is("the first", s.ends(first), 0)
	}},
	{"Barrier", "it serves any number of meetings", func(s *stage) {
		script := slices.Repeat([]string{"meet and count"}, 50)
		first := s.begins(s.one, script...)
		s.does(s.other, script...)
		s.ends(first)
		s.is("actions", int(s.c.Num.Load()), 50)
	}},
	{"Barrier", "the action runs once, before anybody goes on", func(s *stage) {
		first := s.begins(s.one, "meet and count", "count")
		s.wait(s.c.Meet, 1)
		s.does(s.other, "meet and count")
		s.is("the first counts after the action", s.ends(first), 2)
	}},
	{"Barrier", "an action that fails breaks it", func(s *stage) {
		first := s.begins(s.one, "meet")
		s.wait(s.c.Meet, 1)
		s.fails(s.begins(s.other, "meet and fail"), context.Canceled)
		s.fails(first, shared.ErrBrokenBarrier)
		s.is("Broken", s.does(s.one, "is broken"), 1)
	}},
	{"Barrier", "an Abort while the action runs breaks it for all, also for who waits to come in", func(s *stage) {
		first := s.begins(s.one, "meet")
		s.wait(s.c.Meet, 1)
		var late *tandem.Future[int]
		_, err := s.c.Meet.WaitWith(soon(s), func() error {
			late = s.begins(s.other, "meet")
			s.wait(s.c.Meet, 2)
			return s.c.Meet.Abort()
		})
		if err != shared.ErrBrokenBarrier {
			s.Errorf("who had the action: %v", err)
		}
		s.fails(first, shared.ErrBrokenBarrier)
		s.fails(late, shared.ErrBrokenBarrier)
	}},
	{"Barrier", "Abort reaches who waits and who comes", func(s *stage) {
		first := s.begins(s.one, "meet")
		s.wait(s.c.Meet, 1)
		s.does(s.other, "abort")
		s.fails(first, shared.ErrBrokenBarrier)
		s.fails(s.begins(s.one, "meet"), shared.ErrBrokenBarrier)
		s.fails(s.begins(s.other, "meet"), shared.ErrBrokenBarrier)
	}},
	{"Barrier", "Reset sends away who waits, and then it is whole", func(s *stage) {
		first := s.begins(s.one, "meet")
		s.wait(s.c.Meet, 1)
		s.does(s.other, "reset")
		s.fails(first, shared.ErrBrokenBarrier)
		s.is("Broken", s.does(s.one, "is broken"), 0)
		s.whole()
	}},
	{"Barrier", "Reset after Abort makes it whole", func(s *stage) {
		s.does(s.one, "abort")
		s.is("Broken", s.does(s.other, "is broken"), 1)
		s.does(s.other, "reset")
		s.whole()
	}},
	{"Barrier", "a party whose time ends breaks it", func(s *stage) {
		s.does(s.one, "meet in vain")
		s.fails(s.begins(s.other, "meet"), shared.ErrBrokenBarrier)
	}},
	{"Once", "what one did another does not do again", func(s *stage) {
		s.does(s.one, "count once")
		s.does(s.other, "count once")
		s.is("done", int(s.c.Num.Load()), 1)
	}},
	{"Once", "what failed is done by the next", func(s *stage) {
		s.fails(s.begins(s.one, "fail once"), context.Canceled)
		s.does(s.other, "count once")
		s.is("done", int(s.c.Num.Load()), 1)
	}},
	{"Once", "who comes meanwhile waits until it is done, or his time ends", func(s *stage) {
		doing := s.begins(s.one, "stay once")
		s.ready()
		s.does(s.other, "once in vain")
		s.c.Event.Set()
		s.ends(doing)
		s.does(s.other, "count once")
		s.is("done by the second", int(s.c.Num.Load()), 0)
	}},
}
