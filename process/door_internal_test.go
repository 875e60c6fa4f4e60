//go:build unix

package process

import (
	"context"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/codec"
	"github.com/tandem-go/tandem/internal/sys"
	"github.com/tandem-go/tandem/internal/wire"
)

// knocked is a link to d, made as a hostile process would.
func knocked(t *testing.T, d *door) *wire.Conn {
	t.Helper()
	a, b, err := sys.Socketpair()
	if err != nil {
		t.Fatal(err)
	}
	v := &visitor{way: d.theirs}
	err = v.knock(b)
	sys.CloseAll([]int{b})
	c, err := conn(a, err)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestHostileVisitors: whatever one sends, it is told off or left, and the next is
// served. An unknown task is not run, nor one that is no method of the value.
func TestHostileVisitors(t *testing.T) {
	methods["a stranger's method"] = reflect.TypeFor[string]()
	defer delete(methods, "a stranger's method")
	ran := false
	d, err := openDoor(runnerFunc(func(ctx context.Context, j *tandem.Job) error { ran = true; return io.EOF }), reflect.TypeFor[int]())
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()

	knock := func(b []byte, fds ...int) {
		raw, err := d.theirs.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		raw.Write(func(fd uintptr) bool {
			_, err = sys.Send(int(fd), b, fds)
			return !sys.WouldBlock(err)
		})
		if err != nil {
			t.Errorf("%d bytes, %d descriptors: %v", len(b), len(fds), err)
		}
	}
	r, w, err := sys.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer sys.CloseAll([]int{r, w})
	knock([]byte("hello"))     // no descriptor
	knock([]byte{0}, r, w)     // two
	knock([]byte{0}, w)        // no socket
	knock(make([]byte, 10000)) // long

	call := func(v visit) []byte {
		c, err := visits()
		if err != nil {
			t.Fatal(err)
		}
		b, err := c.Append(wire.Room(nil), &v, nil)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for what, frame := range map[string][]byte{
		"not encoded":  append(wire.Room(nil), 0xff, 0xff, 0xff),
		"unknown":      call(visit{Task: strings.Repeat("x", 1000)}),
		"a stranger's": call(visit{Task: "a stranger's method"}),
	} {
		c := knocked(t, d)
		if err := c.Send(wire.Call, 7, frame, nil); err != nil {
			t.Fatal(err)
		}
		hd, body, err := c.Recv(0, new(codec.Handles))
		if err != nil || hd.Kind != wire.Result || hd.Seq != 7 || len(body) == 0 || len(body) > 2000 {
			t.Errorf("%s: %v, %d bytes, %v", what, hd, len(body), err)
		}
		c.Close()
	}
	for _, kind := range []wire.Kind{wire.Result, wire.Start, wire.Exit} {
		c := knocked(t, d)
		if err := c.Send(kind, 1, wire.Room(nil), nil); err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.Recv(0, new(codec.Handles)); !errors.Is(err, io.EOF) {
			t.Errorf("a %v frame: %v, want the link closed", kind, err)
		}
		c.Close()
	}
	if ran {
		t.Error("something ran")
	}
}

type runnerFunc func(context.Context, *tandem.Job) error

func (f runnerFunc) Run(ctx context.Context, j *tandem.Job) error { return f(ctx, j) }
func (f runnerFunc) Width() int                                   { return 1 }

// TestHostileHolder: what a link's other end answers out of turn ends the link, and
// every call of it is told once.
func TestHostileHolder(t *testing.T) {
	for _, answer := range []struct {
		kind wire.Kind
		seq  uint32
	}{{wire.Result, 99}, {wire.Call, 1}} {
		a, b, err := sys.Socketpair()
		if err != nil {
			t.Fatal(err)
		}
		near, err := conn(a, nil)
		if err != nil {
			t.Fatal(err)
		}
		far, err := conn(b, nil)
		if err != nil {
			t.Fatal(err)
		}
		l := &link{conn: near, calls: make(map[uint32]chan reply)}
		_, first := l.begin()
		_, second := l.begin()
		go l.listen()
		if err := far.Send(answer.kind, answer.seq, wire.Room(nil), nil); err != nil {
			t.Fatal(err)
		}
		for _, got := range []<-chan reply{first, second} {
			if _, there := <-got; there {
				t.Errorf("a call has an outcome after a %v of %d", answer.kind, answer.seq)
			}
		}
		if l.usable() {
			t.Error("the link is still used")
		}
		far.Close()
	}
}
