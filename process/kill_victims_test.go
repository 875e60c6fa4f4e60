package process_test

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem/process"
)

// victims are the workers that have settled a call. One that is killed before it
// serves is another matter: three in a row, with no other alive, and the pool is
// broken. They are not known by their numbers: after some thousand deaths a newborn
// has the number of one that served.
type victims struct {
	mu      sync.Mutex
	serving map[*process.Process]bool
	killed  atomic.Int64 // how many hunt has killed so far
}

func (v *victims) add(pid int) {
	for _, p := range process.Children() {
		if p.PID() == pid {
			v.mu.Lock()
			defer v.mu.Unlock()
			v.serving[p] = true
			return
		}
	}
}

func (v *victims) pick(random *rand.Rand) *process.Process {
	v.mu.Lock()
	defer v.mu.Unlock()
	var alive []*process.Process
	for _, p := range process.Children() {
		if v.serving[p] {
			alive = append(alive, p)
		}
	}
	if len(alive) == 0 {
		return nil
	}
	return alive[random.IntN(len(alive))]
}

// hunt kills one victim every few milliseconds until stop, which returns how many
// were killed, together with those of hunts before.
func (v *victims) hunt(random *rand.Rand) (stop func() int) {
	return v.huntEvery(random, func() time.Duration {
		return time.Millisecond + time.Duration(random.IntN(8_000))*time.Microsecond
	})
}

// huntEvery kills one victim after each pause.
func (v *victims) huntEvery(random *rand.Rand, pause func() time.Duration) (stop func() int) {
	done := make(chan struct{})
	dead := map[*process.Process]bool{} // one is there until it is reaped, and can be killed again
	var hunter sync.WaitGroup
	hunter.Go(func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(pause()):
			}
			// By Process.Kill, which holds the pid while it is used: among so many
			// deaths, a bare kill could meet the number's next owner.
			if p := v.pick(random); p != nil && p.Kill() == nil && !dead[p] {
				dead[p] = true
				v.killed.Add(1)
			}
		}
	})
	return func() int {
		close(done)
		hunter.Wait()
		return int(v.killed.Load())
	}
}
