//go:build unix

package wire

import (
	"bytes"
	"errors"
	"io"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tandem-go/tandem/internal/codec"
	"github.com/tandem-go/tandem/internal/sys"
)

// pair is two ends of a socket: a polled one, as a parent has it, and the bare
// descriptor of the other.
func pair(t *testing.T) (*Conn, int) {
	t.Helper()
	a, b, err := sys.Socketpair()
	if err != nil {
		t.Fatal(err)
	}
	c, err := NewConn(a, "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		syscall.Close(b)
	})
	return c, b
}

func room(body string) []byte { return append(Room(nil), body...) }

// TestFrames: both kinds of Conn, both ways, all sizes.
func TestFrames(t *testing.T) {
	parent, fd := pair(t)
	child := NewBlocking(fd)
	for _, size := range []int{0, 1, HeaderSize, firstRead - HeaderSize, firstRead, 1 << 20, keepMost + 1, 3} {
		for name, way := range map[string]struct{ from, to *Conn }{"down": {parent, child}, "up": {child, parent}} {
			body := strings.Repeat("b", size)
			sent := make(chan error, 1)
			go func() { sent <- way.from.Send(Call, 7, room(body), nil) }()
			var h codec.Handles
			hd, got, err := way.to.Recv(0, &h)
			if err != nil || hd != (Header{Kind: Call, Seq: 7, Length: uint64(size)}) || string(got) != body || way.to.Unread() != 0 {
				t.Fatalf("%s, %d bytes: %+v, %d bytes, %v", name, size, hd, len(got), err)
			}
			if err := <-sent; err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestFramesInARow: what comes in one piece is taken apart again.
func TestFramesInARow(t *testing.T) {
	parent, fd := pair(t)
	var all []byte
	for _, body := range []string{"one", "", "three"} {
		f := room(body)
		Header{Kind: Result, Seq: uint32(len(body)), Length: uint64(len(body))}.put(f)
		all = append(all, f...)
	}
	syscall.Write(fd, all)
	for _, want := range []string{"one", "", "three"} {
		hd, body, err := parent.Recv(0, nil)
		if err != nil || string(body) != want || int(hd.Seq) != len(want) {
			t.Errorf("got %+v %q, %v; want %q", hd, body, err, want)
		}
	}
	if parent.Unread() != 0 {
		t.Errorf("%d bytes left", parent.Unread())
	}
}

// TestDescriptors travel beside the bytes, both ways, as many as are allowed.
func TestDescriptors(t *testing.T) {
	parent, fd := pair(t)
	child := NewBlocking(fd)
	for name, way := range map[string]struct{ from, to *Conn }{"down": {parent, child}, "up": {child, parent}} {
		for _, n := range []int{1, codec.MaxHandles} {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			var lent, got codec.Handles
			for range n {
				if _, err := lent.Add(w); err != nil {
					t.Fatal(err)
				}
			}
			if err := way.from.Send(Call, 1, room("with files"), &lent); err != nil {
				t.Fatal(err)
			}
			w.Close() // lent, and not given: ours to close
			if hd, body, err := way.to.Recv(0, &got); err != nil || hd.Handles != n || got.Len() != n || string(body) != "with files" {
				t.Fatalf("%s, %d: %+v, %d came, %v", name, n, hd, got.Len(), err)
			}
			f, err := got.Take(n - 1)
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(f, "x")
			f.Close()
			got.Close()
			if b, err := io.ReadAll(r); string(b) != "x" || err != nil {
				t.Errorf("%s, %d: the pipe brought %q, %v; its end comes when all of them are closed", name, n, b, err)
			}
			r.Close()
		}
	}
}

// TestBadDescriptors: no frame has left, and the Conn is as good as before.
func TestBadDescriptors(t *testing.T) {
	parent, fd := pair(t)
	child := NewBlocking(fd)
	closed, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	closed.Close()
	var h, got codec.Handles
	h.Add(w)
	h.Add(closed)
	if err := parent.Send(Call, 1, room("never"), &h); !errors.Is(err, ErrUnsent) || !errors.Is(err, os.ErrClosed) {
		t.Errorf("a closed file: %v, want ErrUnsent and os.ErrClosed", err)
	}
	if err := parent.Send(Call, 2, room("next"), nil); err != nil {
		t.Fatal(err)
	}
	if hd, body, err := child.Recv(0, &got); hd.Seq != 2 || string(body) != "next" || err != nil {
		t.Errorf("the next frame: %+v %q, %v", hd, body, err)
	}
}

// hostileFrames is what must be refused, and by which error.
var hostileFrames = map[string]struct {
	bytes []byte
	files int
	want  error
}{
	"nothing":              {nil, 0, io.EOF},
	"half a header":        {head(Call, 0, 0)[:9], 0, io.ErrUnexpectedEOF},
	"half a body":          {append(head(Call, 0, 10), "12345"...), 0, io.ErrUnexpectedEOF},
	"another version":      {append([]byte{Version + 1}, head(Call, 0, 0)[1:]...), 0, ErrProtocol},
	"no kind":              {head(0, 0, 0), 0, ErrProtocol},
	"an unknown kind":      {head(lastKind+1, 0, 0), 0, ErrProtocol},
	"a negative length":    {head(Call, 0, 1<<63), 0, ErrProtocol},
	"over the limit":       {append(head(Call, 0, 1001), make([]byte, 1001)...), 0, ErrProtocol},
	"files that came not":  {head(Call, 2, 0), 0, ErrProtocol},
	"files unannounced":    {head(Call, 0, 0), 2, ErrProtocol},
	"more files than said": {head(Call, 1, 0), 2, ErrProtocol},
	"more than may come":   {head(Call, codec.MaxHandles+1, 0), codec.MaxHandles + 1, ErrProtocol},
	"as many as can":       {head(Call, mostRights, 0), mostRights, ErrProtocol},
}

func head(k Kind, handles int, length uint64) []byte {
	b := make([]byte, HeaderSize)
	Header{Kind: k, Handles: handles, Length: length}.put(b)
	return b
}

func TestHostileFrames(t *testing.T) {
	for name, c := range hostileFrames {
		parent, fd := pair(t)
		before := descriptors(t)
		if len(c.bytes) > 0 {
			var rights []byte
			if c.files > 0 {
				list := make([]int, c.files)
				for i := range list {
					list[i] = fd
				}
				rights = syscall.UnixRights(list...)
			}
			if err := syscall.Sendmsg(fd, c.bytes, rights, nil, 0); err != nil {
				t.Fatal(err)
			}
		}
		syscall.Shutdown(fd, syscall.SHUT_WR)
		var h codec.Handles
		_, body, err := parent.Recv(1000, &h)
		if !errors.Is(err, c.want) || body != nil {
			t.Errorf("%s: %q, %v; want %v", name, body, err, c.want)
		}
		h.Close()
		if after := descriptors(t); after != before {
			t.Errorf("%s: %d descriptors before, %d after", name, before, after)
		}
	}
}

// descriptors counts what this process has open.
func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/dev/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// TestNoMemoryForPromises: a frame that announces a terabyte costs what it brings.
func TestNoMemoryForPromises(t *testing.T) {
	parent, fd := pair(t)
	syscall.Write(fd, append(head(Call, 0, 1<<40), make([]byte, 100_000)...))
	syscall.Shutdown(fd, syscall.SHUT_WR)
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, _, err := parent.Recv(0, nil); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
	var m runtime.MemStats
	if runtime.ReadMemStats(&m); m.TotalAlloc-before.TotalAlloc > 100<<20 {
		t.Errorf("it took %d bytes of memory", m.TotalAlloc-before.TotalAlloc)
	}
}

// FuzzRecv: any bytes, in any pieces, make frames or an error, and what was taken
// for a frame obeys the limit.
func FuzzRecv(f *testing.F) {
	f.Add([]byte("garbage"), 3)
	f.Add(append(head(Call, 0, 5), "hello"...), 1)
	for _, c := range hostileFrames {
		f.Add(c.bytes, 7)
	}
	f.Fuzz(func(t *testing.T, stream []byte, piece int) {
		parent, fd := pair(t)
		piece = max(1, piece%100)
		go func() {
			for rest := stream; len(rest) > 0; {
				n := min(piece, len(rest))
				if _, err := syscall.Write(fd, rest[:n]); err != nil {
					break
				}
				rest = rest[n:]
			}
			syscall.Shutdown(fd, syscall.SHUT_WR)
		}()
		var read []byte
		for {
			hd, body, err := parent.Recv(1000, nil)
			if err != nil {
				break
			}
			if len(body) > 1000 || uint64(len(body)) != hd.Length {
				t.Fatalf("a frame of %d bytes: %+v", len(body), hd)
			}
			again := room(string(body))
			hd.put(again)
			read = append(read, again...)
		}
		if !bytes.HasPrefix(stream, read) {
			t.Errorf("the frames read are not what came:\n%q\n%q", read, stream)
		}
	})
}

// TestPost: a posted frame leaves with the next read, also where the other side
// has no room for it yet, and a failure is the read's.
func TestPost(t *testing.T) {
	parent, fd := pair(t)
	child := NewBlocking(fd)
	for _, size := range []int{0, firstRead, 4 << 20} { // the last is more than a socket holds
		body := strings.Repeat("b", size)
		echoed := make(chan error, 1)
		go func() {
			hd, got, err := child.Recv(0, nil)
			if err == nil {
				err = child.Send(Result, hd.Seq, room(string(got)), nil)
			}
			echoed <- err
		}()
		parent.Post(Call, 7, room(body))
		hd, got, err := parent.Recv(0, nil)
		if err != nil || hd.Kind != Result || hd.Seq != 7 || string(got) != body {
			t.Fatalf("%d bytes: %+v, %d bytes, %v", size, hd, len(got), err)
		}
		if err := <-echoed; err != nil {
			t.Fatal(err)
		}
	}
	parent.Expire(0)
	parent.Post(Call, 8, room("late"))
	if _, _, err := parent.Recv(0, nil); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("after the deadline: %v", err)
	}
	parent, fd = pair(t)
	syscall.Shutdown(fd, syscall.SHUT_RDWR)
	parent.Post(Call, 9, room("to nobody"))
	if _, _, err := parent.Recv(0, nil); err != io.EOF {
		t.Errorf("to a side that is gone: %v", err)
	}
}

// TestPostDropped: a frame that could not leave is not sent later, when its memory
// belongs to somebody else.
func TestPostDropped(t *testing.T) {
	parent, fd := pair(t)
	child := NewBlocking(fd)
	parent.Expire(0)
	parent.Post(Call, 8, room("late"))
	parent.Recv(0, nil)
	parent.file.SetDeadline(time.Time{})
	parent.Post(Call, 9, room("in time"))
	go parent.Recv(0, nil)
	if hd, body, err := child.Recv(0, nil); err != nil || hd.Seq != 9 || string(body) != "in time" {
		t.Errorf("%+v %q, %v", hd, body, err)
	}
	child.Send(Result, 9, room(""), nil)
}
