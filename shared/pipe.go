package shared

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"runtime"
	"sync/atomic"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/codec"
	"github.com/tandem-go/tandem/internal/leak"
	"github.com/tandem-go/tandem/internal/sys"
)

// Conn is one end of a pipe: it sends values of Out and receives values of In. It is
// made by NewPipe; the zero Conn is closed. Its methods are safe for concurrent use,
// and one may send while another receives. It must not be copied: pass the pointer.
//
// As a field of a task's argument or result it becomes another handle of the same end
// on the other side. Close the one that stayed behind: an end is at its end when its
// last handle is closed, or the last process that has one dies, and only then does
// the other end learn of it. What two processes receive from one end each gets once.
//
// Values may hold whatever a task's argument may, descriptors and shared things
// included: an *os.File arrives as a file of the same thing, and a connection travels
// by its File method and net.FileConn.
//
// What was written before a Send is seen after the Recv of the value.
type Conn[Out, In any] struct {
	line    atomic.Pointer[line] // nil: closed; go vet reports a copied one
	cleanup atomic.Pointer[runtime.Cleanup]
	mark    atomic.Pointer[leak.Mark]
	out     *codec.Codec[Out]
	in      *codec.Codec[In]
}

// NewPipe makes a pipe and returns its two ends. What is sent into one is received
// from the other, in both directions. It costs some system calls.
func NewPipe[Out, In any]() (*Conn[Out, In], *Conn[In, Out], error) {
	out, err := piped[Out]()
	if err != nil {
		return nil, nil, err
	}
	in, err := piped[In]()
	if err != nil {
		return nil, nil, err
	}
	fa, fb, err := sys.PacketPair()
	if err != nil {
		return nil, nil, err
	}
	a, b := &Conn[Out, In]{out: out, in: in}, &Conn[In, Out]{out: in, in: out}
	if err := errors.Join(a.open(sys.File(fa, "pipe", true)), b.open(sys.File(fb, "pipe", true))); err != nil {
		a.Close()
		b.Close()
		return nil, nil, err
	}
	return a, b, nil
}

func piped[T any]() (*codec.Codec[T], error) {
	c, err := codec.Of[T]()
	if err != nil {
		return nil, fmt.Errorf("tandem: shared.Pipe: %w", err)
	}
	return c, nil
}

// open makes c an end on f, which it takes.
func (c *Conn[Out, In]) open(f *os.File, err error) error {
	if err != nil {
		return err
	}
	l, err := newLine(f)
	if err != nil {
		f.Close()
		return err
	}
	if !c.line.CompareAndSwap(nil, l) {
		f.Close()
		return errors.New("tandem: shared.Conn: a value is decoded into a Conn that is open; close it first")
	}
	cleanup := runtime.AddCleanup(c, func(f *os.File) { f.Close() }, f)
	c.cleanup.Store(&cleanup)
	m := leak.OpenHere("shared.Conn")
	leak.Watch(c, m)
	c.mark.Store(m)
	return nil
}

// Send sends a value, and waits while the other side has much to receive. It returns
// nil when the value is on its way: it arrives whole, or the other end is never read
// again. Else nothing was sent: the error is the cause of ctx, what the codec says,
// one that wraps io.ErrClosedPipe if the other end is closed, or one that wraps
// tandem.ErrClosed.
func (c *Conn[Out, In]) Send(ctx context.Context, v Out) error {
	l := c.line.Load()
	switch {
	case l == nil:
		return closedConn()
	case ctx == nil:
		return errors.New("tandem: shared.Conn: Send: the context is nil; use context.Background()")
	}
	var h codec.Handles
	body, err := c.out.Append([]byte{within}, &v, &h)
	if err != nil {
		return fmt.Errorf("tandem: shared.Conn: Send: %w", err)
	}
	err = l.send(ctx, body, &h)
	runtime.KeepAlive(v) // its files, while their numbers are sent
	return err
}

// Recv waits for a value. It returns io.EOF, itself, when the other end is closed, or
// has died with its processes, and all that came before was received; or the cause of
// ctx, or an error that wraps tandem.ErrClosed. A value that does not fit In is an
// error, and Recv may be called again.
func (c *Conn[Out, In]) Recv(ctx context.Context) (v In, err error) {
	l := c.line.Load()
	switch {
	case l == nil:
		return v, closedConn()
	case ctx == nil:
		return v, errors.New("tandem: shared.Conn: Recv: the context is nil; use context.Background()")
	}
	var h codec.Handles
	defer h.Close()
	body, err := l.receive(ctx, &h)
	if err != nil {
		return v, err
	}
	if err := c.in.Decode(body, &v, &h); err != nil {
		return v, fmt.Errorf("tandem: shared.Conn: Recv: %w", err)
	}
	return v, nil
}

// All are the values as they come, until io.EOF. Another error of Recv is the last
// element.
func (c *Conn[Out, In]) All(ctx context.Context) iter.Seq2[In, error] {
	return func(yield func(In, error) bool) {
		for {
			v, err := c.Recv(ctx)
			if err == io.EOF || !yield(v, err) || err != nil {
				return
			}
		}
	}
}

// Close gives this handle of the end back. Who waits here gets an error that wraps
// tandem.ErrClosed. Close may be called again.
func (c *Conn[Out, In]) Close() error {
	l := c.line.Swap(nil)
	if l == nil {
		return nil
	}
	if cleanup := c.cleanup.Swap(nil); cleanup != nil {
		cleanup.Stop()
	}
	c.mark.Swap(nil).Close()
	return l.file.Close()
}

func closedConn() error {
	return fmt.Errorf("tandem: shared.Conn: not open: it was closed, or not made by shared.NewPipe: %w", tandem.ErrClosed)
}

// AppendHandles and SetHandles let a Conn travel.
func (c *Conn[Out, In]) AppendHandles(dst []byte, h *tandem.Handles) ([]byte, error) {
	l := c.line.Load()
	if l == nil {
		return dst, closedConn()
	}
	i, err := h.Add(l.file)
	if err != nil {
		return dst, err
	}
	dst = binary.LittleEndian.AppendUint64(append(dst, byte(i)), c.out.Schema())
	return binary.LittleEndian.AppendUint64(dst, c.in.Schema()), nil
}

// SetHandles makes c a handle of the end that was sent.
func (c *Conn[Out, In]) SetHandles(src []byte, h *tandem.Handles) error {
	out, err := piped[Out]()
	if err != nil {
		return err
	}
	in, err := piped[In]()
	if err != nil {
		return err
	}
	if len(src) != 1+8+8 || binary.LittleEndian.Uint64(src[1:]) != out.Schema() || binary.LittleEndian.Uint64(src[9:]) != in.Schema() {
		return errors.New("tandem: shared.Conn: the end of another pipe came")
	}
	f, err := h.Take(int(src[0]))
	if err != nil {
		return err
	}
	defer f.Close()
	if c.line.Load() == nil {
		c.out, c.in = out, in
	}
	return c.open(sys.Polled(f))
}
