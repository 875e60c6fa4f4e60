package shared

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/tandem-go/tandem/internal/codec"
	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/sys"
	"github.com/tandem-go/tandem/internal/wire"
)

// line is the socket of a Conn. It keeps the borders of messages, so a message is
// sent or not, received or not, and who gives up leaves no half of one behind. A
// message is a byte and the encoded value; or, if that is larger, the other byte and
// the number of bytes in shared memory, whose descriptor comes last.
type line struct {
	file *os.File
	raw  syscall.RawConn
	in   way
	out  way
	from *sys.Receiver // of who has in
	buf  []byte
	ordering
}

const (
	within = 0
	beside = 1

	// mostWithin is far below what a socket takes in one message by default.
	mostWithin = 64 << 10
	mostBeside = 1 << 30
	// mostRights is how many descriptors the system lets one message carry: with room
	// for all none is cut off unseen.
	mostRights = 253
)

var errRules = errors.New("tandem: shared.Conn: Recv: the other side broke the rules")

func newLine(f *os.File) (*line, error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	return &line{
		file: f, raw: raw, from: sys.NewReceiver(mostRights), buf: make([]byte, mostWithin+1+stampSize),
		in: make(way, 1), out: make(way, 1), ordering: newOrdering(),
	}, nil
}

func (l *line) send(ctx context.Context, body []byte, h *codec.Handles) error {
	if len(body) > mostWithin {
		s, err := mem.Create(mem.KindPipe, 0, len(body)-1)
		if err != nil {
			return err
		}
		defer s.Release()
		copy(s.Bytes(mem.HeaderSize, len(body)-1), body[1:])
		if _, err := h.Add(s.File()); err != nil {
			return fmt.Errorf("tandem: shared.Conn: Send: %w", err)
		}
		body = binary.LittleEndian.AppendUint64([]byte{beside}, uint64(len(body)-1))
	}
	body = l.stamp(body)
	var fds []int
	for _, f := range h.Files() {
		fd, err := wire.Descriptor(f)
		if err != nil {
			return err
		}
		fds = append(fds, fd)
	}
	return l.out.use(ctx, l.file.SetWriteDeadline, func() error {
		var err error
		for range 2 { // that the other side left something unread is said first, and once
			e := l.raw.Write(func(fd uintptr) bool {
				_, err = sys.Send(int(fd), body, fds)
				return !sys.WouldBlock(err)
			})
			if e != nil {
				return cut(e)
			}
			if err != syscall.ECONNRESET {
				break
			}
		}
		if errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) {
			return fmt.Errorf("tandem: shared.Conn: Send: the other end is closed: %w", io.ErrClosedPipe)
		}
		return err
	})
}

// receive returns the encoded value; its descriptors go to h.
func (l *line) receive(ctx context.Context, h *codec.Handles) (body []byte, err error) {
	var fds []int
	err = l.in.use(ctx, l.file.SetReadDeadline, func() error {
		var n int
		var err error
		for range 2 { // as in send
			e := l.raw.Read(func(fd uintptr) bool {
				n, fds, err = l.from.Receive(int(fd), l.buf)
				return !sys.WouldBlock(err)
			})
			if e != nil {
				return cut(e)
			}
			if err != syscall.ECONNRESET {
				break
			}
		}
		switch {
		case err == syscall.ECONNRESET || err == nil && n == 0:
			return io.EOF
		case err != nil:
			return err
		}
		body = append(body, l.buf[:n]...)
		return nil
	})
	for _, fd := range fds {
		if e := h.Receive(os.NewFile(uintptr(fd), "descriptor")); e != nil && err == nil {
			err = fmt.Errorf("tandem: shared.Conn: Recv: %w", e)
		}
	}
	if err == nil {
		body, err = l.came(body)
	}
	if err != nil {
		return nil, err
	}
	if body[0] == beside {
		return fetch(body[1:], h)
	}
	return body[1:], nil
}

// fetch copies what is in shared memory.
func fetch(src []byte, h *codec.Handles) ([]byte, error) {
	if len(src) != 8 {
		return nil, errRules
	}
	n := binary.LittleEndian.Uint64(src)
	f, err := h.Take(h.Len() - 1)
	if err != nil {
		return nil, err
	}
	s, err := mem.Open(f, mem.KindPipe, 0)
	if err != nil {
		return nil, err
	}
	defer s.Release()
	if n > mostBeside || n > uint64(s.Len()-mem.HeaderSize) {
		return nil, errRules
	}
	return append([]byte(nil), s.Bytes(mem.HeaderSize, int(n))...), nil
}

// way is one direction of a line, which one goroutine has at a time.
type way chan struct{}

// use calls f, which ends when its deadline is set to the past: when ctx ends.
func (w way) use(ctx context.Context, deadline func(time.Time) error, f func() error) error {
	select {
	case w <- struct{}{}:
	default:
		select {
		case w <- struct{}{}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	defer func() { <-w }()
	over := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		deadline(time.Unix(1, 0))
		close(over)
	})
	err := f()
	if !stop() {
		<-over
		deadline(time.Time{})
	}
	if err == os.ErrDeadlineExceeded {
		return context.Cause(ctx)
	}
	return err
}

// cut is why the poller did not let a call be made: its deadline, or the file is
// closed.
func cut(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return os.ErrDeadlineExceeded
	}
	return closedConn()
}
