package child

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"

	"github.com/tandem-go/tandem/internal/codec"
	"github.com/tandem-go/tandem/internal/ring"
	"github.com/tandem-go/tandem/internal/slab"
	"github.com/tandem-go/tandem/internal/sys"
	"github.com/tandem-go/tandem/internal/wire"
)

// lane is one stream of calls, one at a time: read, run, answer. It blocks its
// thread while it waits, which halves the latency of the runtime's poller and
// keeps a goroutine hand-over out of every call. Cancellations come by the
// control channel, so that nobody need listen here while a task runs.
type lane struct {
	index  int
	worker *worker
	conn   *wire.Conn
	ring   *ring.Inbox // nil: everything goes through conn
	out    []byte
	large  slab.Exchange

	handles codec.Handles // beside the present call

	// Calls in a row are most often of one task: what was found for the last is kept.
	info   wire.CallInfo
	callee Callee

	contexts []callContext // unused ones

	mu        sync.Mutex
	seq       uint32       // the call that runs, if ctx is set
	ctx       *callContext // its
	cancelled uint64       // a cancel that came before its call was read
}

var errAsked = errors.New("tandem: the caller cancelled the task")

func (l *lane) run() {
	if l.worker.hello.Lanes > 1 {
		runtime.LockOSThread() // a task here is a thread's, as with threads in process
		sys.SetThreadName("tandem-" + itoa(l.index+1))
	}
	for {
		l.handles.Close() // the last result's, which were lent
		l.handles.Use(&l.large)
		seq, body, items, err := l.next(&l.handles)
		if l.worker.hello.Direct() {
			l.worker.hearken()
		}
		switch {
		case errors.Is(err, wire.ErrProtocol):
			die(err) // its memory is damaged: no call would ever be answered
		case err != nil:
			return // let go by the parent; its control channel says the rest
		}
		if body = l.worker.takeOver(body); items > 0 {
			l.serveItems(seq, body, items)
		} else {
			l.serve(seq, body, &l.handles)
		}
	}
}

// next waits for a call, or for a chunk of so many items. body is valid until the
// answer.
func (l *lane) next(h *codec.Handles) (seq uint32, body []byte, items int, err error) {
	var number uint32
	if l.ring != nil {
		r, err := l.ring.Next()
		if err != nil || !r.Aside {
			return uint32(r.Seq), r.Bytes, r.Items, err
		}
		number = uint32(r.Seq) // large, or with descriptors: it comes through the socket
	}
	hd, body, err := l.conn.Recv(0, h)
	if err == nil && hd.Kind != wire.Call {
		err = fmt.Errorf("%w: %v frame on a lane", wire.ErrProtocol, hd.Kind)
	}
	if l.ring == nil {
		number = hd.Seq
	}
	return number, body, 0, err
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

// find finds the task of a call and returns the call's argument.
func (l *lane) find(body []byte) (input []byte, err error) {
	info, input, err := wire.ParseCall(body)
	if err != nil {
		if len(body) > 0 { // an empty one is a call that could not be sent
			die(fmt.Errorf("tandem: worker: memory shared with the parent is damaged: the head of a call: %w", err))
		}
		return nil, err
	}
	last := l.info
	l.info = info
	if l.callee == nil || info.Task != last.Task || info.Schema != last.Schema || info.Output != last.Output || info.Meta != nil || last.Meta != nil {
		l.callee, err = Root.Find(&l.info) // not &info, which would be an allocation for each call
		if err == nil && info.Task != last.Task && Instruments.Label != nil {
			Instruments.Label(l.callee.Name())
		}
	}
	if err != nil && l.ring != nil {
		die(fmt.Errorf("tandem: worker: memory shared with the parent is damaged: %w", err)) // the parent asks for what both have
	}
	return input, err
}

// serve runs one call and answers it.
func (l *lane) serve(seq uint32, body []byte, h *codec.Handles) {
	l.worker.enter()
	frame := wire.Room(l.out)
	input, err := l.find(body)
	if err != nil {
		l.worker.spoil()
		l.answer(wire.Unrun, seq, Root.Outcome(frame, err), nil)
		l.last()
		return
	}
	ctx := l.begin(seq)
	restore := l.limitCall(&l.info)
	finished := false
	defer func() {
		// runtime.Goexit ends this goroutine, whatever is done about it. The call
		// is answered, and another goroutine goes on.
		if !finished {
			l.end(ctx)
			restore()
			l.worker.spoil()
			l.answer(wire.Result, seq, Root.Outcome(wire.Room(nil), Root.Goexit), nil)
			l.last()
			go l.run()
		}
	}()
	if l.ring == nil { // which notes it in the slot
		l.worker.page.Word(FirstLane + l.index).Store(Mark(seq))
	}
	out, failed, err := l.callee.Call(ctx, input, h, frame)
	finished = true
	l.end(ctx)
	restore()
	if err != nil {
		l.worker.spoil()
		l.answer(wire.Unrun, seq, Root.Outcome(frame, err), nil)
		l.last()
		return
	}
	if failed {
		l.worker.spoil()
	}
	l.answer(wire.Result, seq, out, h)
	l.last()
	if cap(out) <= 4<<20 {
		l.out = out
	}
}

// spoil makes the exit code that of a failed call, if there is but one.
func (w *worker) spoil() {
	if w.hello.Single {
		w.code.Store(1)
	}
}

// last ends the process, after its call, if there is but one. The exit code is
// Python's: 0 for a value, 1 for an error. It is set before the answer leaves, after
// which the parent may ask for the end.
func (l *lane) last() {
	if w := l.worker; w.hello.Single {
		w.quiesce()
		w.linger()
		w.exit(int(w.code.Load()))
	}
}

func (l *lane) answer(kind wire.Kind, seq uint32, frame []byte, h *codec.Handles) {
	forwarded := false
	size := len(frame) - wire.HeaderSize
	if l.ring != nil && size <= ring.Inline && h.Len() == 0 {
		l.ring.Done(frame[wire.HeaderSize:])
	} else if l.ring == nil || size > ring.Wide || h.Len() > 0 || !l.ring.DoneWide(frame[wire.HeaderSize:]) {
		if l.ring != nil {
			l.ring.DoneAside(nil)
		}
		forwarded = l.post(kind, seq, frame, h) && h.Len() > 0
	}
	l.large.End(forwarded)
	l.worker.done() // it counted as running until the answer had left: Exit must not overtake it
}

// post sends an answer through the socket and reports whether it left as it is.
func (l *lane) post(kind wire.Kind, seq uint32, frame []byte, h *codec.Handles) bool {
	err := l.conn.Send(kind, seq, frame, h)
	if errors.Is(err, wire.ErrUnsent) {
		// A descriptor of the result is closed. The parent waits, so it must hear of it.
		l.conn.Send(kind, seq, Root.Outcome(wire.Room(nil), err), nil)
	}
	return err == nil
}

// limitCall tightens the memory limit for one call; restore loosens it again.
func (l *lane) limitCall(info *wire.CallInfo) (restore func()) {
	if info.Memory <= 0 {
		return func() {}
	}
	if err := l.worker.limitData(info.Memory); err != nil {
		die(err)
	}
	soft := debug.SetMemoryLimit(softMemory(info.Memory))
	stack := debug.SetMaxStack(int(min(l.worker.hello.MaxStack, MaxStack(info.Memory))))
	return func() {
		l.worker.limitData(l.worker.hello.Memory)
		debug.SetMemoryLimit(soft)
		debug.SetMaxStack(stack)
	}
}
