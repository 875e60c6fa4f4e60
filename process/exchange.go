package process

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/ring"
	"github.com/tandem-go/tandem/internal/wire"
)

// exchange is the flight of a chunk: which of its items are settled, by whom. The
// goroutine that waits for the worker settles them at the end; when that takes long,
// a timer settles what is done by then, and takes back what is not begun.
type exchange struct {
	pump   *pump
	ctx    context.Context
	flight *flight
	chunk  *tandem.Chunk
	from   int // the first item of the chunk that was sent
	n      int // how many were
	sent   int // n, before any were taken back
	moved  int // times before
	tried  int // 1: the item behind those told is idempotent, and its worker died in it
	limits tandem.Limits

	mu     sync.Mutex
	over   bool
	told   int // items settled
	parsed int // bytes of the answer that these were
	failed int // of them, those that failed
}

// lookAfter is how long a chunk may take before somebody looks: what waits behind a slow
// item then goes elsewhere.
const lookAfter = 2 * chunkTime

// Sleep is what a Watcher does when the answer does not come at once. An item alone is
// observed too: those of others may come behind it, or it behind theirs.
func (x *exchange) Sleep() {
	x.flight.Sleep()
	after := lookAfter
	if t := x.flight.limits.Time; t > 0 {
		after = min(after, t)
	}
	x.pump.observe(x, after)
}

// peek is called when the chunk takes longer than was meant. What the worker has
// answered is settled, what it has not begun is taken back, and another pump goes on
// with that and with all that waits behind.
func (x *exchange) peek() {
	x.mu.Lock()
	defer x.mu.Unlock()
	f := x.flight
	if x.over || f.lane.worker.distrusted.Load() {
		return
	}
	if x.ready() {
		f.lane.ring.Stir() // whose turn it is sleeps for a later one
		return
	}
	if x.n > 1 {
		remain := f.lane.ring.Trim(f.slot)
		if remain > x.n {
			return // it is over
		}
		x.n = remain
		f.last()
		if answer, begun := f.lane.ring.Peek(f.slot, nil); begun > 0 {
			x.settle(answer, begun-1)
		}
	}
	x.pump.state.assign.slow(f)
	var behind part
	if end := x.from + x.n; end < x.chunk.Len() {
		behind.chunk = x.chunk.Split(end)
	}
	x.pump.mu.Lock()
	defer x.pump.mu.Unlock()
	x.pump.succeed(behind)
}

// ready says that land need not wait.
func (x *exchange) ready() bool { return x.flight.lane.ring.Ready(x.flight.slot) }

// settle settles items up to done by the answer. An error is about the item behind
// those that are settled then.
func (x *exchange) settle(answer []byte, done int) error {
	if done <= x.told || x.parsed > len(answer) {
		return nil
	}
	settled, failed, rest, err := x.chunk.SetOutputs(x.from+x.told, done-x.told, answer[x.parsed:])
	x.told += settled
	x.failed += failed
	x.parsed = len(answer) - len(rest)
	return err
}

// settleOne settles the next item with an error.
func (x *exchange) settleOne(err error) {
	x.chunk.Settle(x.from+x.told, err)
	x.told++
	if err != nil {
		x.failed++
	}
}

// send sends the chunk. An error is why it must not run at all.
func (x *exchange) send(m *message) error {
	f := x.flight
	if err := f.begin(x.ctx, x.chunk.Spec().Name, &x.limits, x.n, false); err != nil {
		f.end()
		f.abandon()
		return err
	}
	m.stamp()
	f.lane.ring.PublishItems(f.slot, m.frame[wire.HeaderSize:], x.n)
	return nil
}

// politeTurns is how often the goroutine that waits for a chunk lets others run before
// it looks by itself: the input sequence and the loop want its processor.
const politeTurns = 10

// land waits and settles the items that the worker began. It may sleep until far, which
// is behind this one or the same, is over too. err is why the others are not to run at
// all.
func (x *exchange) land(s *poolState, far *exchange) (err error) {
	f := x.flight
	var answer []byte
	var begun int
	var aside bool
	if x.pump.tiny() {
		for turns := 0; turns < politeTurns && !x.ready(); turns++ {
			runtime.Gosched()
		}
		answer, begun, aside, err = f.lane.ring.WaitItems(f.slot, f.answer[:0], x)
	} else {
		answer, begun, aside, err = f.lane.ring.Doze(f.slot, far.flight.slot, f.answer[:0], x)
	}
	f.answer = answer
	x.close()
	switch {
	case err == nil:
		err = x.conclude(answer, begun, aside)
	case errors.Is(err, wire.ErrProtocol):
		err = f.failed(err)
	case err == ring.ErrUnstarted, err == ring.ErrGone:
		err = errDied
	default:
		err = nil // taken back
	}
	cause := f.end()
	if err == errDied {
		x.bury(s, answer, begun, cause)
	}
	s.count.done.Add(uint64(x.told - x.failed))
	s.count.failed.Add(uint64(x.failed))
	if errors.Is(cause, tandem.ErrTimeout) { // only the item that ran has met its limit
		cause = nil
	}
	return cause
}

// close ends the looking.
func (x *exchange) close() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.over = true
}

// conclude settles what the worker has begun and answered. An item that was asked to
// stop is the last of them.
func (x *exchange) conclude(answer []byte, begun int, aside bool) error {
	inline := begun
	if aside {
		inline--
	}
	cause := x.flight.asked()
	if cause != nil && !aside {
		inline--
	}
	err := x.settle(answer, inline)
	if err == nil && cause != nil && !aside && x.told == inline && begun > 0 && x.parsed <= len(answer) {
		failed, e := x.chunk.Stopped(x.from+x.told, answer[x.parsed:], cause)
		if err = e; err == nil {
			x.told++
			if failed {
				x.failed++
			}
		}
	}
	if err == nil && aside {
		x.flight.turn()
		if err = x.flight.reply(x.chunk.Job(x.from+x.told), &x.limits); err == errDied {
			return err
		}
		if err != nil && cause != nil {
			err = cause
		}
		x.settleOne(err)
		err = nil
	}
	for x.told < begun { // what is left of a damaged answer
		if err == nil {
			err = fmt.Errorf("tandem: %s: %w: its outcome is missing", x.chunk.Spec().Name, tandem.ErrMalformed)
		}
		x.settleOne(err)
		x.flight.distrust()
	}
	return nil
}

// bury settles what a worker had begun when it died. What it had not goes elsewhere,
// unless it broke a rule: then nothing that it held is sent again.
func (x *exchange) bury(s *poolState, answer []byte, begun int, cause error) {
	w, task := x.flight.lane.worker, x.chunk.Spec()
	<-w.gone
	s.count.crashed.Add(1)
	s.assign.died(w)
	trusted := w.death.trusted
	switch {
	case !trusted:
		begun = x.n
	case begun > 0:
		x.settle(answer, begun-1)
	}
	for x.told < begun {
		if err := cause; err != nil {
			x.settleOne(err)
			continue
		}
		if trusted && task.Idempotent && !overran(w) && x.told == begun-1 {
			x.tried = 1 // it runs again, alone
			w.death.witness(x.chunk.Job(x.from+x.told), 1)
			return
		}
		j := x.chunk.Job(x.from + x.told)
		crash := w.death.of(j, 1)
		crash.Collateral = w.death.killed && trusted && s.plan.lanes > 1
		x.settleOne(s.killers.died(j, crash, w.death.outside))
	}
}
