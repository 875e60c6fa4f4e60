package coroutine

import (
	"context"
	"slices"
	"time"
)

// A wait is what a parked coroutine waits for.
type wait struct {
	ctx    context.Context // ends the wait
	target *task           // a coroutine of the same loop, or
	what   string          // something else
	helper func()          // started on a goroutine when t has given the turn away
	stop   chan struct{}   // closed to end the helper, whose note then ends the wait
	ended  bool            // stop is closed
}

// park gives the turn away until wake. Who calls it finds out afterwards
// whether what it waited for has come; if not, ctx has ended.
func (t *task) park(ctx context.Context, w wait) {
	w.ctx = ctx
	t.gen++
	t.wait, t.parked = w, true
	if done := ctx.Done(); done != nil && done != t.ctx.Done() {
		// Not the coroutine's own context, to which cancels come down the tree.
		unheed := context.AfterFunc(ctx, func() { t.s.tell(note{t: t}) })
		defer unheed()
	}
	t.swap()
	t.wait = wait{}
}

// wake makes a parked coroutine ready.
func (t *task) wake() {
	if t.parked {
		t.parked = false
		t.s.ready.push(t)
	}
}

// rouse ends the wait of t if its context has ended, and says if it has. A
// wait with a helper ends when the helper has: what it received meanwhile must
// not be lost.
func (t *task) rouse() bool {
	w := &t.wait
	switch {
	case !t.parked || w.ctx.Err() == nil:
		return false
	case w.stop == nil:
		t.wake()
	case !w.ended:
		w.ended = true
		close(w.stop)
	}
	return true
}

// Yield gives the turn to all who wait for theirs. It costs about 150 ns. It
// returns context.Cause(ctx) if ctx has ended, but gives the turn away first.
func Yield(ctx context.Context) error {
	current(ctx, "Yield").giveWay()
	return cause(ctx)
}

func (t *task) giveWay() {
	t.s.ready.push(t)
	t.swap()
}

// Sleep waits for d. Those who wake at the same time do so in the order in
// which they went to sleep. A d of zero or less is a Yield. If ctx ends first,
// Sleep returns its cause.
func Sleep(ctx context.Context, d time.Duration) error {
	t := current(ctx, "Sleep")
	if d <= 0 {
		t.giveWay()
		return cause(ctx)
	}
	if err := cause(ctx); err != nil {
		return err
	}
	t.s.fallAsleep(t, d)
	t.park(ctx, wait{what: "a sleep"})
	if t.s.leaveBed(t) {
		return context.Cause(ctx)
	}
	return nil
}

// join waits for t. It returns nil when t has settled.
func (t *task) join(ctx context.Context) error {
	if t.settled() {
		return nil
	}
	me := current(ctx, "Wait")
	if me == t {
		panic("tandem: loop: coroutine " + t.Name() + " waits for itself; it would never end")
	}
	if me.s != t.s {
		return me.awaitDone(ctx, t.done, "coroutine "+t.Name()+" of another loop")
	}
	if err := cause(ctx); err != nil {
		return err
	}
	t.waiters = append(t.waiters, me)
	me.park(ctx, wait{target: t})
	if t.settled() {
		return nil
	}
	i := slices.Index(t.waiters, me)
	t.waiters = slices.Delete(t.waiters, i, i+1)
	return context.Cause(ctx)
}
