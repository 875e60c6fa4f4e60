//go:build linux

package shared_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/codec"
	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/process"
	"github.com/tandem-go/tandem/shared"
)

// What the tests say through a pipe.
type (
	call struct {
		Text string
		File *os.File
	}
	reply struct {
		Text string
		File *os.File
	}
)

func newPhone(t testing.TB) (*shared.Conn[call, reply], *shared.Conn[reply, call]) {
	a, b, err := shared.NewPipe[call, reply]()
	open[*shared.Conn[call, reply]](t)(a, err)
	return a, open[*shared.Conn[reply, call]](t)(b, err)
}

var _ = scene("answer the phone", func(ctx context.Context, c cast) (n int, err error) {
	defer c.Phone.Close()
	for in, err := range c.Phone.All(ctx) {
		if err != nil {
			return n, err
		}
		out := reply{Text: strings.ToUpper(in.Text)}
		if in.File != nil {
			if _, err := in.File.WriteString("from the other side"); err != nil {
				return n, err
			}
			in.File.Close()
			if out.File, err = os.Open(os.DevNull); err != nil {
				return n, err
			}
		}
		if err := c.Phone.Send(ctx, out); err != nil {
			return n, err
		}
		if out.File != nil {
			out.File.Close()
		}
		n++
	}
	return n, nil
})

// TestPipe: what is sent arrives whole, large or small, with its files.
func TestPipe(t *testing.T) {
	everywhere(t, 1, func(t *testing.T, place tandem.Runner) {
		a, b := newPhone(t)
		h := act.On(place).Go(soon(t), cast{Role: "answer the phone", Phone: b})
		asked := 0
		ask := func(in call) reply {
			t.Helper()
			asked++
			if err := a.Send(soon(t), in); err != nil {
				t.Fatal(err)
			}
			out, err := a.Recv(soon(t))
			if err != nil || out.Text != strings.ToUpper(in.Text) {
				t.Fatalf("%d bytes came back of %d, %v", len(out.Text), len(in.Text), err)
			}
			return out
		}
		for _, n := range []int{0, 1, 100, 64 << 10, 3 << 20} {
			ask(call{Text: strings.Repeat("a", n)})
		}
		for n := range 20 { // one of which is the longest that needs no shared memory
			ask(call{Text: strings.Repeat("a", 64<<10-n)})
		}
		name := filepath.Join(t.TempDir(), "file")
		f, err := os.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		out := ask(call{Text: strings.Repeat("a", 100_000), File: f})
		f.Close()
		if out.File == nil {
			t.Fatal("no file came back")
		}
		out.File.Close()
		if text, err := os.ReadFile(name); string(text) != "from the other side" {
			t.Errorf("the file has %q, %v", text, err)
		}
		a.Close()
		if _, processes := place.(*process.Pool); processes { // elsewhere b is the task's
			b.Close()
		}
		if n := waitAll(t, []*tandem.Future[int]{h}); n[0] != asked {
			t.Errorf("it answered %d times of %d", n[0], asked)
		}
	})
}

// TestPipeEnds: who waits learns that the other end is closed, or died, or was closed
// under him, or that his context ended; and the pipe is as good as before after that.
func TestPipeEnds(t *testing.T) {
	a, b := newPhone(t)
	ctx, cancel := context.WithCancelCause(background)
	got := make(chan error)
	recv := func(ctx context.Context) {
		_, err := a.Recv(ctx)
		got <- err
	}
	go recv(ctx)
	cancel(errCause)
	if err := <-got; err != errCause {
		t.Errorf("Recv when its context ended: %v", err)
	}
	sent := 0
	for ctx, cancel := timeout(50e6); ; sent++ { // until the socket is full
		if err := a.Send(ctx, call{Text: strings.Repeat("x", 10_000)}); err != nil {
			if cancel(); err != errCause {
				t.Errorf("Send when its context ended: %v", err)
			}
			break
		}
	}
	for range sent {
		if v, err := b.Recv(soon(t)); err != nil || len(v.Text) != 10_000 {
			t.Fatal(len(v.Text), err)
		}
	}
	b.Send(background, reply{Text: "last"})
	a.Send(background, call{Text: "unread"})
	b.Close()
	if v, err := a.Recv(background); err != nil || v.Text != "last" {
		t.Errorf("Recv of what came before the end: %q, %v", v.Text, err)
	}
	if _, err := a.Recv(background); err != io.EOF {
		t.Errorf("Recv at the end: %v", err)
	}
	if err := a.Send(background, call{}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("Send to a closed end: %v", err)
	}
	if err := b.Send(background, reply{}); !errors.Is(err, tandem.ErrClosed) {
		t.Errorf("Send by a closed end: %v", err)
	}

	a, b = newPhone(t)
	go recv(background)
	runtime.Gosched()
	a.Close()
	if err := <-got; !errors.Is(err, tandem.ErrClosed) {
		t.Errorf("Recv at Close: %v", err)
	}
	if err := a.Send(nil, call{}); !errors.Is(err, tandem.ErrClosed) {
		t.Errorf("Send with a nil context: %v", err)
	}
	if _, err := b.Recv(nil); err == nil || !strings.Contains(err.Error(), "context is nil") {
		t.Errorf("Recv with a nil context: %v", err)
	}
}

// TestPipeKilled: the end of a process that is killed is closed.
func TestPipeKilled(t *testing.T) {
	a, b := newPhone(t)
	h := alone(t, cast{Role: "answer the phone", Phone: b})
	b.Close()
	a.Send(background, call{Text: "x"})
	if _, err := a.Recv(soon(t)); err != nil {
		t.Fatal(err)
	}
	kill(h)
	if _, err := a.Recv(soon(t)); err != io.EOF {
		t.Errorf("Recv after the other side was killed: %v", err)
	}
}

// TestPipeConnections: a network connection travels by its file.
func TestPipeConnections(t *testing.T) {
	a, b := newPhone(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	near, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	far, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	f, err := near.(*net.TCPConn).File()
	near.Close()
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Send(background, call{File: f}); err != nil {
		t.Fatal(err)
	}
	f.Close()
	in, err := b.Recv(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.FileConn(in.File)
	in.File.Close()
	if err != nil {
		t.Fatal(err)
	}
	conn.Write([]byte("hello"))
	conn.Close()
	if text, err := io.ReadAll(far); string(text) != "hello" || err != nil {
		t.Errorf("came: %q, %v", text, err)
	}
}

// TestPipeHostile: the other side sends what it likes. It is an error, the next value
// arrives, and no descriptor stays.
func TestPipeHostile(t *testing.T) {
	settle(t, "before", func() bool { return countFiles(t) == 0 && segments(t) == 0 })
	a, b := newPhone(t)
	small, err := mem.Create(mem.KindPipe, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []struct {
		p []byte
		f *os.File
	}{
		{[]byte{7}, os.Stdin},
		{[]byte{0, 1}, os.Stdin},
		{[]byte{0, 0xff, 0xff}, os.Stdin},
		{[]byte{1}, os.Stdin},
		{append([]byte{1}, make([]byte, 8)...), os.Stdin},
		{make([]byte, 100_000), os.Stdin},
		{[]byte{1, 0, 0, 0, 1, 0, 0, 0, 0}, small.File()}, // more than is in that memory
	} {
		b.Raw(bad.p, bad.f)
		if _, err := a.Recv(soon(t)); err == nil || err == io.EOF {
			t.Errorf("%d bytes of %v…: %v", len(bad.p), bad.p[0], err)
		}
		if err := b.Send(background, reply{Text: "good"}); err != nil {
			t.Fatal(err)
		}
		if v, err := a.Recv(soon(t)); err != nil || v.Text != "good" {
			t.Fatalf("after %d bytes: %q, %v", len(bad.p), v.Text, err)
		}
	}
	a.Close()
	b.Close()
	small.Release()
	settle(t, "descriptors go", func() bool { return countFiles(t) == 0 && segments(t) == 0 })
}

// TestPipeTypes: an end of another pipe is refused.
func TestPipeTypes(t *testing.T) {
	if _, _, err := shared.NewPipe[func(), int](); err == nil {
		t.Error("a pipe of functions was made")
	}
	a, _ := newPhone(t)
	same, err := travel(a)
	if err != nil {
		t.Fatal(err)
	}
	same.Close()
	var zero shared.Conn[int, int]
	if err := zero.Send(background, 1); !errors.Is(err, tandem.ErrClosed) {
		t.Errorf("Send of the zero Conn: %v", err)
	}
	var near, far codec.Handles
	src, err := a.AppendHandles(nil, &near)
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	if err := far.Duplicate(&near); err != nil {
		t.Fatal(err)
	}
	for _, other := range []interface {
		SetHandles([]byte, *tandem.Handles) error
	}{&zero, new(shared.Conn[call, int]), new(shared.Conn[int, reply])} {
		if err := other.SetHandles(src, &far); err == nil || !strings.Contains(err.Error(), "another pipe") {
			t.Errorf("the end of another pipe was taken: %v", err)
		}
	}
}

func BenchmarkPipe(b *testing.B) {
	near, far := newPhone(b)
	h, err := process.Start(background, process.Config{}, act, cast{Role: "answer the phone", Phone: far})
	if err != nil {
		b.Fatal(err)
	}
	far.Close()
	b.ReportAllocs()
	for b.Loop() {
		if err := near.Send(background, call{Text: "x"}); err != nil {
			b.Fatal(err)
		}
		if _, err := near.Recv(background); err != nil {
			b.Fatal(err)
		}
	}
	near.Close()
	<-h.Done()
}
