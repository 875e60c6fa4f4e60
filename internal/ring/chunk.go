package ring

import (
	"fmt"

	"github.com/tandem-go/tandem/internal/wire"
)

// A chunk is a call of several items, which the worker runs one after the other.
// Its slot has a second word, progress, that says how far the worker is and how
// far it may go. Both sides change it by compare-and-swap, so the parent can take
// back what is not begun while the worker runs.
//
//	bits  0–15   begun: items that the worker has begun
//	bits 16–31   limit: items that it may begin
//	bits 32–63   the low half of the position
type progress uint64

// MaxItems is how many items a chunk may have.
const MaxItems = 1<<16 - 2

// Untaken is what Trim returns when it took nothing back: more than any number of
// items.
const Untaken = MaxItems + 1

func packProgress(p position, begun, limit int) progress {
	return progress(uint32(p))<<32 | progress(limit)<<16 | progress(begun)
}

func (g progress) begun() int         { return int(g & 0xffff) }
func (g progress) limit() int         { return int(g >> 16 & 0xffff) }
func (g progress) at(p position) bool { return uint32(g>>32) == uint32(p) }

// PublishItems is Publish for a chunk of n items, 1 to MaxItems. Where one ends and
// the next begins is the users' business.
func (o *Outbox) PublishItems(s Slot, request []byte, n int) {
	if n < 1 || n > MaxItems {
		panic(fmt.Sprintf("tandem: ring: a chunk of %d items; it may have 1 to %d", n, MaxItems))
	}
	o.submit(s, request, n, chunkBit)
}

// Begun is how many items of a chunk the worker says it has begun. It is a hint.
func (o *Outbox) Begun(s Slot) int {
	g := progress(o.slot(s.at).progress.Load())
	if !g.at(s.at) {
		return 0
	}
	return min(g.begun(), g.limit())
}

// Trim takes back all items of a chunk that the worker has not begun, and returns
// how many remain the worker's; it never begins the others. It may be called while
// the chunk is queued or runs, and again. When the call is over, is none of items,
// or the worker cannot be believed, nothing is taken back and the result is
// Untaken.
func (o *Outbox) Trim(s Slot) (remain int) {
	p := o.parent
	p.mu.Lock()
	defer p.mu.Unlock()
	if !o.live(s) || p.broken.Load() {
		return Untaken
	}
	remain, err := o.trim(s)
	if err != nil {
		return Untaken
	}
	return remain
}

// trim makes the limit what is begun. Parent.mu is held.
func (o *Outbox) trim(s Slot) (remain int, err error) {
	e, sl := o.entry(s.at), o.slot(s.at)
	for least := 0; ; {
		g, err := o.progress(s)
		if err != nil {
			return 0, err
		}
		// A worker that keeps the rules makes the swap fail only by beginning more, so
		// one that does not cannot hold its parent here.
		if g.begun() < least {
			return 0, o.overstepped(s, g)
		}
		if sl.progress.CompareAndSwap(uint64(g), uint64(packProgress(s.at, g.begun(), g.begun()))) {
			e.limit, e.trimmed = g.begun(), true
			return g.begun(), nil
		}
		least = g.begun() + 1
	}
}

// Peek copies what the worker has answered so far of a chunk that takes long: begun
// is how many items it has begun, and the outcomes of all but the last of these are
// complete in answer. What lies behind them means nothing. A worker that breaks the
// rules may have answered otherwise by the time that WaitItems returns.
func (o *Outbox) Peek(s Slot, dst []byte) (answer []byte, begun int) {
	p := o.parent
	p.mu.Lock()
	defer p.mu.Unlock()
	if !o.live(s) || p.broken.Load() {
		return dst, 0
	}
	g, err := o.progress(s)
	if err != nil {
		return dst, 0
	}
	return o.glimpse(s, g.begun(), dst), g.begun()
}

// glimpse appends whatever lies in the slot: only the users know where the last
// complete outcome ends. begun was loaded before, and what was complete then stays.
func (o *Outbox) glimpse(s Slot, begun int, dst []byte) []byte {
	if begun < 2 {
		return dst
	}
	return append(dst, o.slot(s.at).inline[:]...)
}

// live says whether s is a chunk that is published and not settled. Parent.mu is
// held, under which chunks are settled.
func (o *Outbox) live(s Slot) bool {
	e := o.entry(s.at)
	at, f := noted(e.state.Load())
	return at == s.at && (f == published || f == parked || f == noticed) && e.items > 0
}

// progress loads the word once and checks it against what only the parent knows:
// after Trim the worker can have begun neither more nor less than Trim said.
// Parent.mu is held.
func (o *Outbox) progress(s Slot) (progress, error) {
	g, e := progress(o.slot(s.at).progress.Load()), o.entry(s.at)
	if !g.at(s.at) || g.limit() != e.limit || g.begun() > e.limit || e.trimmed && g.begun() != e.limit {
		return g, o.overstepped(s, g)
	}
	return g, nil
}

// overstepped is violated for the progress of a chunk.
func (o *Outbox) overstepped(s Slot, g progress) error {
	o.parent.broken.Store(true)
	return fmt.Errorf("tandem: ring: %w: a chunk at position %d of at most %d items says position %d, %d begun of at most %d",
		wire.ErrProtocol, s.at, o.entry(s.at).limit, uint32(g>>32), g.begun(), g.limit())
}
