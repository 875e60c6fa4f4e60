//go:build linux

package shared_test

import (
	"context"
	"errors"
)

// inPanic calls f, and with makes it panic inside.
func inPanic(with func(f func() error) error) (int, error) {
	return misused(func() { with(func() error { panic("inside") }) })
}

var (
	_ = move("panic inside", func(ctx context.Context, c cast) (int, error) {
		return inPanic(func(f func() error) error { return c.Lock.With(ctx, f) })
	})
	_ = move("panic in When", func(ctx context.Context, c cast) (int, error) {
		return inPanic(func(f func() error) error { return c.Cond.When(ctx, func() bool { return true }, f) })
	})
	_ = move("panic writing", func(ctx context.Context, c cast) (int, error) {
		return inPanic(func(f func() error) error { return c.RW.With(ctx, f) })
	})
	_ = move("panic reading", func(ctx context.Context, c cast) (int, error) {
		return inPanic(func(f func() error) error { return c.RW.RWith(ctx, f) })
	})
	_ = move("panic with a permit", func(ctx context.Context, c cast) (int, error) {
		return inPanic(func(f func() error) error { return c.Sem.With(ctx, f) })
	})
	_ = move("panic in Update", func(ctx context.Context, c cast) (int, error) {
		return inPanic(func(f func() error) error {
			return c.Tally.Update(ctx, func(y *tally) error { y.Total++; return f() })
		})
	})
	_ = move("panic in the Update of a Slice", func(ctx context.Context, c cast) (int, error) {
		return inPanic(func(f func() error) error {
			return c.Slice.Update(ctx, func([]int64) error { return f() })
		})
	})
	_ = move("panic once", func(ctx context.Context, c cast) (int, error) {
		return inPanic(func(f func() error) error { return c.Once.Do(ctx, f) })
	})
	_ = move("fail in the Update of a Slice", func(ctx context.Context, c cast) (int, error) {
		return 0, c.Slice.Update(ctx, func([]int64) error { return context.Canceled })
	})
	_ = move("store the total", func(ctx context.Context, c cast) (int, error) {
		return 0, c.Tally.Store(ctx, tally{Total: c.N})
	})
	// Every step of an Atomic, from any number to 3.
	_ = move("step", func(ctx context.Context, c cast) (int, error) {
		c.Num.Store(5)
		if c.Num.Add(2) != 7 || c.Num.Swap(1) != 7 || !c.Num.CompareAndSwap(1, 3) || c.Num.CompareAndSwap(1, 4) {
			return 0, errors.New("a step did not see the one before")
		}
		return int(c.Num.Load()), nil
	})
	_ = move("number", func(ctx context.Context, c cast) (int, error) { return int(c.Num.Load()), nil })
)

// panics is the behaviour of something that is free after a panic inside: another can
// take it, and give it back.
func panics(of, how string, then ...string) behaviour {
	return behaviour{of, "what was taken is given back also after a panic: " + how, func(s *stage) {
		s.fails(s.begins(s.one, how), "inside")
		s.does(s.other, then...)
	}}
}

var panicBehaviours = []behaviour{
	panics("Mutex", "panic inside", "lock", "unlock"),
	panics("Cond", "panic in When", "lock", "unlock"),
	panics("RWMutex", "panic writing", "write lock", "write unlock"),
	panics("RWMutex", "panic reading", "write lock", "write unlock"),
	panics("Semaphore", "panic with a permit", "acquire", "acquire", "release", "release"),
	panics("Slice", "panic in the Update of a Slice", "fill"),
	panics("Once", "panic once", "count once"),
	{"Value", "an Update that panics changes nothing, and gives it back", func(s *stage) {
		s.fails(s.begins(s.one, "panic in Update"), "inside")
		s.is("Total", s.does(s.other, "total"), 0)
	}},
	{"Value", "what one stores another loads", func(s *stage) {
		s.c.N = 9
		s.does(s.one, "store the total")
		s.is("Total", s.does(s.other, "total"), 9)
	}},
	{"Slice", "an Update returns what its function does", func(s *stage) {
		s.fails(s.begins(s.one, "fail in the Update of a Slice"), context.Canceled)
		s.does(s.other, "fill")
	}},
	{"Once", "a panic has not done it", func(s *stage) {
		s.fails(s.begins(s.one, "panic once"), "inside")
		s.does(s.other, "count once")
		s.is("done", int(s.c.Num.Load()), 1)
	}},
	{"Atomic", "each step sees the one before, and another the last", func(s *stage) {
		s.is("number", s.does(s.one, "step"), 3)
		s.is("number", s.does(s.other, "number"), 3)
	}},
	{"Mutex", "TryLock takes a lock that is free", func(s *stage) {
		s.is("TryLock", s.does(s.one, "try lock"), 1)
		s.is("TryLock", s.does(s.other, "try lock"), 0)
	}},
	{"Mutex", "the time of who waits behind another of his process ends too", func(s *stage) {
		s.held("lock", "unlock", func() {
			first := s.begins(s.other, "lock", "unlock")
			until(s.T, "somebody sleeps", s.c.Lock.Sleeps)
			s.does(s.other, "lock in vain")
			s.c.Event.Set()
			s.ends(first)
		})
		s.does(s.other, "lock", "unlock")
	}},
	{"RWMutex", "TryLock takes a lock that is free, and TryRLock a share", func(s *stage) {
		s.is("TryRLock", s.does(s.one, "try read lock"), 1)
		s.is("TryRLock", s.does(s.other, "try read lock"), 1)
		s.is("TryLock", s.does(s.other, "try write lock"), 0)
		s.does(s.one, "read unlock")
		s.does(s.other, "read unlock")
		s.is("TryLock", s.does(s.one, "try write lock"), 1)
		s.is("TryRLock", s.does(s.other, "try read lock"), 0)
		s.does(s.one, "write unlock")
	}},
	{"RWMutex", "no reader overtakes a writer that waits", func(s *stage) {
		s.held("read lock", "read unlock", func() {
			waits := s.begins(s.other, "write lock", "write unlock")
			s.wait(s.c.RW, 1)
			s.is("TryRLock", s.does(s.one, "try read lock")+s.does(s.other, "try read lock"), 0)
			s.c.Event.Set()
			s.ends(waits)
		})
	}},
	{"RWMutex", "a writer whose time ends lets readers in again", func(s *stage) {
		s.held("read lock", "read unlock", func() {
			s.does(s.other, "write lock in vain", "read lock", "read unlock")
		})
		s.does(s.one, "write lock", "write unlock")
	}},
}
