//go:build linux

package shared_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/codec"
	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/sys"
	"github.com/tandem-go/tandem/shared"
)

// survives checks that f, which works with what a hostile process has written, ends with
// its context, whatever its outcome, and not by a fault. A panic of misuse is one that
// says what was given back that nobody has.
func survives(t *testing.T, f func(ctx context.Context) error) {
	t.Helper()
	ctx, cancel := timeout(2 * time.Millisecond)
	defer cancel()
	over := make(chan any, 1)
	go func() {
		defer func() { over <- recover() }()
		f(ctx)
	}()
	select {
	case v := <-over:
		if err, fault := v.(runtime.Error); fault {
			t.Errorf("a fault: %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it did not end with its context")
	}
}

// FuzzTable: what lies behind the lock of something that processes wait for is a hostile
// process's: the words of the thing, whose lives the places are, who waits, and the ring of
// a queue.
func FuzzTable(f *testing.F) {
	const table = 128 // see internal/monitor
	huge := binary.NativeEndian.AppendUint64(nil, 1<<63-1)
	for which := range 9 {
		f.Add(byte(which), uint16(0), make([]byte, 64))
		f.Add(byte(which), uint16(8), huge)                   // places that were used
		f.Add(byte(which), uint16(16), append(huge, huge...)) // words of the thing
		f.Add(byte(which), uint16(2240-table), append(huge, huge...))
		f.Add(byte(which), uint16(64), binary.NativeEndian.AppendUint32(nil, 1<<30)) // one who died
	}
	f.Fuzz(func(t *testing.T, which byte, at uint16, content []byte) {
		list := waitables(t)
		w := list[int(which)%len(list)]
		memory := w.segment()[table:]
		copy(memory[int(at)%len(memory):], content)
		survives(t, w.use)
		survives(t, w.use)
		w.close()
	})
}

// lockables are what has a lock in shared memory: what one does with it until a context
// ends, and how it is closed.
func lockables(t testing.TB) []waitable {
	m := open[*shared.Mutex](t)(shared.NewMutex())
	v, s := newTally(t), newSlice[int64](t, 1)
	whole := func(*shared.OwnerDiedError) error { return nil }
	list := []waitable{
		{"Mutex", m.Segment, func(ctx context.Context) error {
			m.TryLock()
			return errors.Join(m.With(ctx, func() error { return nil }), m.Repair(ctx, whole), m.With(ctx, func() error { return nil }))
		}, m.Close},
		{"Value", v.Segment, func(ctx context.Context) error {
			err := v.Update(ctx, func(*tally) error { return nil })
			return errors.Join(err, v.Repair(ctx, func(*tally, *shared.OwnerDiedError) error { return nil }), v.Store(ctx, tally{}))
		}, v.Close},
		{"Slice", s.Segment, func(ctx context.Context) error {
			err := s.Update(ctx, func([]int64) error { return nil })
			return errors.Join(err, s.Repair(ctx, func([]int64, *shared.OwnerDiedError) error { return errCause }))
		}, s.Close},
	}
	sem, e, q := newSemaphore(t, 1), newEvent(t), newLine(t, 1)
	rw, b := newRWMutex(t), newBarrier(t, 2)
	return append(list,
		waitable{"Semaphore", sem.Segment, sem.Acquire, sem.Close},
		waitable{"Event", e.Segment, e.Wait, e.Close},
		waitable{"Queue", q.Segment, func(ctx context.Context) error { _, err := q.Get(ctx); return err }, q.Close},
		waitable{"RWMutex", rw.Segment, rw.Lock, rw.Close},
		waitable{"Barrier", b.Segment, func(ctx context.Context) error { _, err := b.Wait(ctx); return err }, b.Close},
	)
}

// FuzzLock: the word of a lock, its heir and its namespace are a hostile process's.
func FuzzLock(f *testing.F) {
	const lockAt = mem.HeaderSize
	me := uint64(os.Getpid())
	for which := range 8 {
		for _, state := range []uint32{0, 1, 1 << 21, 1 << 30, 1 << 31, 1<<31 | 1<<30, 1<<30 - 1, 1<<30 - 2, 1<<32 - 1} {
			f.Add(byte(which), state, uint32(me), uint64(0))
			f.Add(byte(which), state, uint32(me|5<<22), uint64(7<<22|1))
		}
	}
	f.Fuzz(func(t *testing.T, which byte, state, signature uint32, heir uint64) {
		list := lockables(t)
		w := list[int(which)%len(list)]
		memory := w.segment()[lockAt:]
		binary.NativeEndian.PutUint32(memory, state)
		binary.NativeEndian.PutUint32(memory[4:], signature)
		binary.NativeEndian.PutUint64(memory[8:], heir)
		survives(t, w.use)
		w.close()
	})
}

// FuzzOpened: a segment of any content comes as any thing. It is refused, or it can be
// used as far as its content allows, and closed.
func FuzzOpened(f *testing.F) {
	for which := range 12 {
		f.Add(byte(which), []byte{0}, uint16(0), []byte{})
		f.Add(byte(which), append([]byte{0}, make([]byte, 8)...), uint16(144), make([]byte, 16)) // a thing of 0 places
		f.Add(byte(which), []byte{0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, uint16(144), []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
		f.Add(byte(which), []byte{1, 0}, uint16(0), []byte("no magic"))
	}
	f.Fuzz(func(t *testing.T, which byte, src []byte, at uint16, content []byte) {
		list := arrivals(t)
		x := list[int(which)%len(list)]
		var near, far codec.Handles
		if _, err := x.from.AppendHandles(nil, &near); err != nil {
			t.Fatal(err)
		}
		defer far.Close()
		if err := far.Receive(forged(t, near.Files()[0], int(at), content)); err != nil {
			t.Fatal(err)
		}
		if x.to.SetHandles(src, &far) == nil {
			survives(t, x.use)
		}
		x.to.Close()
	})
}

// arrival is what comes from a hostile process, and what is done with it.
type arrival struct {
	from, to interface {
		codec.HandleMarshaler
		SetHandles([]byte, *tandem.Handles) error
		Close() error
	}
	use func(ctx context.Context) error
}

// arrivals makes one of each that is a segment.
func arrivals(t *testing.T) []arrival {
	c := everything(t)
	m, v, s := new(shared.Mutex), new(shared.Value[tally]), new(shared.Slice[int64])
	b, n, q := new(shared.Buffer), new(shared.Atomic[int64]), new(shared.Queue[ware])
	sem, e, g, o := new(shared.Semaphore), new(shared.Event), new(shared.WaitGroup), new(shared.Once)
	rw, meet := new(shared.RWMutex), new(shared.Barrier)
	return []arrival{
		{c.Lock, m, m.Lock},
		{c.Tally, v, func(ctx context.Context) error { _, err := v.Load(ctx); return err }},
		{c.Slice, s, func(ctx context.Context) error {
			return s.Update(ctx, func(p []int64) error { clear(p); return nil })
		}},
		{c.Data, b, func(context.Context) error { _, err := b.ReadAt(make([]byte, 100), 0); return err }},
		{c.Num, n, func(context.Context) error { n.Add(1); return nil }},
		{c.Sem, sem, sem.Acquire},
		{c.Event, e, e.Wait},
		{c.Group, g, g.Wait},
		{c.Once, o, func(ctx context.Context) error { return o.Do(ctx, func() error { return nil }) }},
		{c.RW, rw, rw.RLock},
		{c.Meet, meet, func(ctx context.Context) error { _, err := meet.Wait(ctx); return err }},
		{c.Line, q, func(ctx context.Context) error { _, err := q.Get(ctx); return err }},
	}
}

// forged is another segment with the content of f, but for some bytes.
func forged(t *testing.T, f *os.File, at int, content []byte) *os.File {
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	all := make([]byte, info.Size())
	if _, err := f.ReadAt(all, 0); err != nil {
		t.Fatal(err)
	}
	copy(all[at%len(all):], content)
	g, err := sys.Memfd("forged", info.Size())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.WriteAt(all, 0); err != nil {
		t.Fatal(err)
	}
	return g
}

// FuzzMessage: what comes out of a pipe is what a hostile process has put in, also beside
// a descriptor. It is an error, or a value; and the next one arrives.
func FuzzMessage(f *testing.F) {
	for _, m := range [][]byte{{0}, {0, 0, 0}, {1}, {1, 0, 0, 0, 0, 0, 0, 0, 0}, {1, 0xff, 0xff, 0, 0, 0, 0, 0, 0}, {7, 8}} {
		f.Add(m)
	}
	a, b := newPhone(f)
	f.Fuzz(func(t *testing.T, message []byte) {
		if len(message) == 0 {
			return // the system does not send nothing
		}
		b.Raw(message, os.Stdin)
		if in, err := a.Recv(soon(t)); err == io.EOF {
			t.Fatal("the pipe is at its end")
		} else if in.File != nil {
			in.File.Close()
		}
		if err := b.Send(soon(t), reply{Text: "good"}); err != nil {
			t.Fatal(err)
		}
		if in, err := a.Recv(soon(t)); err != nil || in.Text != "good" {
			t.Fatalf("after it: %q, %v", in.Text, err)
		}
	})
}
