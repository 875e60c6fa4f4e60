package shared

import (
	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/monitor"
)

// cond is a Cond as one process sees it. The state of a place is the number of
// signals that are on their way to its process: given, and not arrived at one who
// has the lock.
type cond struct {
	watch
	taken uint64 // of those, how many this process has given to its waiters
}

// mostSignals bounds what is believed of a dead process.
const mostSignals = 1024

func (*cond) kind() (mem.Kind, string) { return mem.KindCond, "Cond" }

func (v *cond) begin(m *monitor.Monitor) error { v.Monitor = m; return nil }

func (v *cond) signalled() bool {
	if v.State(v.Me()) <= v.taken {
		return false
	}
	v.taken++
	return true
}

func (v *cond) signal() {
	if i := v.First(0); i >= 0 {
		v.SetState(i, v.State(i)+1)
		v.Serve(i, 0, 1)
		v.Requeue(i)
	}
}

func (v *cond) broadcast() {
	for i := range v.Used() {
		if n := v.Waiting(i, 0); n > 0 {
			v.SetState(i, v.State(i)+uint64(n))
			v.Serve(i, 0, n)
		}
	}
}

// drop takes back a signal that was on its way to place i.
func (v *cond) drop(i int) {
	if n := v.State(i); n > 0 {
		v.SetState(i, n-1)
	}
}

// Gone passes on what was on its way to one who died.
func (v *cond) Gone(place, pid int) {
	for range min(v.State(place), mostSignals) {
		v.signal()
	}
}

// Settle passes on what was on its way to one who has left.
func (v *cond) Settle() {
	me := v.Me()
	if v.State(me) <= v.taken || !v.Idle(0) {
		return
	}
	for range min(v.State(me)-v.taken, mostSignals) {
		v.drop(me)
		v.signal()
	}
}
