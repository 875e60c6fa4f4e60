package wire

import (
	"testing"

	"github.com/tandem-go/tandem/internal/codec"
	"github.com/tandem-go/tandem/internal/sys"
)

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
