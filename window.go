package tandem

import "sync/atomic"

// MaxWindow is the most inputs that an automatic Window reads ahead.
const MaxWindow = 1 << 15

// window bounds how far the input sequence is read ahead of the loop. It counts
// two things, read by the sequence's goroutine and yielded by the loop's, and keeps
// their difference within size.
//
// Each side looks at the other's count only when it must: the reader when it has
// come to the limit that it knew, the loop when somebody sleeps there.
type window struct {
	auto  bool
	width int64 // of the place
	size  atomic.Int64

	yielded atomic.Int64 // published by the loop's goroutine, now and then
	asleep  atomic.Int64 // the reader waits for yielded to pass this; awake: it does not
	room    chan struct{}

	own  int64 // yielded, as the loop's goroutine knows it
	next int64 // the value of own to publish next
}

const awake = int64(1)<<62 - 1

// open prepares the window; n is what the caller asked for.
func (w *window) open(n, width int) {
	w.auto, w.width = n == 0, int64(max(1, width))
	w.size.Store(int64(n))
	if w.auto {
		w.size.Store(2 * w.width)
	}
	w.asleep.Store(awake)
	w.room = make(chan struct{}, 1)
	w.next = 1
}

// grow makes an automatic window at least n.
func (w *window) grow(n int) {
	for w.auto {
		old, n := w.size.Load(), int64(min(n, MaxWindow))
		if n <= old {
			return
		}
		if w.size.CompareAndSwap(old, n) {
			w.wake()
			return
		}
	}
}

// await returns when another input may be read after read of them, and how many
// may be in all; false when done is closed first.
func (w *window) await(read int64, done <-chan struct{}) (limit int64, ok bool) {
	for !isClosed(done) {
		size := w.size.Load()
		if limit = w.yielded.Load() + size; read < limit {
			return limit, true
		}
		w.asleep.Store(read - size)
		if w.yielded.Load() > read-size || w.size.Load() > size {
			w.asleep.Store(awake)
			continue
		}
		select {
		case <-w.room:
		case <-done:
		}
	}
	return 0, false
}

// slack is the room that is worth waking the reader for while the loop has more to
// do: what remains must keep the place busy.
func (w *window) slack() int64 { return max(1, (w.size.Load()-2*w.width)/8) }

// free is called by the loop before it yields an item, which leaves the window.
func (w *window) free() {
	if w.own++; w.own >= w.next {
		w.step()
	}
}

func (w *window) step() {
	slack := w.slack()
	w.next = w.own + max(1, slack/8)
	w.publish(slack)
}

// publish lets the reader see what was yielded, and wakes it if it has waited for
// at least slack.
func (w *window) publish(slack int64) {
	w.yielded.Store(w.own)
	if w.own >= w.asleep.Load()+slack {
		w.wake()
	}
}

func (w *window) wake() {
	if w.asleep.Swap(awake) != awake {
		signal(w.room)
	}
}
