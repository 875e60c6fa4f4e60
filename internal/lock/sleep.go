package lock

import (
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem/internal/sys"
)

// Sleep is sys.FutexWait, but for the threads that it costs. The first sleepers of this
// process have threads of their own, which wake up soonest; all others share threads, 127
// each, where the kernel can do that. They may be woken for no reason every tenth of a
// second. The memory of addr belongs to owner, which the thread keeps alive. A mark of 0
// is for a word of which nobody is called away.
func Sleep(owner any, addr *uint32, val, mark uint32, timeout time.Duration) error {
	// A shared thread wakes at every mark. If many processes slept so on one lock, all
	// of them would wake at each hand-over: a storm with 64 had a tenth of the turns.
	alone, most := &marked, int64(2)
	if mark == 0 {
		alone, most, mark = &unmarked, 1, 1
	}
	first := alone.Add(1) <= most
	defer alone.Add(-1)
	if first || !canShare() {
		defer runtime.KeepAlive(owner)
		return sys.FutexWait(addr, val, mark, timeout)
	}
	s := &sleeper{owner: owner, addr: addr, val: val, woken: make(chan error, 1)}
	room := lieDown(s)
	var late <-chan time.Time // nil: it is woken every longestSleep anyhow
	if timeout < longestSleep {
		t := time.NewTimer(timeout)
		defer t.Stop()
		late = t.C
	}
	select {
	case err := <-s.woken:
		return err
	case <-late:
		dormitory.Lock()
		defer dormitory.Unlock()
		room.out(s)
		return os.ErrDeadlineExceeded
	}
}

// How many sleep, with a mark and without.
var marked, unmarked atomic.Int64

// canShare asks the kernel.
var canShare = sync.OnceValue(func() bool {
	var word uint32
	_, err := sys.FutexWaitMany([]sys.Futex{sys.NewFutex(&word, 1)}, 0)
	return err == nil
})

// sleeper is a goroutine that sleeps until *addr is not val, or is woken.
type sleeper struct {
	owner any
	addr  *uint32
	val   uint32
	woken chan error // has room for the outcome
}

// room is a thread that sleeps for up to 127.
type room struct {
	all  []*sleeper
	bell uint32 // changes when somebody has come
}

// dormitory are all rooms of this process, none of them empty.
var dormitory struct {
	sync.Mutex
	rooms []*room
}

const beds = sys.MostFutexes - 1 // the last one is for the bell

func lieDown(s *sleeper) *room {
	dormitory.Lock()
	defer dormitory.Unlock()
	i := slices.IndexFunc(dormitory.rooms, func(r *room) bool { return len(r.all) < beds })
	if i < 0 {
		r := &room{all: []*sleeper{s}}
		dormitory.rooms = append(dormitory.rooms, r)
		go r.sleep()
		return r
	}
	r := dormitory.rooms[i]
	r.all = append(r.all, s)
	r.ring()
	return r
}

func (r *room) ring() {
	atomic.AddUint32(&r.bell, 1)
	sys.FutexWake(&r.bell, 1)
}

// out takes s away. The dormitory is locked.
func (r *room) out(s *sleeper) bool {
	i := slices.Index(r.all, s)
	if i < 0 {
		return false
	}
	r.all = slices.Delete(r.all, i, i+1)
	if len(r.all) == 0 {
		r.ring() // the thread may end
	}
	return true
}

// sleep is the thread. It ends with its last sleeper.
func (r *room) sleep() {
	next := time.Now().Add(longestSleep) // when it wakes all
	for {
		words, all := r.look()
		if len(all) == 0 {
			return
		}
		i, err := sys.FutexWaitMany(words, max(0, time.Until(next)))
		runtime.KeepAlive(all) // whose memory the kernel looked at
		if err == os.ErrDeadlineExceeded {
			next, err = time.Now().Add(longestSleep), nil
			r.wake(all, nil)
		}
		if err != nil {
			r.wake(all, err)
		}
		if i > 0 {
			r.wake(all[i-1:i], nil)
		}
	}
}

// look wakes those whose words have changed, and returns the others: their words
// behind that of the bell. A wake that came at the same time as another, to a word
// that is what it was, is lost until the next time that all are woken; rule 7 has such
// cases too.
func (r *room) look() (words []sys.Futex, all []*sleeper) {
	dormitory.Lock()
	defer dormitory.Unlock()
	words = append(words, sys.NewFutex(&r.bell, atomic.LoadUint32(&r.bell)))
	for _, s := range slices.Clone(r.all) {
		if atomic.LoadUint32(s.addr) != s.val {
			r.out(s)
			s.woken <- nil
			continue
		}
		words = append(words, sys.NewFutex(s.addr, s.val))
		all = append(all, s)
	}
	if len(all) == 0 {
		dormitory.rooms = slices.DeleteFunc(dormitory.rooms, func(o *room) bool { return o == r })
	}
	return words, all
}

func (r *room) wake(list []*sleeper, err error) {
	dormitory.Lock()
	defer dormitory.Unlock()
	for _, s := range list {
		if r.out(s) {
			s.woken <- err
		}
	}
}
