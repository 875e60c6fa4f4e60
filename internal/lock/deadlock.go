package lock

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem/internal/sys"
)

// watched: this process looks for deadlocks. It then has to know which goroutine took
// a lock, which makes each Lock a hundred times as dear, so the user has to ask for
// it; see docs/design/2026-11-26-deadlocks.md.
var watched = slices.Contains(strings.Split(os.Getenv("TANDEMDEBUG"), ","), "locks")

// Deadlock says that who waits waits, in the end, for himself.
type Deadlock struct {
	PID, HolderPID int
	At, HolderAt   string // where they wait
}

func (e *Deadlock) Error() string {
	return fmt.Sprintf("deadlock: process %d at %s, process %d at %s", e.PID, e.At, e.HolderPID, e.HolderAt)
}

// patience is how long a goroutine waits before it takes a deadlock for possible.
const patience = time.Second

// holds says which goroutine took each lock that this process holds.
var holds = struct {
	sync.Mutex
	by map[*Lock]uint64
}{by: make(map[*Lock]uint64)}

// taken notes who holds l, who does not wait.
func (l *Lock) taken() {
	atomic.StoreUint64(l.label(), 0) // of one who died while he waited
	holds.Lock()
	defer holds.Unlock()
	holds.by[l] = goroutine()
}

func (l *Lock) forget() {
	holds.Lock()
	defer holds.Unlock()
	delete(holds.by, l)
}

// watch looks for a cycle on behalf of one goroutine that waits for l, by rule 10.
// A nil watch never finds one.
type watch struct {
	l               *Lock
	goroutine       uint64
	since           time.Time
	ticker          *time.Ticker
	at              string
	private, public uint64 // 0: not yet
	laps            int
}

func (l *Lock) watch() *watch {
	if !watched {
		return nil
	}
	return &watch{l: l, goroutine: goroutine(), since: time.Now(), ticker: time.NewTicker(longestSleep), at: caller()}
}

// tick is when to look, for who does not sleep on the word.
func (w *watch) tick() <-chan time.Time {
	if w == nil {
		return nil
	}
	return w.ticker.C
}

// look takes one step, and returns *Deadlock if the cycle is certain.
func (w *watch) look() error {
	if w == nil || time.Since(w.since) < patience {
		return nil
	}
	defer runtime.KeepAlive(w.l)
	seen := atomic.LoadUint64(w.l.label())
	switch {
	case w.private == 0:
		w.mark(newLabel())
	case seen == w.private && w.public == w.private:
		if w.laps++; w.laps == 2 {
			_, sig := split(atomic.LoadUint64(w.l.word))
			return &Deadlock{PID: os.Getpid(), At: w.at, HolderPID: sig.pid(), HolderAt: w.l.readText()}
		}
		w.mark(newLabel()) // one that nobody can have from before
	case seen > w.public:
		w.public = seen
		w.publish()
	}
	return nil
}

func (w *watch) mark(label uint64) {
	w.private, w.public = label, label
	w.publish()
}

// publish writes the label beside all locks that the goroutine holds.
func (w *watch) publish() {
	holds.Lock()
	defer holds.Unlock()
	for l, by := range holds.by {
		if by == w.goroutine {
			l.writeText(w.at)
			atomic.StoreUint64(l.label(), w.public)
		}
	}
}

// end takes the labels back.
func (w *watch) end() {
	if w == nil {
		return
	}
	w.ticker.Stop()
	if w.private != 0 {
		w.public = 0
		w.publish()
	}
}

func (l *Lock) label() *uint64 { return l.segment.Long(l.off + labelAt) }

// writeText keeps the end of the text, which tells most.
func (l *Lock) writeText(text string) {
	room := l.segment.Bytes(l.off+textAt, textSize)
	clear(room)
	copy(room, text[max(0, len(text)-textSize):])
}

// readText is what a peer wrote, as far as it can be shown.
func (l *Lock) readText() string {
	text := strings.TrimRight(string(l.segment.Bytes(l.off+textAt, textSize)), "\x00")
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, text)
}

var lastTick atomic.Uint64

// newLabel is greater than all that were made before, in any process, and nobody
// else's: the time since boot in units of 65 µs, and the process id.
func newLabel() uint64 {
	for {
		last := lastTick.Load()
		tick := max(uint64(sys.MonotonicNow())>>16, last+1)
		if lastTick.CompareAndSwap(last, tick) {
			return tick<<pidBits | uint64(os.Getpid())&(1<<pidBits-1)
		}
	}
}

// goroutine is the number of the calling goroutine. The runtime tells it in the text
// of a stack only.
func goroutine() (n uint64) {
	var text [40]byte
	for _, c := range text[len("goroutine "):runtime.Stack(text[:], false)] {
		if c < '0' || c > '9' {
			break
		}
		n = 10*n + uint64(c-'0')
	}
	return n
}

// caller is the source line that called package shared.
func caller() string {
	var pcs [16]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		f, more := frames.Next()
		if !strings.Contains(f.Function, "/tandem/shared.") && !strings.Contains(f.Function, "/internal/lock.") || !more {
			return fmt.Sprintf("%s:%d", f.File, f.Line)
		}
	}
}
