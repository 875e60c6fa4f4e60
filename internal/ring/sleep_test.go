//go:build linux

package ring_test

import (
	"runtime"
	"testing"

	"github.com/tandem-go/tandem/internal/ring"
)

// TestDormant: a lane that has slept for long is woken for each call, also by Abandon,
// and by Close.
func TestDormant(t *testing.T) {
	p, w := pair(t, ring.Config{Lanes: 1, Slots: 4})
	o, in := p.Lanes()[0], w.Lanes()[0]
	served := make(chan error, 1)
	go func() {
		for {
			r, err := in.Next()
			if err != nil {
				served <- err
				return
			}
			in.Done(append(in.Room(), r.Bytes...))
		}
	}()
	for range 300 { // more than fit the alarm's socket, if nobody takes them out
		o.AwaitDormant()
		o.Abandon(reserve(t, o))
		s := publish(t, o, "a")
		if got, _, err := o.Wait(s, nil, nil); err != nil || string(got) != "a" {
			t.Fatalf("Wait = %q, %v", got, err)
		}
	}
	o.AwaitDormant()
	w.Close()
	if err := <-served; err != ring.ErrClosed {
		t.Errorf("Next after Close: %v", err)
	}
}

// TestDozeTaken: who dozes for a call that was taken back hears of its own.
func TestDozeTaken(t *testing.T) {
	p, w := pair(t, ring.Config{Lanes: 1, Slots: 4})
	o, in := p.Lanes()[0], w.Lanes()[0]
	for _, early := range []bool{true, false} {
		a, b := publish(t, o, "a"), publish(t, o, "b")
		if early {
			o.TakeBack(b)
		}
		woken := make(chan error, 1)
		go func() {
			_, _, _, err := o.Doze(a, b, nil, nil)
			woken <- err
		}()
		p.AwaitAsleep()
		if !early {
			o.TakeBack(b)
		}
		next(t, in, "a")
		in.Done(nil)
		if err := <-woken; err != nil {
			t.Error(err)
		}
		if _, _, err := o.Wait(b, nil, nil); err != ring.ErrTaken {
			t.Error(err)
		}
	}
}

// TestManyLanesBlock: lanes that share a worker have no alarm.
func TestManyLanesBlock(t *testing.T) {
	if p, _ := pair(t, ring.Config{Lanes: 2}); p.Alarm() != nil {
		t.Error("a worker with two lanes has an alarm")
	}
}

// TestDoze: who dozes hears of the last call, or of Stir, and not of those before.
func TestDoze(t *testing.T) {
	p, w := pair(t, ring.Config{Lanes: 1, Slots: 4})
	o, in := p.Lanes()[0], w.Lanes()[0]
	for _, stir := range []bool{false, true} {
		var slots []ring.Slot
		for range 3 {
			s := reserve(t, o)
			o.PublishItems(s, nil, 1)
			slots = append(slots, s)
		}
		woken := make(chan error, 1)
		go func() {
			_, _, _, err := o.Doze(slots[0], slots[2], nil, nil)
			woken <- err
		}()
		p.AwaitAsleep()
		for i := range slots {
			for p.BellRung() { // it is on its way to sleep
				runtime.Gosched()
			}
			next(t, in, "")
			in.Begin(0)
			in.Done(nil)
			if rung := p.BellRung(); rung != (i == 2) {
				t.Errorf("after call %d of 3 the bell has rung: %v", i, rung)
			}
			if stir && i == 1 {
				o.Stir()
				break
			}
		}
		if err := <-woken; err != nil {
			t.Fatal(err)
		}
		if stir {
			next(t, in, "")
			in.Begin(0)
			in.Done(nil)
		}
		for _, s := range slots[1:] {
			if _, begun, _, err := o.WaitItems(s, nil, nil); err != nil || begun != 1 {
				t.Fatalf("%d begun, %v", begun, err)
			}
		}
	}
}
