package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/codec"
	"github.com/tandem-go/tandem/internal/sys"
	"github.com/tandem-go/tandem/internal/wire"
)

// visitor is the place of a service that another process holds: its calls go by a
// link through that process's door; see door.go. It outlives a link that ends.
type visitor struct {
	name string   // of the service
	way  *os.File // to the door

	mu     sync.Mutex
	closed bool
	link   *link // nil: none yet, or it has ended
}

// Width is not known here; the service's queue is where calls wait.
func (v *visitor) Width() int { return 1 }

// Run sends the call and waits for its outcome; see tandem.Runner.
func (v *visitor) Run(ctx context.Context, j *tandem.Job) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	spec := j.Spec()
	var h codec.Handles
	defer h.Close()
	frame, err := encodeVisit(ctx, j, spec, &h)
	if err != nil {
		return err
	}
	l, err := v.connect()
	if err != nil {
		return err
	}
	seq, got := l.begin()
	if err := l.send(wire.Call, seq, frame, &h); err != nil {
		if errors.Is(err, wire.ErrUnsent) {
			l.take(seq)
			return fmt.Errorf("tandem: %s: argument: %w", spec.Name, err)
		}
		l.end() // which tells all its calls
	}
	r, there := reply{}, false
	select {
	case r, there = <-got:
	case <-ctx.Done():
		if l.send(wire.Cancel, seq, wire.Room(nil), nil) != nil {
			l.end()
		}
		r, there = <-got
	}
	if !there {
		return first(ctx, v.gone())
	}
	defer r.handles.Close()
	if err := j.SetOutput(r.outcome, r.handles); err != nil {
		return first(ctx, err)
	}
	return nil
}

// first is the cause of ctx, if that has ended, before err.
func first(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func (v *visitor) gone() error {
	return fmt.Errorf("tandem: %s: its service was closed, or the process that holds it is gone: %w", v.name, tandem.ErrClosed)
}

func encodeVisit(ctx context.Context, j *tandem.Job, spec tandem.Spec, h *codec.Handles) ([]byte, error) {
	c, err := visits()
	if err != nil {
		return nil, err
	}
	out := visit{Task: spec.Name, Schema: spec.Schema, Limits: spec.Limits, Meta: spec.Meta}
	if out.Input, err = j.AppendInput(nil, h); err != nil {
		return nil, err
	}
	if end, ok := ctx.Deadline(); ok {
		out.Left = max(time.Until(end), 1)
	}
	return c.Append(wire.Room(nil), &out, nil)
}

// connect returns the link, and makes one if there is none.
func (v *visitor) connect() (*link, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.closed:
		return nil, fmt.Errorf("tandem: %s: this handle is closed: %w", v.name, tandem.ErrClosed)
	case v.link.usable():
		return v.link, nil
	}
	ours, theirs, err := sys.Socketpair()
	if err != nil {
		return nil, err
	}
	err = v.knock(theirs)
	sys.CloseAll([]int{theirs})
	c, err := conn(ours, err)
	if err != nil {
		return nil, err
	}
	v.link = &link{conn: c, calls: make(map[uint32]chan reply)}
	go v.link.listen()
	return v.link, nil
}

// knock sends one end of a link through the door.
func (v *visitor) knock(fd int) error {
	raw, err := v.way.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Write(func(way uintptr) bool {
		_, failed = sys.Send(int(way), []byte{0}, []int{fd})
		return !sys.WouldBlock(failed)
	})
	if err == nil {
		err = failed
	}
	if errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.ENOTCONN) {
		return v.gone()
	}
	return err
}

// close ends this process's calls and gives back what they used.
func (v *visitor) close() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed {
		return nil
	}
	v.closed = true
	if v.link != nil {
		v.link.end()
	}
	return v.way.Close()
}
