package shared

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem/internal/monitor"
	"github.com/tandem-go/tandem/internal/sys"
)

// runBytes is about how much is copied while others wait outside.
const runBytes = 32 << 10

// lookFor is how long one looks before he sleeps: less than it costs to wake him.
const lookFor = 20 * time.Microsecond

// send puts the n items in raw, and waits for room. It reports how many it put.
func (v *queue) send(ctx context.Context, raw []byte, n int) (sent int, err error) {
	for looked := false; ; {
		if err := v.EnterSoon(ctx); err != nil {
			return sent, err
		}
		items, bytes := 0, 0
		alone := v.Idle(putting)
		if alone {
			items, bytes, err = v.put(raw, n-sent)
			sent, raw = sent+items, raw[bytes:]
			v.Settle()
		}
		switch {
		case err != nil || sent == n:
			return sent, v.quit(err)
		case !alone || looked && items == 0:
			items, err = v.awaitRoom(ctx, raw, n-sent)
			return sent + items, err
		}
		now := v.Word(head)
		if err := v.Leave(); err != nil {
			return sent, err
		}
		v.eyes[putting].look(v.Monitor, head, now)
		looked = true
	}
}

// awaitRoom and awaitItems are apart so that who need not wait need not allocate.
func (v *queue) awaitRoom(ctx context.Context, raw []byte, n int) (sent int, err error) {
	err = v.Await(ctx, putting, func() (bool, error) {
		items, bytes, err := v.put(raw, n-sent)
		sent, raw = sent+items, raw[bytes:]
		return err != nil || sent == n, err
	}, func() {})
	return sent, err
}

// receive takes up to most items, and waits for the first. It appends them to raw.
func (v *queue) receive(ctx context.Context, raw []byte, most int) (_ []byte, items int, err error) {
	for looked := false; ; looked = true {
		if err := v.EnterSoon(ctx); err != nil {
			return raw, 0, err
		}
		alone := v.Idle(getting)
		if alone {
			raw, items, err = v.get(raw, most)
			v.Settle()
		}
		switch {
		case err != nil || items > 0:
			return raw, items, v.quit(err)
		case !alone || looked:
			return v.awaitItems(ctx, raw, most)
		}
		now := v.Word(tail)
		if err := v.Leave(); err != nil {
			return raw, 0, err
		}
		v.eyes[getting].look(v.Monitor, tail, now)
	}
}

func (v *queue) awaitItems(ctx context.Context, raw []byte, most int) (_ []byte, items int, err error) {
	err = v.Await(ctx, getting, func() (bool, error) {
		var err error
		raw, items, err = v.get(raw, most)
		return err != nil || items > 0, err
	}, func() {})
	return raw, items, err
}

// trySend and tryReceive do not wait, nor overtake who waits here.
func (v *queue) trySend(raw []byte, n int) (items int, err error) {
	if err := v.EnterSoon(context.Background()); err != nil {
		return 0, err
	}
	if v.Idle(putting) {
		items, _, err = v.put(raw, n)
		v.Settle()
	}
	return items, v.quit(err)
}

func (v *queue) tryReceive(raw []byte, most int) (_ []byte, items int, err error) {
	if err := v.EnterSoon(context.Background()); err != nil {
		return raw, 0, err
	}
	if v.Idle(getting) {
		raw, items, err = v.get(raw, most)
		v.Settle()
	}
	return raw, items, v.quit(err)
}

// returned puts back what was taken, when there is room.
func (v *queue) returned(raw []byte) error {
	if err := v.EnterSoon(context.Background()); err != nil {
		return err
	}
	back := func() (bool, error) { return v.putBack(raw) }
	if over, err := back(); over {
		v.Settle()
		return v.quit(err)
	}
	return v.Await(context.Background(), putting, back, func() {})
}

// eye looks at a word from outside. In each process one goroutine looks for all.
type eye struct{ open atomic.Bool }

// look returns when word k is not now, or after a while.
func (e *eye) look(m *monitor.Monitor, k int, now uint64) {
	if !several() || !e.open.CompareAndSwap(false, true) {
		return
	}
	defer e.open.Store(false)
	begun := time.Now()
	for i := 1; m.Word(k) == now; i++ {
		sys.Pause()
		if i%16 == 0 && time.Since(begun) > lookFor {
			break
		}
	}
	runtime.KeepAlive(m)
}

// several reports whether somebody else can run while this goroutine looks.
var several = sync.OnceValue(func() bool { return sys.UsableCPUs() > 1 && runtime.GOMAXPROCS(0) > 1 })
