package process

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem/internal/cgroup"
	"github.com/tandem-go/tandem/internal/child"
	"github.com/tandem-go/tandem/internal/codec"
	"github.com/tandem-go/tandem/internal/ring"
	"github.com/tandem-go/tandem/internal/sandbox"
	"github.com/tandem-go/tandem/internal/slab"
	"github.com/tandem-go/tandem/internal/spawn"
	"github.com/tandem-go/tandem/internal/sys"
	"github.com/tandem-go/tandem/internal/wire"
)

// worker is one process as its parent sees it: a channel for what is said beside
// the calls, one lane for each call that it can run at once, and a page in which
// it notes what it has started.
type worker struct {
	plan    *plan
	number  int // in its pool, from 1
	process *Process
	proc    *spawn.Proc
	control *wire.Conn
	lanes   []*lane
	output  *output
	group   *cgroup.Group // bounds its memory or its processes; nil: it is in that of this process

	page     *sys.Page
	pageFile *os.File
	sandbox  *sandbox.Policy // in force; nil: none
	rings    *ring.Parent    // nil: calls go through the lanes' sockets
	results  slab.Reader     // the segments of large results
	spinners *ring.Spinners
	calls    sync.WaitGroup // flights of a pool, which use the memory
	forsaken func()         // takes the worker out of its pool for good; nil outside pools

	distrusted atomic.Bool  // it broke a rule
	seen       atomic.Int64 // its data, when it was last looked at for a limit of memory

	speak sync.Mutex // held to send on control

	mu      sync.Mutex
	killed  string   // why tandem killed it, "" if it did not
	memory  int64    // the limit on its memory in the last call that had one
	kept    int64    // the limit that its group has now
	starved bool     // it was killed because it broke its limit of memory
	broke   error    // the rule of the protocol it broke
	status  string   // the kernel's, before it was killed; "" unless a dump is to tell
	refused *refusal // its last word
	started []uint64 // last call started on each lane; valid after gone
	phase   uint64   // how far its life went; valid after gone
	gone    chan struct{}
	death   death // valid after gone

	sheltered  bool // it is in the group of all workers
	sacrificed bool // it was killed because the container's memory was used up

	// What the kernel has done for want of memory, valid after gone: it has killed in
	// the group, for the group's own limit, or in the group of all workers.
	oomKilled, overran, oomShared bool

	leaving *time.Timer
	slow    *time.Timer // ends a worker that does not reach Init

	// What follows belongs to the pool's state machine, under its mutex.
	since    time.Duration // when it came to serve
	tasks    int           // calls it was given
	most     int           // after so many it is replaced, 0: never
	recycled string        // why it is replaced, "" if for no such reason
	busy     int           // calls on its lanes
	retiring bool
	dead     bool
}

type refusal struct {
	stage uint32 // 0 handshake, 1 Setup, 2 Exit
	body  []byte
}

// expire bounds the reading of what a dead worker has left in its sockets. Their
// end of file comes with its death, unless something that got away from its
// process group holds them open.
func (w *worker) expire() {
	if w.rings != nil {
		w.rings.Fail() // who waits there is told; what was answered is still an answer
	}
	w.control.Expire(lastWords)
	for _, l := range w.lanes {
		l.conn.Expire(lastWords)
	}
}

// awaken waits until the worker serves. Its error is the reason why it does not,
// and then the process is gone.
func (w *worker) awaken() error {
	err := w.listen(wire.Ready)
	w.reached()
	if err == nil {
		return nil
	}
	w.bury()
	return w.stillbirth()
}

// expectInit ends the worker if it does not reach Init in time.
func (w *worker) expectInit() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.page == nil { // it is gone, and nobody would stop the timer
		return
	}
	after := w.plan.initTimeout()
	due := clock() + after
	w.slow = time.AfterFunc(after, func() { w.tooSlow(clock() - due) })
}

// reached ends that.
func (w *worker) reached() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.slow.Stop()
}

// tooSlow ends a worker that has not reached Init. If it is called late, this process did
// not run itself, and nor may the worker: see flight.doubt.
func (w *worker) tooSlow(late time.Duration) {
	switch {
	case w.phaseNow() != child.PhaseExec:
	case late > leastUntaken/2:
		w.expectInit()
	default:
		w.kill(fmt.Sprintf("it did not reach tandem.Init, which must be the first line of main, within %v", w.plan.initTimeout()))
	}
}

// listen reads what the worker says until it says kind, or no more.
func (w *worker) listen(kind wire.Kind) error {
	for {
		var h codec.Handles
		hd, body, err := w.control.Recv(1<<20, &h)
		h.Close()
		switch {
		case err != nil:
			if errors.Is(err, wire.ErrProtocol) {
				w.violated(err)
			}
			return err
		case hd.Kind == kind:
			return nil
		case hd.Kind == wire.Refused:
			w.refuse(hd.Seq, body)
		default:
			err := fmt.Errorf("%w: %v frame on the control channel", wire.ErrProtocol, hd.Kind)
			w.violated(err)
			return err
		}
	}
}

// refuse notes the last word of a worker.
func (w *worker) refuse(stage uint32, body []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refused = &refusal{stage, append([]byte(nil), body...)}
}

// bury waits for the end of a worker that no longer speaks, and settles what
// there is to know about it. It is called once, by the worker's keeper.
func (w *worker) bury() {
	// A process that closed its channel and stays is of no use to anybody.
	late := time.AfterFunc(w.plan.Limits.GraceTime()+exitTime, func() { w.kill("it closed its channel and did not end") })
	<-w.proc.Done()
	late.Stop()
	container.remove(w)
	w.disband() // before finish: what got away may hold the output open
	w.output.finish()
	w.started = make([]uint64, len(w.lanes))
	for i := range w.lanes {
		w.started[i] = w.page.Word(child.FirstLane + i).Load()
	}
	w.phase = w.page.Word(child.PhaseWord).Load()
	w.death = w.explain()
	w.record()
	w.process.ended(w.proc.State())
	if w.forsaken != nil {
		w.forsaken() // no further call may use what release gives back
	}
	close(w.gone)
	w.release()
}

// release gives back what this process holds of a worker.
func (w *worker) release() {
	if w.control != nil {
		w.control.Close()
	}
	for _, l := range w.lanes {
		l.conn.Close()
	}
	w.calls.Wait() // they have been told, and must have read what they still may
	for _, l := range w.lanes {
		l.conn.Forget() // a Handle that is kept keeps this worker
	}
	w.results.Close()
	if w.rings != nil {
		w.rings.Close()
	}
	if w.spinners != nil {
		dropSpinners()
	}
	w.mu.Lock()
	if w.page != nil {
		w.page.Close()
		w.page = nil
	}
	for _, t := range []*time.Timer{w.leaving, w.slow} {
		if t != nil {
			t.Stop()
		}
	}
	w.mu.Unlock()
	if w.pageFile != nil {
		w.pageFile.Close()
	}
}

// phaseNow is how far the worker's life has gone.
func (w *worker) phaseNow() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.page == nil {
		return child.PhaseLeaving
	}
	return w.page.Word(child.PhaseWord).Load()
}

// spent reports whether the worker has had all the calls that it may.
func (w *worker) spent() bool { return w.most > 0 && w.tasks >= w.most }

// kill ends the process and its group. The first reason given is the one told.
func (w *worker) kill(why string) {
	w.mu.Lock()
	if w.killed == "" {
		w.killed = why
	}
	if w.proc != nil && w.plan.Dumps != nil && w.status == "" && w.proc.State() == nil {
		w.status = statusOf(w.proc.PID)
	}
	w.mu.Unlock()
	if w.proc != nil {
		w.proc.Kill()
	}
}

// weigh notes the memory limit of a call that begins.
func (w *worker) weigh(limit int64) {
	w.mu.Lock()
	w.memory = limit
	w.heed(limit)
	w.mu.Unlock()
}

// starve kills a worker that has broken its memory limit.
func (w *worker) starve() {
	w.mu.Lock()
	w.starved = w.killed == ""
	w.mu.Unlock()
	w.kill("it broke Limits.Memory")
}

// violated is called when the worker broke a rule: nothing of it is believed any
// more.
func (w *worker) violated(rule error) {
	w.mu.Lock()
	if w.broke == nil {
		w.broke = rule
	}
	w.mu.Unlock()
	w.distrusted.Store(true)
	w.kill("it broke the protocol")
}

// say sends a frame without descriptors to the worker. A failure means that it
// is dying, which others notice too.
func (w *worker) say(kind wire.Kind, seq uint32, body []byte) {
	w.speak.Lock()
	defer w.speak.Unlock()
	w.control.Send(kind, seq, append(wire.Room(nil), body...), nil)
}

// notLeaving is also what Close reports.
const notLeaving = "it was asked to leave and did not"

// leave asks the worker to end when its calls have, and kills it if it has not
// ended after the grace time.
func (w *worker) leave() {
	go w.say(wire.Exit, 0, nil) // a worker that does not read must not hold its pool up
	w.endIn(w.plan.Limits.GraceTime()+exitTime, notLeaving)
}

// endIn kills the worker if it has not ended after so long. The first such time counts.
func (w *worker) endIn(after time.Duration, why string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.leaving == nil && w.page != nil { // else it is gone, and nobody would stop the timer
		w.leaving = time.AfterFunc(after, func() { w.kill(why) })
	}
}
