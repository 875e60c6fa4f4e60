//go:build linux

package shared_test

import "context"

var (
	_ = move("set", func(ctx context.Context, c cast) (int, error) { return 0, c.Event.Set() })
	_ = move("clear", func(ctx context.Context, c cast) (int, error) { return 0, c.Event.Clear() })
	_ = move("is set", func(ctx context.Context, c cast) (int, error) { return yes(c.Event.IsSet()), nil })
	_ = move("stay in vain", func(ctx context.Context, c cast) (int, error) { return inVain(ctx, c.Event.Wait) })

	_ = move("wait", func(ctx context.Context, c cast) (int, error) { return 0, c.Cond.Wait(ctx) })
	_ = move("wait unlocked", func(ctx context.Context, c cast) (int, error) {
		return misused(func() { c.Cond.Wait(ctx) })
	})
	_ = move("signal", func(ctx context.Context, c cast) (int, error) { return 0, c.Cond.Signal() })
	_ = move("broadcast", func(ctx context.Context, c cast) (int, error) { return 0, c.Cond.Broadcast() })
	_ = move("take", func(ctx context.Context, c cast) (int, error) {
		c.N = 1
		return scenes["take from stock"](ctx, c)
	})
	_ = move("take in vain", func(ctx context.Context, c cast) (int, error) {
		return inVain(ctx, func(ctx context.Context) error {
			return c.Cond.When(ctx, func() bool { return false }, nil)
		})
	})
	_ = move("give", func(ctx context.Context, c cast) (int, error) {
		return 0, c.Lock.With(ctx, func() error { stock(c, 1); return nil })
	})

	_ = move("add one", func(ctx context.Context, c cast) (int, error) { return 0, c.Group.Add(1) })
	_ = move("done", func(ctx context.Context, c cast) (int, error) { return 0, c.Group.Done() })
	_ = move("wait for group", func(ctx context.Context, c cast) (int, error) { return 0, c.Group.Wait(ctx) })
	_ = move("wait for group in vain", func(ctx context.Context, c cast) (int, error) { return inVain(ctx, c.Group.Wait) })
)

var signalBehaviours = []behaviour{
	{"Event", "it begins cleared, for all", func(s *stage) {
		s.is("IsSet", s.does(s.one, "is set")+s.does(s.other, "is set"), 0)
	}},
	{"Event", "what one sets is set for another, and Wait returns at once", func(s *stage) {
		s.does(s.one, "set")
		s.is("IsSet", s.does(s.other, "stay", "is set"), 1)
	}},
	{"Event", "what one clears is cleared for another", func(s *stage) {
		s.does(s.one, "set", "clear")
		s.is("IsSet", s.does(s.other, "is set"), 0)
	}},
	{"Event", "a Wait whose time ends says so", func(s *stage) {
		s.does(s.one, "set", "clear")
		s.does(s.other, "stay in vain")
	}},
	{"Event", "Set wakes all who wait", func(s *stage) {
		first, second := s.begins(s.other, "stay"), s.begins(s.other, "stay")
		s.wait(s.c.Event, 2)
		s.does(s.one, "set")
		s.ends(first)
		s.ends(second)
	}},
	{"Event", "a Clear that follows at once takes nothing from who waits", func(s *stage) {
		waits := s.begins(s.other, "stay")
		s.wait(s.c.Event, 1)
		s.does(s.one, "set", "clear")
		s.ends(waits)
		s.does(s.other, "stay in vain")
	}},
	{"Cond", "one Signal wakes one of those who wait", func(s *stage) {
		s.waiters(3)
		s.does(s.one, "signal")
		s.woken(1, 2)
	}},
	{"Cond", "two Signals wake two: a number to wake is so many Signals", func(s *stage) {
		s.waiters(3)
		s.does(s.one, "signal", "signal")
		s.woken(2, 1)
	}},
	{"Cond", "Broadcast wakes all who wait", func(s *stage) {
		s.waiters(3)
		s.does(s.one, "broadcast")
		s.woken(3, 0)
	}},
	{"Cond", "Signal needs no lock, since a waiter looks again with the lock; it may have it", func(s *stage) {
		s.waiters(2)
		s.does(s.one, "signal", "lock", "signal", "unlock")
		s.woken(2, 0)
	}},
	{"Cond", "a signal for which nobody waits is not kept", func(s *stage) {
		s.does(s.one, "signal", "broadcast")
		s.does(s.other, "take in vain")
	}},
	{"Cond", "Wait without the lock is a misuse", func(s *stage) {
		s.fails(s.begins(s.one, "wait unlocked"), "Wait of what this process does not hold")
		s.fails(s.begins(s.other, "wait unlocked"), "Wait of what this process does not hold")
	}},
	{"Cond", "Wait gives the lock to others meanwhile", func(s *stage) {
		s.waiters(1)
		s.does(s.one, "lock", "signal", "unlock")
		s.woken(1, 0)
	}},
	{"Cond", "When goes on once its condition holds, and not before", func(s *stage) {
		waits := s.begins(s.other, "take")
		s.wait(s.c.Cond, 1)
		s.does(s.one, "signal")
		s.wait(s.c.Cond, 1)
		s.does(s.one, "give", "signal")
		s.ends(waits)
		s.is("stock", stock(s.c, 0), 0)
	}},
	{"Cond", "When whose condition holds does not wait", func(s *stage) {
		s.does(s.one, "give")
		s.does(s.other, "take")
	}},
	{"Cond", "When whose time ends says so, and has the lock no more", func(s *stage) {
		s.does(s.other, "take in vain")
		s.does(s.one, "lock", "unlock")
	}},
	{"WaitGroup", "who waits goes on when everything is done", func(s *stage) {
		s.does(s.one, "add one", "add one")
		waits := s.begins(s.other, "wait for group")
		s.wait(s.c.Group, 1)
		s.does(s.one, "done")
		s.is("who waits", s.c.Group.Waiting(), 1)
		s.does(s.one, "done")
		s.ends(waits)
	}},
	{"WaitGroup", "of what is not done one waits until his time ends", func(s *stage) {
		s.does(s.one, "add one")
		s.does(s.other, "wait for group in vain")
	}},
	{"WaitGroup", "what one added another may report done", func(s *stage) {
		s.does(s.one, "add one")
		s.does(s.other, "done")
		s.does(s.one, "wait for group")
	}},
	{"WaitGroup", "one Done too many is an error and changes nothing", func(s *stage) {
		s.does(s.one, "add one", "done")
		s.fails(s.begins(s.other, "done"), "tandem: shared.WaitGroup: ")
		s.does(s.other, "wait for group")
	}},
}

// waiters has n wait for a signal, who count when they had one.
func (s *stage) waiters(n int) {
	s.Helper()
	for i := range n {
		f := s.begins(s.other, "lock", "wait", "count", "unlock")
		s.Cleanup(func() { s.c.Cond.Broadcast(); s.ends(f) })
		s.wait(s.c.Cond, i+1)
	}
}

// woken waits until so many counted and the others wait.
func (s *stage) woken(counted int64, left int) {
	s.Helper()
	until(s.T, "those who were woken count", func() bool { return s.c.Num.Load() == counted })
	s.is("who still wait", s.c.Cond.Waiting(), left)
}
