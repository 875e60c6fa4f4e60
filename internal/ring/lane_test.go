//go:build linux

package ring_test

import (
	"bytes"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/tandem-go/tandem/internal/ring"
)

// pair makes both sides in this process; the worker's lanes are the test's.
func pair(t testing.TB, c ring.Config) (*ring.Parent, *ring.Worker) {
	t.Helper()
	p, err := ring.Create(c)
	if err != nil {
		t.Fatal(err)
	}
	f := p.Files()
	w, err := ring.Open(again(t, f[0]), again(t, f[1]), polled(t, p.Alarm()), c.Spinners)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		w.Close()
		if err := errors.Join(p.Close(), w.Release()); err != nil {
			t.Error(err)
		}
	})
	return p, w
}

func reserve(t testing.TB, o *ring.Outbox) ring.Slot {
	t.Helper()
	s, ok := o.Reserve()
	if !ok {
		t.Fatal("the lane is full")
	}
	return s
}

func publish(t testing.TB, o *ring.Outbox, text string) ring.Slot {
	t.Helper()
	s := reserve(t, o)
	o.Publish(s, []byte(text))
	return s
}

// next expects a request of that text.
func next(t testing.TB, in *ring.Inbox, want string) ring.Request {
	t.Helper()
	r, err := in.Next()
	if err != nil || string(r.Bytes) != want {
		t.Fatalf("Next = %q, %v; want %q", r.Bytes, err, want)
	}
	return r
}

func TestSizes(t *testing.T) {
	p, w := pair(t, ring.Config{Lanes: 1})
	o, in := p.Lanes()[0], w.Lanes()[0]
	for _, n := range []int{0, 1, 47, 48, 49, 64, ring.Inline - 1, ring.Inline} {
		want := bytes.Repeat([]byte{byte(n)}, n)
		s := reserve(t, o)
		o.Publish(s, append(o.Room(s), want...))
		r, err := in.Next()
		if err != nil || !bytes.Equal(r.Bytes, want) || r.Aside || r.Seq != s.Seq() {
			t.Fatalf("%d bytes: Next = %d bytes, aside %v, seq %d of %d, %v", n, len(r.Bytes), r.Aside, r.Seq, s.Seq(), err)
		}
		if !o.Started(s) {
			t.Error("a started call does not look so")
		}
		in.Done(append(in.Room(), want...))
		got, aside, err := o.Wait(s, []byte("before"), nil)
		if err != nil || aside || !bytes.Equal(got, append([]byte("before"), want...)) {
			t.Fatalf("%d bytes: Wait = %d bytes, aside %v, %v", n, len(got), aside, err)
		}
	}
}

// TestRounds goes around the ring many times, and over the end of the count.
func TestRounds(t *testing.T) {
	p, w := pair(t, ring.Config{Lanes: 1, Slots: 4})
	o, in := p.Lanes()[0], w.Lanes()[0]
	for i := range 100 {
		var list []ring.Slot
		for range i%4 + 1 {
			list = append(list, publish(t, o, "x"))
		}
		for range list {
			next(t, in, "x")
			in.Done(nil)
		}
		for _, s := range list {
			if _, _, err := o.Wait(s, nil, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestCrowd: a call says whether others waited when it was published.
func TestCrowd(t *testing.T) {
	p, w := pair(t, ring.Config{Lanes: 1})
	o, in := p.Lanes()[0], w.Lanes()[0]
	first := publish(t, o, "first")
	next(t, in, "first")
	if in.Crowd() {
		t.Error("a call alone is a crowd")
	}
	var waiting sync.WaitGroup
	waiting.Go(func() { o.Wait(first, nil, nil) })
	p.AwaitWaiter()
	second := publish(t, o, "second")
	in.Done(nil)
	waiting.Wait()
	next(t, in, "second")
	if !in.Crowd() {
		t.Error("a call behind one that is waited for is no crowd")
	}
	in.Done(nil)
	o.Wait(second, nil, nil)
	third := publish(t, o, "third")
	if next(t, in, "third"); in.Crowd() {
		t.Error("a crowd that has gone")
	}
	in.Done(nil)
	o.Wait(third, nil, nil)
}

func TestFull(t *testing.T) {
	p, w := pair(t, ring.Config{Lanes: 1, Slots: 2})
	o, in := p.Lanes()[0], w.Lanes()[0]
	a, b := publish(t, o, "a"), publish(t, o, "b")
	if _, ok := o.Reserve(); ok {
		t.Error("a third call in two slots")
	}
	next(t, in, "a")
	in.Done(nil)
	if _, ok := o.Reserve(); ok {
		t.Error("the slot of an answer that nobody fetched was given away")
	}
	o.Wait(a, nil, nil)
	c := publish(t, o, "c")
	next(t, in, "b")
	in.Done(nil)
	o.Wait(b, nil, nil)
	next(t, in, "c")
	in.Done(nil)
	o.Wait(c, nil, nil)
}

func TestAside(t *testing.T) {
	p, w := pair(t, ring.Config{Lanes: 1})
	o, in := p.Lanes()[0], w.Lanes()[0]
	s := reserve(t, o)
	o.PublishAside(s)
	if r, err := in.Next(); err != nil || !r.Aside || len(r.Bytes) != 0 {
		t.Errorf("Next = %+v, %v; want an empty request, aside", r, err)
	}
	in.DoneAside([]byte("and"))
	if got, aside, err := o.Wait(s, nil, nil); err != nil || !aside || string(got) != "and" {
		t.Errorf("Wait = %d bytes, aside %v, %v", len(got), aside, err)
	}
}

// TestTakeBack: what is queued can be taken back and is passed over, however often
// the slot is used again; what is started cannot.
func TestTakeBack(t *testing.T) {
	p, w := pair(t, ring.Config{Lanes: 1, Slots: 4})
	o, in := p.Lanes()[0], w.Lanes()[0]
	first := publish(t, o, "first")
	next(t, in, "first")
	if o.TakeBack(first) {
		t.Error("a started call was taken back")
	}
	for range 3 {
		s := publish(t, o, "gone")
		if !o.TakeBack(s) || o.TakeBack(s) {
			t.Fatal("a queued call must be taken back, and once")
		}
		if _, _, err := o.Wait(s, nil, nil); err != ring.ErrTaken {
			t.Fatalf("Wait = %v, want ErrTaken", err)
		}
	}
	in.Done(nil)
	if o.TakeBack(first) {
		t.Error("an answered call was taken back")
	}
	o.Wait(first, nil, nil)
	if o.TakeBack(first) {
		t.Error("a settled call was taken back")
	}
	for range 10 { // several rounds, while the worker stands still
		s := publish(t, o, "gone")
		if !o.TakeBack(s) {
			t.Fatal("not taken back")
		}
		o.Wait(s, nil, nil)
	}
	kept := publish(t, o, "kept")
	next(t, in, "kept")
	in.Done(nil)
	o.Wait(kept, nil, nil)
}

// TestAbandon: the worker passes over what was never published.
func TestAbandon(t *testing.T) {
	p, w := pair(t, ring.Config{Lanes: 1})
	o, in := p.Lanes()[0], w.Lanes()[0]
	a := reserve(t, o)
	b := publish(t, o, "b")
	got := make(chan string)
	go func() {
		r, _ := in.Next()
		text := string(r.Bytes)
		in.Done(nil)
		got <- text
	}()
	o.Abandon(a)
	if text := <-got; text != "b" {
		t.Errorf("Next = %q, want b", text)
	}
	o.Wait(b, nil, nil)
}

// TestFail: each call gets the outcome that it had when the worker went.
func TestFail(t *testing.T) {
	p, w := pair(t, ring.Config{Lanes: 1})
	o, in := p.Lanes()[0], w.Lanes()[0]
	a, b, c := publish(t, o, "a"), publish(t, o, "b"), publish(t, o, "c")
	next(t, in, "a")
	in.Done([]byte("answer"))
	next(t, in, "b")
	p.Fail()
	for _, want := range []struct {
		s   ring.Slot
		err error
	}{{a, nil}, {b, ring.ErrGone}, {c, ring.ErrUnstarted}} {
		if _, _, err := o.Wait(want.s, nil, nil); err != want.err {
			t.Errorf("Wait = %v, want %v", err, want.err)
		}
	}
	in.Done(nil)
	late := publish(t, o, "late")
	if _, _, err := o.Wait(late, nil, nil); err != ring.ErrUnstarted {
		t.Errorf("after Fail: %v, want ErrUnstarted", err)
	}
}

// TestWakes: whoever waits, alone or among others, awake or asleep, hears of each
// end of its call.
func TestWakes(t *testing.T) {
	for _, spinners := range []*ring.Spinners{nil, newSpinners(t, runtime.NumCPU())} {
		for _, act := range []func(p *ring.Parent, o *ring.Outbox, in *ring.Inbox, s ring.Slot){
			func(_ *ring.Parent, _ *ring.Outbox, in *ring.Inbox, _ ring.Slot) { next(t, in, "x"); in.Done(nil) },
			func(_ *ring.Parent, o *ring.Outbox, _ *ring.Inbox, s ring.Slot) { o.TakeBack(s) },
			func(p *ring.Parent, _ *ring.Outbox, _ *ring.Inbox, _ ring.Slot) { p.Fail() },
		} {
			for _, callers := range []int{1, 3} {
				for round := range 20 {
					p, w := pair(t, ring.Config{Lanes: 1, Spinners: spinners})
					o, in := p.Lanes()[0], w.Lanes()[0]
					var list []ring.Slot
					var waits sync.WaitGroup
					for range callers {
						s := publish(t, o, "x")
						list = append(list, s)
						waits.Go(func() { o.Wait(s, nil, nil) })
					}
					if round%2 == 0 {
						p.AwaitAsleep()
					}
					for _, s := range list {
						act(p, o, in, s)
					}
					waits.Wait()
				}
			}
		}
	}
}

// TestClose: a worker's Close ends Next, asleep or not.
func TestClose(t *testing.T) {
	_, w := pair(t, ring.Config{Lanes: 2})
	ends := make(chan error)
	for _, in := range w.Lanes() {
		go func() { _, err := in.Next(); ends <- err }()
	}
	w.Close()
	for range 2 {
		if err := <-ends; err != ring.ErrClosed {
			t.Errorf("Next = %v, want ErrClosed", err)
		}
	}
}

// TestMisuse: the programmer's mistakes are named.
func TestMisuse(t *testing.T) {
	for _, c := range []ring.Config{{}, {Lanes: -1}, {Lanes: 1, Slots: 3}, {Lanes: 1, Slots: 1}, {Lanes: ring.MaxLanes + 1}, {Lanes: 1, Slots: 2 * ring.MaxSlots}} {
		if p, err := ring.Create(c); err == nil || !strings.Contains(err.Error(), "tandem: ring: ") {
			p.Close()
			t.Errorf("Create(%+v) = %v", c, err)
		}
	}
	p, w := pair(t, ring.Config{Lanes: 1})
	o, in := p.Lanes()[0], w.Lanes()[0]
	s := publish(t, o, "x")
	next(t, in, "x")
	for name, f := range map[string]func(){
		"a request that is too long": func() { o.Publish(s, make([]byte, ring.Inline+1)) },
		"an answer that is too long": func() { in.Done(make([]byte, ring.Inline+1)) },
		"a wide answer, too long":    func() { in.DoneWide(make([]byte, ring.Wide+1)) },
		"published twice":            func() { o.Publish(s, nil) },
		"Next before Done":           func() { in.Next() },
	} {
		func() {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "tandem: ring: ") {
					t.Errorf("%s: panic %q", name, text)
				}
			}()
			f()
		}()
	}
	in.Done(nil)
	o.Wait(s, nil, nil)
	defer func() {
		if recover() == nil {
			t.Error("Done without a request: no panic")
		}
	}()
	in.Done(nil)
}
