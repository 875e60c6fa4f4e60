package wire

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/tandem-go/tandem/internal/codec"
	"github.com/tandem-go/tandem/internal/sys"
)

// What RecvFirst has read is read by nobody again, whether it came whole or in pieces.
func TestRecvFirst(t *testing.T) {
	for name, size := range map[string]int{"small": 10, "larger than a read": 3 * firstRead} {
		t.Run(name, func(t *testing.T) {
			ours, theirs, err := sys.Socketpair()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { sys.CloseAll([]int{ours, theirs}) })
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			var send, got codec.Handles
			if _, err := send.Add(w); err != nil {
				t.Fatal(err)
			}
			from, to := NewBlocking(ours), NewBlocking(theirs)
			want := strings.Repeat("x", size)
			if err := from.SendBefore(Start, 1, append(Room(nil), want...), &send, Finish(Call, 2, append(Room(nil), "call"...))); err != nil {
				t.Fatal(err)
			}
			w.Close()
			hd, body, fds, err := to.RecvFirst()
			if err != nil || hd.Kind != Start || string(body) != want || len(fds) != 1 {
				t.Fatalf("received %v, %d bytes, %d descriptors, %v", hd.Kind, len(body), len(fds), err)
			}
			if _, body, err := to.Recv(0, &got); err != nil || string(body) != "call" {
				t.Fatalf("behind it came %q, %v", body, err)
			}
			from.Send(Exit, 3, append(Room(nil), "exit"...), nil)
			if hd, _, err := to.Heir().Recv(0, &got); err != nil || hd.Kind != Exit || got.Len() != 0 {
				t.Fatalf("then came %v with %d descriptors, %v", hd.Kind, got.Len(), err)
			}
			sys.CloseAll(fds)
			if n, err := r.Read(make([]byte, 1)); n > 0 || err != io.EOF {
				t.Errorf("a copy of the descriptor is still open: read %d bytes, %v", n, err)
			}
		})
	}
}

// Two frames that left at once are read at once, and who goes on with the receiving
// does not touch what was handed out.
func TestSendBefore(t *testing.T) {
	ours, theirs, err := sys.Socketpair()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sys.CloseAll([]int{ours, theirs}) })
	from, to := NewBlocking(ours), NewBlocking(theirs)
	second := Finish(Call, 7, append(Room(nil), "second"...))
	if err := from.SendBefore(Start, 1, append(Room(nil), "first"...), nil, second); err != nil {
		t.Fatal(err)
	}
	if err := from.Send(Cancel, 8, append(Room(nil), "third"...), nil); err != nil {
		t.Fatal(err)
	}
	var h codec.Handles
	expect := func(c *Conn, kind Kind, seq uint32, want string) []byte {
		t.Helper()
		hd, body, err := c.Recv(0, &h)
		if err != nil || hd.Kind != kind || hd.Seq != seq || string(body) != want {
			t.Fatalf("received %v %d %q, %v; want %v %d %q", hd.Kind, hd.Seq, body, err, kind, seq, want)
		}
		return body
	}
	expect(to, Start, 1, "first")
	if to.Unread() == 0 {
		t.Error("the second frame did not come with the first")
	}
	kept := expect(to, Call, 7, "second")
	expect(to.Heir(), Cancel, 8, "third")
	if string(kept) != "second" {
		t.Errorf("what was handed out became %q", kept)
	}
}
