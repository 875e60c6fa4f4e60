//go:build linux

package shared_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"

	"github.com/tandem-go/tandem"
)

// inLine has n goroutines of this process do something, each of which begins when those
// before it wait. It says so when all wait, and ends with them.
func inLine(ctx context.Context, c cast, n int, waiting func() int, f func(number int) error) (int, error) {
	errs := make(chan error, n)
	for i := range n {
		go func() { errs <- f(i + 1) }()
		for waiting() < i+1 {
			if ctx.Err() != nil {
				return 0, context.Cause(ctx)
			}
			runtime.Gosched()
		}
	}
	c.Ready.Set()
	var err error
	for range n {
		err = errors.Join(err, <-errs)
	}
	return 0, err
}

// noted appends a digit to the number in c: who it is that has his turn.
func noted(c cast, digit int) error {
	for {
		if was := c.Num.Load(); c.Num.CompareAndSwap(was, 10*was+int64(digit)) {
			return nil
		}
	}
}

var (
	_ = move("note", func(ctx context.Context, c cast) (int, error) { return 0, noted(c, c.N) })
	_ = move("three lock in line", func(ctx context.Context, c cast) (int, error) {
		return inLine(ctx, c, 3, c.Lock.Queued, func(n int) error {
			return c.Lock.With(ctx, func() error { return noted(c, n) })
		})
	})
	_ = move("two acquire in line", func(ctx context.Context, c cast) (int, error) {
		return inLine(ctx, c, 2, c.Sem.Waiting, func(n int) error {
			return c.Sem.With(ctx, func() error { return noted(c, n) })
		})
	})
	_ = move("two write in line", func(ctx context.Context, c cast) (int, error) {
		return inLine(ctx, c, 2, c.RW.Waiting, func(n int) error {
			return c.RW.With(ctx, func() error { return noted(c, n) })
		})
	})
	_ = move("two read in line", func(ctx context.Context, c cast) (int, error) {
		return inLine(ctx, c, 2, c.RW.Waiting, func(int) error { return c.RW.RWith(ctx, func() error { return nil }) })
	})
	_ = move("two wait in line", func(ctx context.Context, c cast) (int, error) {
		return inLine(ctx, c, 2, c.Cond.Waiting, func(n int) error {
			return c.Lock.With(ctx, func() error { return nothingBut(c.Cond.Wait(ctx), func() error { return noted(c, n) }) })
		})
	})
	// Who waits gives up at about the moment at which he is given what he waits for.
	_ = move("give up as he is given it", func(ctx context.Context, c cast) (int, error) {
		for range 200 {
			if err := c.Sem.Acquire(ctx); err != nil {
				return 0, err
			}
			mine, cancel := context.WithCancelCause(ctx)
			got := make(chan error, 1)
			go func() { got <- c.Sem.Acquire(mine) }()
			for c.Sem.Waiting() < 1 && ctx.Err() == nil {
			}
			c.Sem.Release()
			toil(make([]int64, ledgerSize), rand.IntN(60))
			cancel(errCause)
			switch err := <-got; err {
			case nil:
				c.Sem.Release()
			case errCause:
			default:
				return 0, err
			}
		}
		return 0, nil
	})
	// Of three in line the second gives up at about the moment at which it is his turn.
	_ = move("give up at his turn", func(ctx context.Context, c cast) (int, error) {
		for range 200 {
			if err := giveUpAtTurn(ctx, c); err != nil {
				return 0, err
			}
		}
		return 0, nil
	})
)

// nothingBut is f's error, or err, with which a Wait has not come back with the lock.
func nothingBut(err error, f func() error) error {
	if err != nil {
		panic(fmt.Sprintf("no lock to give back: %v", err))
	}
	return f()
}

func giveUpAtTurn(ctx context.Context, c cast) error {
	if err := c.Lock.Lock(ctx); err != nil {
		return err
	}
	second, cancel := context.WithCancelCause(ctx)
	errs := make(chan error, 3)
	for i, f := range []func() error{
		func() error { return c.Lock.With(ctx, func() error { return nil }) },
		func() error {
			if err := c.Lock.With(second, func() error { return nil }); err != nil && err != errCause {
				return err
			}
			return nil
		},
		func() error { return c.Lock.With(ctx, func() error { return nil }) },
	} {
		go func() { errs <- f() }()
		for c.Lock.Queued() < i+1 {
			runtime.Gosched()
		}
	}
	c.Lock.Unlock()
	toil(make([]int64, ledgerSize), rand.IntN(60)) // the first one wakes up
	cancel(errCause)
	return errors.Join(<-errs, <-errs, <-errs)
}

// order is how 1 and 2 of one side and 3 of the other, who came after them, have their
// turns: processes take turns.
func (s *stage) order() int {
	if s.apart {
		return 132
	}
	return 123
}

// leaves has somebody who waits give up while f is called, which gives him what he
// waits for: as one whose time ends at that moment.
func (s *stage) leaves(waits *tandem.Future[int], f func(meanwhile func())) {
	s.Helper()
	f(func() {
		waits.Cancel()
		if _, err := waits.Wait(soon(s)); !errors.Is(err, context.Canceled) {
			s.Errorf("who gave up: %v", err)
		}
	})
}

var turnBehaviours = []behaviour{
	{"Mutex", "in a process who came first is served first", func(s *stage) {
		s.held("lock", "unlock", func() {
			line := s.begins(s.other, "three lock in line")
			s.ready()
			s.c.Event.Set()
			s.ends(line)
		})
		s.is("the order", int(s.c.Num.Load()), 123)
	}},
	{"Mutex", "a turn of one who gives up goes to the next", func(s *stage) {
		s.does(s.one, "give up at his turn")
		s.does(s.other, "give up at his turn")
	}},
	{"Mutex", "nobody overtakes one who has waited for a millisecond", func(s *stage) {
		s.c.Lock.Lock(soon(s))
		waits := s.begins(s.other, "lock", "count", "unlock")
		until(s.T, "he claims the lock", s.c.Lock.Claimed)
		s.c.Lock.Unlock()
		s.c.Lock.Lock(soon(s))
		s.is("his turns before another", int(s.c.Num.Load()), 1)
		s.c.Lock.Unlock()
		s.ends(waits)
	}},
	{"Mutex", "who came later does not take the claim of one who has waited longer", func(s *stage) {
		s.c.Lock.Lock(soon(s))
		waits := s.begins(s.other, "lock", "unlock")
		until(s.T, "he claims the lock", s.c.Lock.Claimed)
		claim := s.c.Lock.Claim()
		for range 3 { // each waits for two milliseconds
			s.does(s.one, "lock in vain")
			if s.c.Lock.Claim() != claim {
				s.Error("the claim is another's")
			}
		}
		s.c.Lock.Unlock()
		s.ends(waits)
	}},
	{"Mutex", "who has given up or had his turn claims nothing", func(s *stage) {
		s.c.Lock.Lock(soon(s))
		s.does(s.other, "lock in vain")
		s.is("claimed by one who gave up", yes(s.c.Lock.Claimed()), 0)
		waits := s.begins(s.other, "lock", "unlock")
		until(s.T, "he claims the lock", s.c.Lock.Claimed)
		s.c.Lock.Unlock()
		s.ends(waits)
		s.is("claimed by one who had it", yes(s.c.Lock.Claimed()), 0)
		s.is("TryLock", yes(s.c.Lock.TryLock()), 1)
		s.c.Lock.Unlock()
	}},
	{"Semaphore", "in a process who came first is served first, and processes take turns", func(s *stage) {
		s.c.Sem.Acquire(soon(s))
		s.c.Sem.Acquire(soon(s))
		line := s.begins(s.other, "two acquire in line")
		s.ready()
		s.c.N = 3
		third := s.begins(s.one, "acquire", "note", "release")
		s.wait(s.c.Sem, 3)
		s.c.Sem.Release() // one of the two goes round
		s.ends(line)
		s.ends(third)
		s.is("the order", int(s.c.Num.Load()), s.order())
		s.c.Sem.Release()
	}},
	{"Semaphore", "what is released is his who waits, at once", func(s *stage) {
		s.c.Sem.Acquire(soon(s))
		s.c.Sem.Acquire(soon(s))
		waits := s.begins(s.other, "acquire", "release")
		s.wait(s.c.Sem, 1)
		s.c.Sem.ReleaseWhile(func() { s.is("who still wait", s.c.Sem.WaitingInside(), 0) })
		s.ends(waits)
		s.c.Sem.Release()
	}},
	{"Semaphore", "what was given to one who waits nobody takes before he comes", func(s *stage) {
		s.c.Sem.Acquire(soon(s))
		s.c.Sem.Acquire(soon(s))
		waits := s.begins(s.other, "acquire", "stay", "release")
		s.wait(s.c.Sem, 1)
		s.c.Sem.Release()
		s.is("TryAcquire", yes(s.c.Sem.TryAcquire()), 0)
		s.c.Event.Set()
		s.ends(waits)
		s.c.Sem.Release()
	}},
	{"Semaphore", "the permit of one who left as he was given it is free", func(s *stage) {
		s.c.Sem.Acquire(soon(s))
		s.c.Sem.Acquire(soon(s))
		waits := s.begins(s.other, "acquire")
		s.wait(s.c.Sem, 1)
		s.leaves(waits, s.c.Sem.ReleaseWhile)
		until(s.T, "the permit is free", s.c.Sem.TryAcquire)
		s.c.Sem.Release()
		s.c.Sem.Release()
		allFree(s.T, s.c.Sem, 2)
	}},
	{"Semaphore", "who gives up as he is given a permit has it, or it is free", func(s *stage) {
		s.c.Sem.Acquire(soon(s)) // one is left
		s.does(s.one, "give up as he is given it")
		s.does(s.other, "give up as he is given it")
		s.c.Sem.Release()
		allFree(s.T, s.c.Sem, 2)
	}},
	{"RWMutex", "in a process writers go in the order of their coming, and processes take turns", func(s *stage) {
		s.c.RW.Lock(soon(s))
		line := s.begins(s.other, "two write in line")
		s.ready()
		s.c.N = 3
		third := s.begins(s.one, "write lock", "note", "write unlock")
		s.wait(s.c.RW, 3)
		s.c.RW.Unlock()
		s.ends(line)
		s.ends(third)
		s.is("the order", int(s.c.Num.Load()), s.order())
	}},
	{"RWMutex", "after a writer all readers who wait go at once, before the next writer", func(s *stage) {
		s.c.RW.Lock(soon(s))
		line := s.begins(s.other, "two read in line")
		s.ready()
		writer := s.begins(s.one, "write lock", "write unlock")
		s.wait(s.c.RW, 3)
		third := s.begins(s.one, "read lock", "read unlock")
		s.wait(s.c.RW, 4)
		s.c.RW.UnlockWhile(func() { s.is("who still wait", s.c.RW.WaitingInside(), 1) })
		for _, f := range []*tandem.Future[int]{line, writer, third} {
			s.ends(f)
		}
	}},
	{"RWMutex", "after the readers inside a writer goes before the readers who wait", func(s *stage) {
		s.c.RW.RLock(soon(s))
		s.c.N = 1
		writer := s.begins(s.other, "write lock", "note", "write unlock")
		s.wait(s.c.RW, 1)
		s.c.N = 2
		reader := s.begins(s.one, "read lock", "note", "read unlock")
		s.wait(s.c.RW, 2)
		s.c.RW.RUnlock()
		s.ends(writer)
		s.ends(reader)
		s.is("the order", int(s.c.Num.Load()), 12)
	}},
	{"RWMutex", "what was given to one who waits nobody takes before he comes", func(s *stage) {
		for _, kind := range []string{"write", "read"} {
			s.c.Event.Clear()
			s.c.RW.Lock(soon(s))
			waits := s.begins(s.other, kind+" lock", "stay", kind+" unlock")
			s.wait(s.c.RW, 1)
			s.c.RW.Unlock()
			s.is("TryLock", yes(s.c.RW.TryLock()), 0)
			s.c.Event.Set()
			s.ends(waits)
		}
	}},
	{"RWMutex", "what was given to one who left at that moment is free", func(s *stage) {
		for _, how := range []string{"write lock", "read lock"} {
			s.c.RW.Lock(soon(s))
			waits := s.begins(s.other, how)
			s.wait(s.c.RW, 1)
			s.leaves(waits, s.c.RW.UnlockWhile)
			until(s.T, "the lock is free", s.c.RW.TryLock)
			s.c.RW.Unlock()
		}
	}},
	{"Barrier", "who gives up when all have come breaks nothing", func(s *stage) {
		waits := s.begins(s.other, "meet")
		s.wait(s.c.Meet, 1)
		s.leaves(waits, s.c.Meet.WaitWhile)
		s.whole()
	}},
	{"Barrier", "Reset sends nobody away when all have come", func(s *stage) {
		waits := s.begins(s.other, "meet")
		s.wait(s.c.Meet, 1)
		s.c.Meet.WaitWhile(s.c.Meet.ResetInside)
		s.ends(waits)
		s.whole()
	}},
	{"Cond", "in a process who came first has the first signal, and processes take turns", func(s *stage) {
		line := s.begins(s.other, "two wait in line")
		s.ready()
		s.c.N = 3
		third := s.begins(s.one, "lock", "wait", "note", "unlock")
		s.wait(s.c.Cond, 3)
		for i := range 3 {
			s.c.Cond.Signal()
			until(s.T, "who had the signal notes", func() bool { return s.c.Num.Load() >= []int64{1, 10, 100}[i] })
		}
		s.ends(line)
		s.ends(third)
		s.is("the order", int(s.c.Num.Load()), s.order())
	}},
	{"Cond", "the signal of one who gives up before he has the lock goes to the next", func(s *stage) {
		leaves := s.begins(s.other, "lock", "wait", "unlock")
		s.wait(s.c.Cond, 1)
		next := s.begins(s.one, "lock", "wait", "unlock")
		s.wait(s.c.Cond, 2)
		s.c.Lock.Lock(soon(s))
		s.c.Cond.Signal()
		until(s.T, "he waits for the lock", s.c.Lock.Sleeps)
		s.is("who wait for a signal", s.c.Cond.Waiting(), 1)
		leaves.Cancel()
		s.wait(s.c.Cond, 0)
		s.c.Lock.Unlock()
		s.ends(next)
	}},
	{"Cond", "the signal of one who left as he was given it goes to the next", func(s *stage) {
		leaves := s.begins(s.other, "lock", "wait", "unlock")
		s.wait(s.c.Cond, 1)
		next := s.begins(s.other, "lock", "wait", "unlock")
		s.wait(s.c.Cond, 2)
		s.leaves(leaves, s.c.Cond.SignalWhile)
		s.ends(next)
	}},
}
