package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"sync"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/codec"
	"github.com/tandem-go/tandem/internal/sys"
	"github.com/tandem-go/tandem/internal/wire"
)

// A door is how other processes come to a service. Its handle there holds one end of
// a datagram socket; what is sent through it is one end of a stream socket, a link,
// which that process makes at its first call and keeps:
//
//	handle ─── datagram: a descriptor ──→ door      many processes, one door
//	  └─ link ── Call, Cancel → … ← Result ──┘      one of each process
//
// On a link calls overlap: frames have the seq of their call, and each Call gets one
// Result; that of one too many is tandem.ErrQueueFull. A Cancel may come after its
// Result, and means nothing then. End of file ends the calls of the link. The other
// side may be hostile: it can spoil its own link, and fill the door for a while, but
// nobody else's calls.
type door struct {
	runner tandem.Runner
	value  reflect.Type // whose methods may be called
	theirs *os.File     // goes into handles
	ours   *os.File

	mu      sync.Mutex
	closed  bool
	links   map[*wire.Conn]struct{}
	serving sync.WaitGroup
}

const (
	mostLinks = 1024 // that a door serves at once
	mostCalls = 4096 // that a link carries at once, until their results have left
)

// visit is the body of a Call on a link.
type visit struct {
	Task   string
	Schema uint64
	Limits tandem.Limits
	Meta   tandem.Meta
	Left   time.Duration // until the context's deadline, 0: none
	Input  []byte
}

var visits = sync.OnceValues(codec.Of[visit])

// openDoor begins to serve calls of methods of value on r.
func openDoor(r tandem.Runner, value reflect.Type) (*door, error) {
	a, b, err := sys.Datagrams()
	if err != nil {
		return nil, err
	}
	d := &door{runner: r, value: value, links: make(map[*wire.Conn]struct{})}
	if d.ours, err = sys.File(a, "door of a service", true); err != nil {
		sys.CloseAll([]int{b})
		return nil, err
	}
	if d.theirs, err = sys.File(b, "way to a service", true); err != nil {
		d.ours.Close()
		return nil, err
	}
	d.serving.Go(d.answer)
	return d, nil
}

// answer accepts links until the door is closed.
func (d *door) answer() {
	raw, err := d.ours.SyscallConn()
	if err != nil {
		return
	}
	from := sys.NewReceiver(8)
	var buf [1]byte
	for {
		var fds []int
		var failed error
		err := raw.Read(func(fd uintptr) bool {
			_, fds, failed = from.Receive(int(fd), buf[:])
			return !sys.WouldBlock(failed)
		})
		if err != nil {
			return // closed
		}
		if len(fds) != 1 || failed != nil {
			sys.CloseAll(fds) // not sent by a handle
			continue
		}
		if c, err := wire.NewConn(fds[0], "link to a service"); err == nil {
			d.accept(c)
		}
	}
}

func (d *door) accept(c *wire.Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed || len(d.links) == mostLinks {
		c.Close()
		return
	}
	d.links[c] = struct{}{}
	d.serving.Go(func() {
		d.serve(c)
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.links, c)
		c.Close()
	})
}

// errGone is why the calls of a process end that has ended, or has closed its handle.
var errGone = errors.New("the calling process is gone")

var errCrowded = fmt.Errorf("tandem: a process has %d calls of one service already: %w", mostCalls, tandem.ErrQueueFull)

// serve is the near end of a link. It returns when the link's calls have ended.
func (d *door) serve(c *wire.Conn) {
	var (
		running sync.WaitGroup
		speak   sync.Mutex // held to send
		mu      sync.Mutex
		calls   = make(map[uint32]context.CancelCauseFunc)
		carried int // calls, and results on their way
	)
	reply := func(seq uint32, frame []byte, h *codec.Handles) error {
		speak.Lock()
		defer speak.Unlock()
		return c.Send(wire.Result, seq, frame, h)
	}
	link, end := context.WithCancelCause(context.Background())
	defer running.Wait()
	defer end(errGone)
	for {
		h := new(codec.Handles)
		hd, body, err := c.Recv(0, h)
		if err != nil || hd.Kind != wire.Call && hd.Kind != wire.Cancel {
			h.Close()
			return
		}
		mu.Lock()
		cancel, n := calls[hd.Seq], carried
		mu.Unlock()
		if hd.Kind == wire.Cancel {
			h.Close()
			if cancel != nil {
				cancel(context.Canceled)
			}
			continue
		}
		if cancel != nil {
			h.Close()
			return
		}
		if n == mostCalls {
			h.Close()
			reply(hd.Seq, tandem.AppendFailure(wire.Room(nil), errCrowded), nil)
			continue
		}
		ctx, cancel := context.WithCancelCause(link)
		mu.Lock()
		calls[hd.Seq] = cancel
		carried++
		mu.Unlock()
		body = append([]byte(nil), body...)
		running.Go(func() {
			frame := d.run(ctx, body, h)
			cancel(nil)
			mu.Lock()
			delete(calls, hd.Seq)
			mu.Unlock()
			if err := reply(hd.Seq, frame, h); errors.Is(err, wire.ErrUnsent) { // a descriptor of the result is closed
				reply(hd.Seq, tandem.AppendFailure(wire.Room(nil), err), nil)
			}
			h.Close()
			mu.Lock()
			carried--
			mu.Unlock()
		})
	}
}

// run runs one call and returns the frame of its outcome.
func (d *door) run(ctx context.Context, body []byte, h *codec.Handles) []byte {
	var v visit
	frame := wire.Room(nil)
	c, err := visits()
	if err == nil {
		err = c.Decode(body, &v, nil)
	}
	if err != nil {
		h.Close()
		return tandem.AppendFailure(frame, fmt.Errorf("tandem: a call of a service: %w: %w", tandem.ErrMalformed, err))
	}
	if methods[v.Task] != d.value {
		h.Close()
		return tandem.AppendFailure(frame, fmt.Errorf("tandem: %.100q is no method of %v: %w", v.Task, d.value, tandem.ErrMalformed))
	}
	if v.Left > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, v.Left)
		defer stop()
	}
	spec := tandem.Spec{Name: v.Task, Schema: v.Schema, Limits: v.Limits, Meta: v.Meta}
	done, err := tandem.Relay(ctx, d.runner, spec, v.Input, h, frame)
	if err != nil {
		return tandem.AppendFailure(frame, err)
	}
	return done
}

// close ends the door and its links. It is called when the runner has settled all
// calls and takes no more, so that each gets its answer.
func (d *door) close() {
	d.ours.Close()
	d.theirs.Close()
	d.mu.Lock()
	d.closed = true
	for c := range d.links {
		c.Deafen()
		late := time.AfterFunc(lastWord, func() { c.Close() }) // of somebody who does not read
		defer late.Stop()
	}
	d.mu.Unlock()
	d.serving.Wait()
}
