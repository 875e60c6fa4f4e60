package wire

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/tandem-go/tandem/internal/codec"
	"github.com/tandem-go/tandem/internal/sys"
)

const (
	firstRead = 4 << 10 // enough for most frames; a page more is 1 µs of a start
	growStep  = 1 << 20 // memory follows the bytes that came, not the length that was announced
	keepMost  = 4 << 20 // a larger buffer is given back after its frame

	// mostRights is how many descriptors Linux lets one message carry. With room for
	// all of them none is cut off unseen: too many are counted, closed and refused.
	mostRights = 253
)

// Conn is one end of a socket. One goroutine may send while another receives;
// two may not do the same.
type Conn struct {
	file *os.File // nil: the descriptor blocks the thread
	fd   int
	raw  syscall.RawConn

	buf  []byte        // what was read
	used int           // of which the frames handed out so far
	from *sys.Receiver // made at the first read
	skip int           // bytes that were peeked at and are to be read away

	post []byte // a frame that leaves with the next read

	// The poller wants functions. They are made once, and their arguments lie
	// here, so that waiting does not allocate.
	in, out struct {
		buf []byte
		fds []int
		n   int
		err error
		try func(fd uintptr) bool
	}
}

// NewConn makes a polled Conn that owns fd: who waits for it waits in the
// runtime's poller. It is for the parent, with thousands of callers and few
// threads.
func NewConn(fd int, name string) (*Conn, error) {
	f, err := sys.File(fd, name, true)
	if err != nil {
		return nil, err
	}
	c := NewBlocking(fd)
	c.file = f
	if c.raw, err = f.SyscallConn(); err != nil {
		f.Close()
		return nil, err
	}
	c.in.try = func(fd uintptr) bool {
		if c.post != nil {
			n, _ := sys.Send(int(fd), c.post, nil)
			if c.post = c.post[max(n, 0):]; len(c.post) > 0 {
				return true // there is no room, or nobody there; flush finds out
			}
			c.post = nil
			return false // it is not answered yet, and the poller was armed before it left
		}
		c.in.n, c.in.fds, c.in.err = c.from.Receive(int(fd), c.in.buf)
		return !sys.WouldBlock(c.in.err)
	}
	c.out.try = func(fd uintptr) bool {
		c.out.n, c.out.err = sys.Send(int(fd), c.out.buf, c.out.fds)
		return !sys.WouldBlock(c.out.err)
	}
	return c, nil
}

// NewBlocking makes a Conn that blocks its thread in the system call. It is for
// the worker, with a thread for each lane: that halves the latency. It has no
// Close: a worker's sockets live as long as the process.
func NewBlocking(fd int) *Conn { return &Conn{fd: fd} }

// Heir is a Conn that goes on with the receiving on a blocking one, which receives no
// more: what that has handed out last stays valid.
func (c *Conn) Heir() *Conn {
	return &Conn{fd: c.fd, buf: slices.Clone(c.buf[c.used:]), skip: c.skip}
}

// Expire makes a polled Conn end by itself when nothing arrives for d: for what a
// dead process has left, whose socket another may hold open.
func (c *Conn) Expire(d time.Duration) { c.file.SetDeadline(time.Now().Add(d)) }

// Deafen ends the receiving on a polled Conn, now and for ever; sending goes on.
func (c *Conn) Deafen() { c.file.SetReadDeadline(time.Unix(1, 0)) }

// Close ends both directions of a polled Conn; a goroutine that waits in it
// returns.
func (c *Conn) Close() error { return c.file.Close() }

// Forget lets go of the memory that was read into, after Close and when nobody is in
// Recv any more.
func (c *Conn) Forget() { c.buf, c.used, c.post, c.from = nil, 0, nil, nil }

func (c *Conn) read(buf []byte) (int, []int, error) {
	if c.from == nil {
		c.from = sys.NewReceiver(mostRights)
	}
	if c.skip > 0 {
		if err := sys.Skip(c.fd, c.skip); err != nil {
			return 0, nil, err
		}
		c.skip = 0
	}
	if c.raw == nil {
		c.flush()
		return c.from.Receive(c.fd, buf)
	}
	c.in.buf = buf
	err := c.raw.Read(c.in.try)
	if c.post != nil && err == nil {
		c.flush()
		err = c.raw.Read(c.in.try)
	}
	c.post = nil
	if err == nil {
		err = c.in.err
	}
	n, fds := c.in.n, c.in.fds
	c.in.n, c.in.fds, c.in.buf, c.in.err = 0, nil, nil, nil
	return n, fds, err
}

func (c *Conn) write(buf []byte, fds []int) (int, error) {
	if c.raw == nil {
		return sys.Send(c.fd, buf, fds)
	}
	c.out.buf, c.out.fds = buf, fds
	err := c.raw.Write(c.out.try)
	if err == nil {
		err = c.out.err
	}
	n := c.out.n
	c.out.n, c.out.fds, c.out.buf, c.out.err = 0, nil, nil, nil
	return n, err
}

// flush sends what the other side had no room for. If that fails it is gone, and
// reading says so.
func (c *Conn) flush() {
	for post := c.post; len(post) > 0; {
		n, err := c.write(post, nil)
		if err != nil {
			break
		}
		post = post[n:]
	}
	c.post = nil
}

// ErrUnsent is wrapped by an error of Send that says that nothing has left, and
// that the Conn is as good as before.
var ErrUnsent = errors.New("not sent")

// Send writes one frame. frame is the body behind HeaderSize bytes of room for
// the header, so that a frame is one buffer and usually one system call. The
// files of h are sent beside it and stay the caller's.
func (c *Conn) Send(kind Kind, seq uint32, frame []byte, h *codec.Handles) error {
	return c.SendBefore(kind, seq, frame, h, nil)
}

// Finish writes the header of a frame without descriptors, for SendBefore.
func Finish(kind Kind, seq uint32, frame []byte) []byte {
	Header{Kind: kind, Seq: seq, Length: uint64(len(frame) - HeaderSize)}.put(frame)
	return frame
}

// SendBefore is Send of two frames at once, which the other side reads at once. The
// second, nil for none, was finished.
func (c *Conn) SendBefore(kind Kind, seq uint32, frame []byte, h *codec.Handles, second []byte) error {
	var fds []int
	if h != nil && h.Len() > 0 {
		for _, f := range h.Files() {
			fd, err := Descriptor(f)
			if err != nil {
				return fmt.Errorf("%w: %w", ErrUnsent, err)
			}
			fds = append(fds, fd)
		}
	}
	Header{Kind: kind, Handles: len(fds), Seq: seq, Length: uint64(len(frame) - HeaderSize)}.put(frame)
	frame = append(frame, second...)
	for len(frame) > 0 {
		n, err := c.write(frame, fds)
		if err != nil {
			return err
		}
		frame, fds = frame[n:], nil
	}
	runtime.KeepAlive(h) // nobody else may hold the files whose numbers were sent
	return nil
}

// Post is Send for a frame without descriptors, by somebody who does nothing else
// than wait for its answer: it leaves in the next Recv, which must follow and tells
// what went wrong. Of a call's system calls this saves the one that looks for an
// answer before there can be one.
func (c *Conn) Post(kind Kind, seq uint32, frame []byte) {
	c.post = Finish(kind, seq, frame)
}

// Descriptor is f's number without File.Fd's side effect of making it blocking.
func Descriptor(f *os.File) (fd int, err error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return -1, fmt.Errorf("tandem: descriptor of %s: %w", f.Name(), err)
	}
	if raw.Control(func(n uintptr) { fd = int(n) }) != nil {
		// Its own error says so too, but errors.Is does not find it.
		return -1, fmt.Errorf("tandem: descriptor of %s: %w", f.Name(), os.ErrClosed)
	}
	return fd, nil
}

// Recv reads one frame of at most limit bytes (0: any). Its descriptors go to h.
// body is valid until the next Recv. io.EOF means that the other side closed
// between two frames, io.ErrUnexpectedEOF inside one; an error that wraps
// ErrProtocol that it broke a rule. After any error the Conn is of no more use.
func (c *Conn) Recv(limit int64, h *codec.Handles) (hd Header, body []byte, err error) {
	hd, body, err = c.recv(limit, h, nil)
	if err == nil && h.Len() != hd.Handles {
		return hd, nil, fmt.Errorf("%w: %v frame announces %d descriptors and brings %d", ErrProtocol, hd.Kind, hd.Handles, h.Len())
	}
	return hd, body, err
}

// RecvFirst is Recv for the first frame of a worker's life: its descriptors come
// as numbers, since making files of them would take as long as all the rest. What it
// reads stays in the socket until the next read, if it can: to take it out wakes the
// parent, whose poller hears that there is room, and where both share a processor
// that takes 13 µs of a start.
func (c *Conn) RecvFirst() (hd Header, body []byte, fds []int, err error) {
	c.from = sys.NewReceiver(mostRights)
	buf := make([]byte, firstRead)
	n, fds, err := c.from.Peek(c.fd, buf)
	if err == nil && n >= HeaderSize {
		if hd, err = parseHeader(buf); err == nil && hd.Length <= uint64(n-HeaderSize) {
			c.buf, c.used, c.skip = buf[:n], HeaderSize+int(hd.Length), n
			return hd, c.buf[HeaderSize:c.used], fds, nil
		}
	}
	sys.CloseAll(fds)
	fds = nil
	hd, body, err = c.recv(0, nil, &fds)
	return hd, body, fds, err
}

func (c *Conn) recv(limit int64, h *codec.Handles, numbers *[]int) (hd Header, body []byte, err error) {
	buf := c.buf
	if cap(buf) == 0 || cap(buf) > keepMost {
		buf = make([]byte, 0, firstRead)
	}
	buf = append(buf[:0], c.buf[c.used:]...)
	c.buf, c.used = buf, 0
	want := HeaderSize
	for parsed := false; ; {
		if !parsed && len(buf) >= HeaderSize {
			if hd, err = parseHeader(buf); err != nil {
				return hd, nil, err
			}
			if limit > 0 && hd.Length > uint64(limit) {
				return hd, nil, fmt.Errorf("%w: %v frame of %d bytes, the limit is %d", ErrProtocol, hd.Kind, hd.Length, limit)
			}
			want, parsed = HeaderSize+int(hd.Length), true
		}
		if parsed && len(buf) >= want {
			break
		}
		if len(buf) == cap(buf) {
			grown := make([]byte, len(buf), max(HeaderSize, min(want, max(2*cap(buf), cap(buf)+growStep))))
			copy(grown, buf)
			buf = grown
		}
		n, fds, err := c.read(buf[len(buf):cap(buf)])
		if numbers != nil {
			*numbers, fds = append(*numbers, fds...), nil
		}
		for _, fd := range fds {
			if e := h.Receive(os.NewFile(uintptr(fd), "descriptor")); e != nil && err == nil {
				err = fmt.Errorf("%w: %w", ErrProtocol, e)
			}
		}
		switch {
		case errors.Is(err, syscall.ECONNRESET): // the other side died with bytes unread
			err = io.EOF
			fallthrough
		case err == nil && n == 0:
			err = io.EOF
			if len(buf) > 0 {
				err = io.ErrUnexpectedEOF
			}
		}
		if err != nil {
			return hd, nil, err
		}
		buf = buf[:len(buf)+n]
	}
	c.buf, c.used = buf, want
	return hd, buf[HeaderSize:want], nil
}

// Unread is the number of bytes that came behind the last frame. On a lane, where
// one frame answers one frame, it must be 0.
func (c *Conn) Unread() int { return len(c.buf) - c.used }

// Room returns an empty frame to append a body to: HeaderSize bytes in dst.
func Room(dst []byte) []byte {
	if cap(dst) < HeaderSize {
		dst = make([]byte, HeaderSize, 512)
	}
	return dst[:HeaderSize]
}
