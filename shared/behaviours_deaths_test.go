//go:build linux

package shared_test

import (
	"context"
	"io"

	"github.com/tandem-go/tandem/process"
	"github.com/tandem-go/tandem/shared"
)

var (
	_ = move("repair", func(ctx context.Context, c cast) (int, error) {
		return 0, c.Lock.Repair(ctx, func(*shared.OwnerDiedError) error { c.Num.Add(1); return nil })
	})
	_ = move("repair and fail", func(ctx context.Context, c cast) (int, error) {
		return 0, c.Lock.Repair(ctx, func(*shared.OwnerDiedError) error { return context.Canceled })
	})
	_ = move("repair reading and writing", func(ctx context.Context, c cast) (int, error) {
		return 0, c.RW.Repair(ctx, func(*shared.OwnerDiedError) error { c.Num.Add(1); return nil })
	})
	_ = move("stay repairing", func(ctx context.Context, c cast) (int, error) {
		return 0, c.Lock.Repair(ctx, func(*shared.OwnerDiedError) error { return stayed(ctx, c) })
	})
	_ = move("repair in vain", func(ctx context.Context, c cast) (int, error) {
		return inVain(ctx, func(ctx context.Context) error { return c.Lock.Repair(ctx, nil) })
	})
	_ = move("stay repairing reading and writing", func(ctx context.Context, c cast) (int, error) {
		return 0, c.RW.Repair(ctx, func(*shared.OwnerDiedError) error { return stayed(ctx, c) })
	})
	_ = move("repair reading and writing in vain", func(ctx context.Context, c cast) (int, error) {
		return inVain(ctx, func(ctx context.Context) error { return c.RW.Repair(ctx, nil) })
	})
	_ = move("repair the tally", func(ctx context.Context, c cast) (int, error) {
		return 0, c.Tally.Repair(ctx, func(y *tally, _ *shared.OwnerDiedError) error { y.Total += 2; return nil })
	})
	_ = move("repair the slice", func(ctx context.Context, c cast) (int, error) {
		return 0, c.Slice.Repair(ctx, func(p []int64, _ *shared.OwnerDiedError) error { p[0] += 2; return nil })
	})
)

// victim plays a script in a process that is going to be killed. It returns when the
// script has said so.
func (s *stage) victim(script ...string) *process.Handle[int] {
	s.Helper()
	h := s.victimOf(script...)
	s.ready()
	return h
}

// victimOf is victim for a script that says nothing.
func (s *stage) victimOf(script ...string) *process.Handle[int] {
	s.Helper()
	c := s.c
	c.Role, c.Script = "follow the script", script
	return alone(s.T, c)
}

// owner checks that an error says that h owned what one wanted.
func (s *stage) owner(h *process.Handle[int], script ...string) {
	s.Helper()
	s.fails(s.begins(s.one, script...), (&shared.OwnerDiedError{PID: h.Process.PID()}).Error())
	s.fails(s.begins(s.other, script...), (&shared.OwnerDiedError{PID: h.Process.PID()}).Error())
}

// newcomer has one who holds something die, when somebody waits for it, and one try who
// comes from outside at that moment, and who finds it first. The other keeps it.
func (s *stage) newcomer(holds, waits, tries, gives string) {
	s.Helper()
	s.c.Event.Clear()
	s.c.Group.Add(1)
	h := s.victim(holds, "say so", "wait for group")
	comes := s.victim("say so", "stay", tries)
	keeps := s.begins(s.other, waits, "wait for group", gives)
	until(s.T, "one waits", func() bool { return s.c.Sem.Waiting()+s.c.RW.Waiting() == 1 })
	kill(h)
	s.c.Event.Set()
	n, err := comes.Wait(soon(s))
	if err != nil {
		s.Error(err)
	}
	s.is(tries, n, 0)
	s.c.Group.Done()
	s.ends(keeps)
}

// repairer has one repair, another who comes meanwhile wait in vain, and a third come
// then, by this script, who finds a thing that is whole.
func repairer(of, dies, stays, waits string, comes ...string) behaviour {
	return behaviour{of, "while one repairs it another waits", func(s *stage) {
		kill(s.victim(dies, "say so", "stay"))
		repairs := s.begins(s.one, stays)
		s.ready()
		s.does(s.other, waits)
		next := s.begins(s.other, comes...)
		s.c.Event.Set()
		s.ends(repairs)
		s.ends(next)
		s.is("repairs by who came then", int(s.c.Num.Load()), 0)
	}}
}

var deathBehaviours = []behaviour{
	repairer("Mutex", "lock", "stay repairing", "repair in vain", "repair", "lock", "unlock"),
	repairer("RWMutex", "write lock", "stay repairing reading and writing", "repair reading and writing in vain",
		"repair reading and writing", "write lock", "write unlock"),
	{"RWMutex", "a Repair finds by itself that a writer died", func(s *stage) {
		s.does(s.one, "read lock", "read unlock")
		s.does(s.other, "read lock", "read unlock")
		kill(s.victim("write lock", "say so", "stay"))
		s.does(s.one, "repair reading and writing")
		s.is("repairs", int(s.c.Num.Load()), 1)
		s.does(s.other, "write lock", "write unlock")
	}},
	{"Mutex", "all are told that its owner died, one repairs it, and then it is whole", func(s *stage) {
		h := s.victim("lock", "say so", "stay")
		kill(h)
		s.owner(h, "lock")
		s.does(s.other, "repair", "lock", "unlock")
		s.does(s.one, "repair", "lock", "unlock")
		s.is("repairs", int(s.c.Num.Load()), 1)
	}},
	{"Mutex", "a repair that fails is the end of it, for all", func(s *stage) {
		kill(s.victim("lock", "say so", "stay"))
		s.fails(s.begins(s.one, "repair and fail"), context.Canceled)
		s.fails(s.begins(s.one, "lock"), shared.ErrNotRecoverable)
		s.fails(s.begins(s.other, "lock"), shared.ErrNotRecoverable)
		s.fails(s.begins(s.other, "repair"), shared.ErrNotRecoverable)
	}},
	{"RWMutex", "all are told that a writer died, one repairs it, and then it is whole", func(s *stage) {
		h := s.victim("write lock", "say so", "stay")
		kill(h)
		s.owner(h, "read lock")
		s.owner(h, "write lock")
		s.does(s.other, "repair reading and writing", "read lock", "read unlock", "write lock", "write unlock")
		s.does(s.one, "repair reading and writing")
		s.is("repairs", int(s.c.Num.Load()), 1)
	}},
	{"RWMutex", "the share of a reader who died is free", func(s *stage) {
		h := s.victim("read lock", "say so", "stay")
		waits := s.begins(s.other, "write lock", "write unlock")
		s.wait(s.c.RW, 1)
		kill(h)
		s.ends(waits)
	}},
	{"RWMutex", "nobody who comes as a reader dies overtakes a writer who waits", func(s *stage) {
		s.newcomer("read lock", "write lock", "try write lock", "write unlock")
		s.newcomer("read lock", "write lock", "try read lock", "write unlock")
	}},
	{"Semaphore", "the permits of one who died are free", func(s *stage) {
		h := s.victim("acquire", "acquire", "say so", "stay")
		waits := s.begins(s.other, "acquire", "release")
		s.wait(s.c.Sem, 1)
		kill(h)
		s.ends(waits)
		allFree(s.T, s.c.Sem, 2)
	}},
	{"Semaphore", "who comes after a death has the permits at once", func(s *stage) {
		s.does(s.one, "acquire", "release")
		s.does(s.other, "acquire", "release")
		kill(s.victim("acquire", "acquire", "say so", "stay"))
		s.is("TryAcquire", s.does(s.one, "try acquire")+s.does(s.other, "try acquire"), 2)
	}},
	{"RWMutex", "who comes after the death of a reader has the lock at once", func(s *stage) {
		s.does(s.one, "read lock", "read unlock")
		s.does(s.other, "read lock", "read unlock")
		kill(s.victim("read lock", "say so", "stay"))
		s.is("TryLock", s.does(s.other, "try write lock"), 1)
	}},
	{"Semaphore", "nobody who comes as a holder dies overtakes one who waits", func(s *stage) {
		s.c.Sem.Acquire(soon(s))
		s.newcomer("acquire", "acquire", "try acquire", "release")
		s.c.Sem.Release()
	}},
	{"Barrier", "who waits beside one who died, or comes then, is told that it is broken", func(s *stage) {
		s.c.Meet = newBarrier(s.T, 3)
		h := s.victimOf("meet")
		s.wait(s.c.Meet, 1)
		waits := s.begins(s.other, "meet")
		s.wait(s.c.Meet, 2)
		kill(h)
		s.fails(waits, shared.ErrBrokenBarrier)
		s.fails(s.begins(s.one, "meet"), shared.ErrBrokenBarrier)
	}},
	{"Barrier", "who dies elsewhere breaks nothing", func(s *stage) {
		h := s.victim("is broken", "say so", "stay")
		waits := s.begins(s.other, "meet")
		s.wait(s.c.Meet, 1)
		kill(h)
		s.victim("is broken", "say so", "stay") // who comes clears up after the dead
		s.does(s.one, "meet")
		s.ends(waits)
	}},
	{"Once", "what one who died had begun another does", func(s *stage) {
		h := s.victim("stay once")
		waits := s.begins(s.other, "count once")
		s.wait(s.c.Once, 1)
		kill(h)
		s.ends(waits)
		s.does(s.one, "count once")
		s.is("done", int(s.c.Num.Load()), 1)
	}},
	{"Cond", "the signal of one who died on its way goes to the next", func(s *stage) {
		h := s.victimOf("lock", "wait", "unlock")
		s.wait(s.c.Cond, 1)
		next := s.begins(s.other, "lock", "wait", "unlock")
		s.wait(s.c.Cond, 2)
		s.c.Cond.SignalWhile(func() { kill(h) })
		s.ends(next)
	}},
	{"Event", "who died leaves it as it was", func(s *stage) {
		s.c.Group.Add(1)
		kill(s.victim("set", "say so", "wait for group"))
		s.is("IsSet", s.does(s.other, "is set"), 1)
	}},
	{"WaitGroup", "who died leaves the number as it was, and another may report his work done", func(s *stage) {
		kill(s.victim("add one", "say so", "stay"))
		s.does(s.other, "wait for group in vain", "done", "wait for group")
	}},
	{"Queue", "what one who died had put is there", func(s *stage) {
		s.c.N = 7
		kill(s.victim("put", "put", "say so", "stay"))
		s.is("got", s.does(s.other, "get"), 7)
		s.is("got", s.does(s.one, "get"), 7)
	}},
	{"Queue", "what one who died had taken is lost, which Join says until it is reported done", func(s *stage) {
		s.does(s.one, "put", "put")
		h := s.victim("get", "say so", "stay")
		s.does(s.other, "get", "task done")
		waits := s.begins(s.other, "join")
		s.wait(s.c.Line, 1)
		kill(h)
		s.fails(waits, shared.ErrItemsLost)
		s.fails(s.begins(s.one, "join"), shared.ErrItemsLost)
		s.does(s.one, "task done", "join")
		s.does(s.other, "join")
	}},
	{"Queue", "what one who died had taken another reports done, though nobody has looked for the dead", func(s *stage) {
		s.does(s.one, "put")
		h := s.victim("get", "say so", "stay")
		kill(h)
		s.does(s.one, "task done", "join")
		s.does(s.other, "join")
	}},
	{"Value", "all are told that one died in an Update, whose change is not half there, until a Repair", func(s *stage) {
		h := s.victim("stay in Update")
		kill(h)
		s.owner(h, "total")
		s.does(s.other, "repair the tally")
		s.is("Total", s.does(s.one, "total"), 2)
	}},
	{"Slice", "all are told that one died in an Update, whose change stays, until a Repair", func(s *stage) {
		h := s.victim("stay in the Update of a Slice")
		kill(h)
		s.owner(h, "fill")
		s.does(s.other, "repair the slice")
		s.is("the first", s.does(s.one, "fill", "look at the first"), 7)
	}},
	{"Pipe", "the end of one who died is closed", piped(func(s *stage) {
		s.c.N = 7
		phone := s.c.Phone
		s.c.Phone = nil
		h := s.victim("ring", "say so", "stay")
		s.hungUp()
		s.c.Phone = phone
		waits := s.begins(s.other, "hear", "hear")
		kill(h)
		s.fails(waits, io.EOF)
	})},
}
