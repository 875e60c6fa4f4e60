//go:build linux

package shared_test

import "context"

var (
	_ = move("lock", func(ctx context.Context, c cast) (int, error) { return 0, c.Lock.Lock(ctx) })
	_ = move("unlock", func(ctx context.Context, c cast) (int, error) { return misused(c.Lock.Unlock) })
	_ = move("try lock", func(ctx context.Context, c cast) (int, error) { return yes(c.Lock.TryLock()), nil })
	_ = move("lock in vain", func(ctx context.Context, c cast) (int, error) { return inVain(ctx, c.Lock.Lock) })
	_ = move("stay inside", func(ctx context.Context, c cast) (int, error) {
		return 0, c.Lock.With(ctx, func() error { return stayed(ctx, c) })
	})
	_ = move("stay writing", func(ctx context.Context, c cast) (int, error) {
		return 0, c.RW.With(ctx, func() error { return stayed(ctx, c) })
	})
	_ = move("stay reading", func(ctx context.Context, c cast) (int, error) {
		return 0, c.RW.RWith(ctx, func() error { return stayed(ctx, c) })
	})
	_ = move("stay with two permits", func(ctx context.Context, c cast) (int, error) {
		return 0, c.Sem.With(ctx, func() error { return c.Sem.With(ctx, func() error { return stayed(ctx, c) }) })
	})
	_ = move("fail inside", func(ctx context.Context, c cast) (int, error) {
		return 0, c.Lock.With(ctx, func() error { return context.Canceled })
	})

	_ = move("read lock", func(ctx context.Context, c cast) (int, error) { return 0, c.RW.RLock(ctx) })
	_ = move("read unlock", func(ctx context.Context, c cast) (int, error) { return misused(c.RW.RUnlock) })
	_ = move("try read lock", func(ctx context.Context, c cast) (int, error) { return yes(c.RW.TryRLock()), nil })
	_ = move("read lock in vain", func(ctx context.Context, c cast) (int, error) { return inVain(ctx, c.RW.RLock) })
	_ = move("write lock", func(ctx context.Context, c cast) (int, error) { return 0, c.RW.Lock(ctx) })
	_ = move("write unlock", func(ctx context.Context, c cast) (int, error) { return misused(c.RW.Unlock) })
	_ = move("try write lock", func(ctx context.Context, c cast) (int, error) { return yes(c.RW.TryLock()), nil })
	_ = move("write lock in vain", func(ctx context.Context, c cast) (int, error) { return inVain(ctx, c.RW.Lock) })

	_ = move("acquire", func(ctx context.Context, c cast) (int, error) { return 0, c.Sem.Acquire(ctx) })
	_ = move("release", func(ctx context.Context, c cast) (int, error) { return misused(c.Sem.Release) })
	_ = move("try acquire", func(ctx context.Context, c cast) (int, error) { return yes(c.Sem.TryAcquire()), nil })
	_ = move("acquire in vain", func(ctx context.Context, c cast) (int, error) { return inVain(ctx, c.Sem.Acquire) })
)

// held runs f while one side holds what it took, and then has it given back.
func (s *stage) held(take, give string, f func()) {
	s.Helper()
	holder := s.begins(s.one, take, "say so", "stay", give)
	s.ready()
	f()
	s.c.Event.Set()
	s.ends(holder)
}

// keeps is a play in which one stays inside, and another waits for that in vain.
func keeps(stays, waits string) func(s *stage) {
	return func(s *stage) {
		holder := s.begins(s.one, stays)
		s.ready()
		s.does(s.other, waits)
		s.c.Event.Set()
		s.ends(holder)
	}
}

var lockBehaviours = []behaviour{
	{"Mutex", "a lock that one holds is not free for another", func(s *stage) {
		s.held("lock", "unlock", func() { s.is("TryLock", s.does(s.other, "try lock"), 0) })
	}},
	{"Mutex", "a lock that was given back is free for another", func(s *stage) {
		s.held("lock", "unlock", func() {})
		s.does(s.other, "lock", "unlock")
	}},
	{"Mutex", "a Lock whose time ends does not have the lock", func(s *stage) {
		s.held("lock", "unlock", func() { s.does(s.other, "lock in vain") })
		s.does(s.other, "lock", "unlock")
	}},
	{"Mutex", "who waits gets the lock when it is given back", func(s *stage) {
		holder := s.begins(s.one, "lock", "say so", "stay", "count", "unlock")
		s.ready()
		waits := s.begins(s.other, "say so", "lock", "count", "unlock")
		s.ready()
		s.is("who counted before the lock was free", int(s.c.Num.Load()), 0)
		s.c.Event.Set()
		s.ends(holder)
		s.ends(waits)
		s.is("both counted", int(s.c.Num.Load()), 2)
	}},
	{"Mutex", "it cannot be taken twice by who has it: locks that can hide a lock in the wrong layer", func(s *stage) {
		s.does(s.one, "lock", "lock in vain", "unlock")
		s.does(s.other, "lock", "unlock")
	}},
	{"Mutex", "Unlock of a free lock is a misuse", func(s *stage) {
		s.fails(s.begins(s.one, "unlock"), "Unlock of a lock")
		s.fails(s.begins(s.other, "lock", "unlock", "unlock"), "Unlock of a lock")
	}},
	{"Mutex", "another process cannot give the lock back, or its holder would not be alone; another goroutine can", func(s *stage) {
		if !s.apart {
			s.does(s.one, "lock")
			s.does(s.other, "unlock")
			return
		}
		s.held("lock", "unlock", func() { s.fails(s.begins(s.other, "unlock"), "Unlock of a lock") })
	}},
	{"Mutex", "With gives the lock back also when its function fails", func(s *stage) {
		s.fails(s.begins(s.one, "fail inside"), context.Canceled)
		s.does(s.other, "lock", "unlock")
	}},
	{"Mutex", "With has the lock while its function runs", keeps("stay inside", "lock in vain")},
	{"RWMutex", "With has the lock while its function runs", keeps("stay writing", "read lock in vain")},
	{"RWMutex", "RWith has a share while its function runs", keeps("stay reading", "write lock in vain")},
	{"Semaphore", "With has a permit while its function runs", keeps("stay with two permits", "acquire in vain")},
	{"RWMutex", "readers read together", func(s *stage) {
		s.held("read lock", "read unlock", func() { s.does(s.other, "read lock", "read unlock") })
	}},
	{"RWMutex", "a reader keeps writers out", func(s *stage) {
		s.held("read lock", "read unlock", func() {
			s.is("TryLock", s.does(s.other, "write lock in vain", "try write lock"), 0)
		})
		s.does(s.other, "write lock", "write unlock")
	}},
	{"RWMutex", "a writer keeps readers out", func(s *stage) {
		s.held("write lock", "write unlock", func() {
			s.is("TryRLock", s.does(s.other, "read lock in vain", "try read lock"), 0)
		})
		s.does(s.other, "read lock", "read unlock")
	}},
	{"RWMutex", "a writer keeps writers out", func(s *stage) {
		s.held("write lock", "write unlock", func() {
			s.is("TryLock", s.does(s.other, "write lock in vain", "try write lock"), 0)
		})
	}},
	{"RWMutex", "a reader that waits goes on after the writer", func(s *stage) {
		s.held("write lock", "write unlock", func() {
			waits := s.begins(s.other, "read lock", "read unlock")
			s.wait(s.c.RW, 1)
			s.c.Event.Set()
			s.ends(waits)
		})
	}},
	{"RWMutex", "a writer that waits goes on after the last reader", func(s *stage) {
		s.held("read lock", "read unlock", func() {
			waits := s.begins(s.other, "write lock", "write unlock")
			s.wait(s.c.RW, 1)
			s.c.Event.Set()
			s.ends(waits)
		})
	}},
	{"RWMutex", "giving back what nobody took is a misuse", func(s *stage) {
		s.fails(s.begins(s.one, "read unlock"), "tandem: ")
		s.fails(s.begins(s.other, "write unlock"), "tandem: ")
		s.does(s.one, "write lock", "write unlock")
	}},
	{"Semaphore", "there are as many permits as it was made with", func(s *stage) {
		s.held("acquire", "release", func() {
			s.does(s.other, "acquire", "acquire in vain", "release")
		})
	}},
	{"Semaphore", "without a permit left TryAcquire says no, and Acquire waits until its time ends", func(s *stage) {
		holder := s.begins(s.one, "acquire", "acquire", "say so", "stay", "release", "release")
		s.ready()
		s.is("TryAcquire", s.does(s.other, "acquire in vain", "try acquire"), 0)
		s.c.Event.Set()
		s.ends(holder)
	}},
	{"Semaphore", "who waits gets the permit that is given back", func(s *stage) {
		holder := s.begins(s.one, "acquire", "acquire", "say so", "stay", "release", "release")
		s.ready()
		waits := s.begins(s.other, "acquire", "release")
		s.wait(s.c.Sem, 1)
		s.c.Event.Set()
		s.ends(holder)
		s.ends(waits)
		allFree(s.T, s.c.Sem, 2)
	}},
	{"Semaphore", "it is always bounded: one Release too many is a misuse and makes no permit", func(s *stage) {
		s.fails(s.begins(s.one, "acquire", "release", "release"), "shared.Semaphore: Release")
		s.fails(s.begins(s.other, "release"), "shared.Semaphore: Release")
		allFree(s.T, s.c.Sem, 2)
	}},
	{"Semaphore", "a process gives back only permits of its own, so that a death frees what it had; a goroutine any", func(s *stage) {
		if !s.apart {
			s.does(s.one, "acquire")
			s.does(s.other, "release")
		} else {
			s.held("acquire", "release", func() { s.fails(s.begins(s.other, "release"), "shared.Semaphore: Release") })
		}
		allFree(s.T, s.c.Sem, 2)
	}},
}
