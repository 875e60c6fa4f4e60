//go:build linux

package shared_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"github.com/tandem-go/tandem"
)

// Who waits looks by himself every tenth of a second, for the dead and for wakes that
// were lost with them. Without a death nobody has to wait for that: half of the times
// it takes less than half of it, on any machine on which a call takes less than that.
const halfALook = 50 * time.Millisecond

// prompt checks that what f plays is over before anybody has looked by himself.
func (s *stage) prompt(f func(over func(began time.Time))) {
	s.Helper()
	var took []time.Duration
	for range 7 {
		f(func(began time.Time) { took = append(took, time.Since(began)) })
	}
	slices.Sort(took)
	if median := took[len(took)/2]; median > halfALook {
		s.Errorf("it took %v half of the time, want at most %v: nobody was woken", median, halfALook)
	}
}

// handOver is what one does for which another waits, by this script. Before that it is
// prepared, and afterwards it is as it was.
type handOver struct {
	of, what string
	prepare  func(c cast)
	waits    []string
	who      func(c cast) interface{ Waiting() int }
	give     func(c cast) error
	both     bool // one of each side waits
}

func (h handOver) behaviour() behaviour {
	return behaviour{h.of, "nobody waits for a clock: " + h.what, func(s *stage) {
		s.prompt(func(over func(time.Time)) {
			h.prepare(s.c)
			list := []*tandem.Future[int]{s.begins(s.other, h.waits...)}
			if h.both {
				list = append(list, s.begins(s.one, h.waits...))
			}
			s.wait(h.who(s.c), len(list))
			began := time.Now()
			if err := h.give(s.c); err != nil {
				s.Error(err)
			}
			for _, waits := range list {
				waits.Wait(soon(s))
			}
			over(began)
			if h.of == "Barrier" {
				s.c.Meet.Reset()
			}
		})
	}}
}

func done(f func()) error { f(); return nil }

// The things for which a handOver waits.
var (
	ofSem   = func(c cast) interface{ Waiting() int } { return c.Sem }
	ofRW    = func(c cast) interface{ Waiting() int } { return c.RW }
	ofEvent = func(c cast) interface{ Waiting() int } { return c.Event }
	ofCond  = func(c cast) interface{ Waiting() int } { return c.Cond }
	ofMeet  = func(c cast) interface{ Waiting() int } { return c.Meet }
	ofGroup = func(c cast) interface{ Waiting() int } { return c.Group }
	ofLine  = func(c cast) interface{ Waiting() int } { return c.Line }
)

var handOvers = []handOver{
	{"Semaphore", "a permit", func(c cast) { c.Sem.Acquire(background); c.Sem.Acquire(background) },
		[]string{"acquire", "release"}, ofSem, func(c cast) error { c.Sem.Release(); defer c.Sem.Release(); return nil }, false},
	{"RWMutex", "a share", func(c cast) { c.RW.Lock(background) },
		[]string{"read lock", "read unlock"}, ofRW, func(c cast) error { return done(c.RW.Unlock) }, false},
	{"RWMutex", "the lock", func(c cast) { c.RW.RLock(background) },
		[]string{"write lock", "write unlock"}, ofRW, func(c cast) error { return done(c.RW.RUnlock) }, false},
	{"Event", "Set", func(c cast) { c.Event.Clear() }, []string{"stay"}, ofEvent, func(c cast) error { return c.Event.Set() }, true},
	{"Cond", "Signal", func(cast) {}, []string{"lock", "wait", "unlock"}, ofCond, func(c cast) error { return c.Cond.Signal() }, false},
	{"Cond", "Broadcast", func(cast) {}, []string{"lock", "wait", "unlock"}, ofCond, func(c cast) error { return c.Cond.Broadcast() }, true},
	{"Barrier", "the last party", func(cast) {}, []string{"meet"}, ofMeet,
		func(c cast) error { _, err := c.Meet.Wait(background); return err }, false},
	{"Barrier", "Abort", func(cast) {}, []string{"meet"}, ofMeet, func(c cast) error { return c.Meet.Abort() }, false},
	{"Barrier", "Reset", func(cast) {}, []string{"meet"}, ofMeet, func(c cast) error { return c.Meet.Reset() }, false},
	{"WaitGroup", "the last Done", func(c cast) { c.Group.Add(1) }, []string{"wait for group"}, ofGroup,
		func(c cast) error { return c.Group.Done() }, false},
	{"Queue", "an item", func(cast) {}, []string{"get"}, ofLine, func(c cast) error { return c.Line.Put(background, ware{}) }, false},
	{"Queue", "room", func(c cast) { c.Line.PutAll(background, make([]ware, 2-c.Line.Len())) }, []string{"put"}, ofLine,
		func(c cast) error { _, err := c.Line.Get(background); return err }, false},
	{"Queue", "an item of TryPut", func(cast) {}, []string{"get"}, ofLine,
		func(c cast) error { _, err := c.Line.TryPut(ware{}); return err }, false},
	{"Queue", "room of TryGet", func(c cast) { c.Line.PutAll(background, make([]ware, 2-c.Line.Len())) }, []string{"put"}, ofLine,
		func(c cast) error { _, _, err := c.Line.TryGet(); return err }, false},
	{"Queue", "the last TaskDone", func(c cast) { c.Line.Put(background, ware{}); c.Line.Get(background) }, []string{"join"}, ofLine,
		func(c cast) error { return c.Line.TaskDone() }, true},
}

// inNoTime is a behaviour of what is there: it is taken without a look at the context.
// Here it has ended.
func inNoTime(of, what string, prepare func(c cast), take func(ctx context.Context, c cast) error) behaviour {
	name := fmt.Sprintf("%s, %s, in no time", of, what)
	move(name, func(_ context.Context, c cast) (int, error) {
		ended, cancel := cancelled()
		defer cancel()
		return 0, take(ended, c)
	})
	return behaviour{of, "what is there is had without a look at the time: " + what, func(s *stage) {
		prepare(s.c)
		s.does(s.one, name)
		s.does(s.other, name)
	}}
}

func asItIs(cast) {}

var promptBehaviours = slices.Concat(promptHandOvers(), []behaviour{
	inNoTime("Mutex", "the lock", asItIs, func(ctx context.Context, c cast) error { return c.Lock.With(ctx, func() error { return nil }) }),
	inNoTime("RWMutex", "a share", asItIs, func(ctx context.Context, c cast) error { return c.RW.RWith(ctx, func() error { return nil }) }),
	inNoTime("RWMutex", "the lock", asItIs, func(ctx context.Context, c cast) error { return c.RW.With(ctx, func() error { return nil }) }),
	inNoTime("Semaphore", "a permit", asItIs, func(ctx context.Context, c cast) error { return c.Sem.With(ctx, func() error { return nil }) }),
	inNoTime("Cond", "a condition that holds", asItIs, func(ctx context.Context, c cast) error {
		return c.Cond.When(ctx, func() bool { return true }, func() error { return nil })
	}),
	inNoTime("Event", "one that is set", func(c cast) { c.Event.Set() }, func(ctx context.Context, c cast) error { return c.Event.Wait(ctx) }),
	inNoTime("WaitGroup", "nothing to do", asItIs, func(ctx context.Context, c cast) error { return c.Group.Wait(ctx) }),
	inNoTime("Once", "to do it, or what is done", asItIs, func(ctx context.Context, c cast) error {
		return c.Once.Do(ctx, func() error { return nil })
	}),
	inNoTime("Queue", "room and an item", asItIs, func(ctx context.Context, c cast) error {
		if err := c.Line.Put(ctx, ware{}); err != nil {
			return err
		}
		_, err := c.Line.Get(ctx)
		return err
	}),
	inNoTime("Queue", "nothing to join", asItIs, func(ctx context.Context, c cast) error { return c.Line.Join(ctx) }),
	inNoTime("Value", "its lock", asItIs, func(ctx context.Context, c cast) error {
		return c.Tally.Update(ctx, func(*tally) error { return nil })
	}),
	inNoTime("Slice", "its lock", asItIs, func(ctx context.Context, c cast) error {
		return c.Slice.Update(ctx, func([]int64) error { return nil })
	}),
	{"Mutex", "nobody waits for a clock: the end of his time", func(s *stage) {
		s.c.Lock.Lock(soon(s))
		s.prompt(func(over func(time.Time)) {
			began := time.Now()
			s.does(s.other, "lock in vain")
			over(began)
		})
		s.c.Lock.Unlock()
	}},
	{"Once", "nobody waits for a clock: the end of another's function", func(s *stage) {
		s.prompt(func(over func(time.Time)) {
			s.c.Once = newOnce(s.T)
			s.c.Event.Clear()
			doing := s.begins(s.one, "stay once")
			s.ready()
			waits := s.begins(s.other, "count once")
			s.wait(s.c.Once, 1)
			began := time.Now()
			s.c.Event.Set()
			s.ends(waits)
			over(began)
			s.ends(doing)
		})
		s.is("done by the second", int(s.c.Num.Load()), 0)
	}},
	{"Queue", "nobody waits for a clock: CloseSend", func(s *stage) {
		s.prompt(func(over func(time.Time)) {
			s.c.Line = newLine(s.T, 2)
			waits := s.begins(s.other, "get")
			s.wait(s.c.Line, 1)
			began := time.Now()
			s.c.Line.CloseSend()
			s.fails(waits, io.EOF)
			over(began)
		})
	}},
	{"Queue", "nobody waits for a clock: what a channel puts back", func(s *stage) {
		s.prompt(func(over func(time.Time)) {
			channelHas(s.T, s.c.Line, ware{}, func(leave func()) {
				waits := s.begins(s.other, "get")
				s.wait(s.c.Line, 1)
				began := time.Now()
				leave()
				s.ends(waits)
				over(began)
			})
		})
	}},
	{"WaitGroup", "more than 31 bits have room for is an error and adds nothing", func(s *stage) {
		s.c.N = math.MaxInt32
		s.does(s.one, "add many")
		s.fails(s.begins(s.other, "add one"), "tandem: shared.WaitGroup: ")
		s.c.N = -math.MaxInt32
		s.does(s.other, "add many", "wait for group")
	}},
	{"WaitGroup", "at zero who waits goes on, even if another Add follows at once", func(s *stage) {
		s.does(s.one, "add one")
		waits := s.begins(s.other, "wait for group")
		s.wait(s.c.Group, 1)
		s.does(s.one, "done", "add one")
		s.ends(waits)
	}},
})

func promptHandOvers() (list []behaviour) {
	for _, h := range handOvers {
		list = append(list, h.behaviour())
	}
	return list
}

var _ = move("add many", func(ctx context.Context, c cast) (int, error) { return 0, c.Group.Add(c.N) })
