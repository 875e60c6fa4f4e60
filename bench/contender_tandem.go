//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/bench/internal/drive"
	"github.com/tandem-go/tandem/process"
	"github.com/tandem-go/tandem/shared"
)

var (
	echo   = tandem.NewTask("echo", func(_ context.Context, b drive.Bytes) (drive.Bytes, error) { return b, nil })
	record = tandem.NewTask("record", func(_ context.Context, s drive.Struct) (drive.Struct, error) { return s, nil })
	next   = tandem.NewTask("next", func(_ context.Context, i int) (int, error) { return i + 1, nil })
	item   = tandem.NewTask("item", func(_ context.Context, i int) (int, error) { return drive.Item(i), nil })
	probe  = tandem.NewTask("probe", func(_ context.Context, b []byte) (int, error) { return drive.Probe(b), nil })
	look   = tandem.NewTask("look", func(_ context.Context, b *shared.Buffer) (looked, error) {
		l := looked{Buffer: b}
		err := b.View(func(p []byte) error { l.Probe = drive.Probe(p); return nil })
		return l, err
	})
	firstByte = tandem.NewTask("first byte", func(context.Context, struct{}) (struct{}, error) {
		_, err := syscall.Write(3, []byte{1}) // inherited, as by the bare side's child
		return struct{}{}, err
	})
	allocated = tandem.NewTask("allocated", func(context.Context, struct{}) (uint64, error) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.Mallocs, nil
	})
)

var tandems = slices.Concat(tandemPools, tandemParts)

type looked struct {
	Buffer *shared.Buffer
	Probe  int
}

var tandemPools = []contender{
	{
		name: "tandem", family: familyTandem,
		note: "process.Pool; maps by Map; a struct passes the codec, with a context and an error; locks: shared.Value.Update",
		can: []string{drive.Echo, drive.Record, drive.Calls, drive.Map, drive.Serial, drive.Payload,
			drive.Start, drive.Crowd, drive.Lock, drive.Allocs, drive.Collect},
		open: func(_ tools, workers int) (drive.Session, error) {
			return openTandem(&process.Pool{Workers: workers}, byMap)
		},
	},
	{
		name: "tandem sockets", family: familyTandem, note: "process.Pool with Sockets",
		can: []string{drive.Echo, drive.Record, drive.Calls, drive.Map, drive.Serial, drive.Payload, drive.Allocs},
		open: func(_ tools, workers int) (drive.Session, error) {
			return openTandem(&process.Pool{Workers: workers, Transport: process.Sockets}, byMap)
		},
	},
	{
		name: "tandem Buffer", family: familyTandem, can: []string{drive.Payload},
		note: "the bytes lie in a shared.Buffer, which goes there and back; nothing is copied",
		open: func(_ tools, workers int) (drive.Session, error) {
			return openBuffer(&process.Pool{Workers: workers})
		},
	},
	{
		name: "tandem All", family: familyTandem, note: "a slice in, a slice out", can: []string{drive.Map, drive.Serial},
		open: func(_ tools, workers int) (drive.Session, error) {
			return openTandem(&process.Pool{Workers: workers}, byAll)
		},
	},
	{
		name: "tandem Unordered", family: familyTandem, note: "results as they come", can: []string{drive.Map, drive.Serial},
		open: func(_ tools, workers int) (drive.Session, error) {
			return openTandem(&process.Pool{Workers: workers}, byUnordered)
		},
	},
	{
		name: contenderStandby, family: familyTandem, note: "process.Standby; from Start to the result", can: []string{drive.Standby},
		open: openStandby,
	},
}

// A mapper runs the items on a place, in one of the library's three ways.
type mapper func(ctx context.Context, place tandem.Runner, out []int, turns int) error

// openTandem opens a pool that is ready, or, without workers, what starts its
// own processes.
func openTandem(pool *process.Pool, m mapper) (drive.Session, error) {
	l := &drive.Local{Start: startTandem, Crowd: crowdTandem, Lock: lockTandem, Collect: collectTandem}
	if pool.Workers == 0 {
		return l, nil
	}
	if err := pool.Start(context.Background()); err != nil {
		return nil, err
	}
	cancel := callsOn(l, pool, m)
	if pool.Workers == 1 { // of more, nobody knows which one answers
		l.Theirs = func() (uint64, error) { return allocated.On(pool).Call(context.Background(), struct{}{}) }
	}
	l.Closer = func() error { cancel(); return pool.Close() }
	return l, nil
}

// openBuffer opens a pool that passes a buffer, which is filled when another size
// is asked for.
func openBuffer(pool *process.Pool) (drive.Session, error) {
	ctx := context.Background()
	if err := pool.Start(ctx); err != nil {
		return nil, err
	}
	full := new(shared.Buffer)
	blob := func(in []byte) (int, error) {
		if full.Len() != len(in) {
			full.Close()
			b, err := shared.NewBuffer(len(in))
			if err != nil {
				return 0, err
			}
			full = b
			if _, err := b.WriteAt(in, 0); err != nil {
				return 0, err
			}
		}
		for _, at := range []int{0, len(in) / 2, len(in) - 1} { // where a payload differs from the last
			if _, err := full.WriteAt(in[at:at+1], int64(at)); err != nil {
				return 0, err
			}
		}
		got, err := look.On(pool).Call(ctx, full)
		if err != nil {
			return 0, err
		}
		return got.Probe, got.Buffer.Close()
	}
	return &drive.Local{Blob: blob, Closer: func() error { full.Close(); return pool.Close() }}, nil
}

// callsOn makes the calls run on a place. Their context can be cancelled, as
// that of a real caller: it must not be free.
func callsOn(l *drive.Local, place tandem.Runner, m mapper) context.CancelFunc {
	ctx, cancel := context.WithCancel(context.Background())
	l.Echo = func(in drive.Bytes) (drive.Bytes, error) { return echo.On(place).Call(ctx, in) }
	l.Record = func(in drive.Struct) (drive.Struct, error) { return record.On(place).Call(ctx, in) }
	l.Next = func(in int) (int, error) { return next.On(place).Call(ctx, in) }
	l.Blob = func(in []byte) (int, error) { return probe.On(place).Call(ctx, in) }
	l.Each = func(out []int, turns int) error { return m(ctx, place, out, turns) }
	return cancel
}

func items(n, turns int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(drive.Pack(i, turns)) {
				return
			}
		}
	}
}

func byMap(ctx context.Context, place tandem.Runner, out []int, turns int) error {
	i := 0
	for v, err := range item.On(place).Map(ctx, items(len(out), turns)) {
		if err != nil {
			return err
		}
		out[i] = v
		i++
	}
	return nil
}

func byUnordered(ctx context.Context, place tandem.Runner, out []int, turns int) error {
	for it := range item.On(place).Unordered(ctx, items(len(out), turns)) {
		if it.Err != nil {
			return it.Err
		}
		out[it.Index] = it.Out
	}
	return nil
}

func byAll(ctx context.Context, place tandem.Runner, out []int, turns int) error {
	ins := make([]int, len(out))
	for i := range ins {
		ins[i] = drive.Pack(i, turns)
	}
	got, err := item.On(place).All(ctx, ins)
	copy(out, got)
	return err
}

// openStandby opens a standby for bursts of starts.
func openStandby(tools, int) (drive.Session, error) {
	s := &process.Standby{Processes: standbyBurst}
	return &drive.Local{
		Standby: func(n int, pause time.Duration) ([]int64, error) { return startStandby(s, n, pause) },
		Closer:  s.Close,
	}, nil
}

// standbyBurst is how many starts find a process ready, one right after the other.
const standbyBurst = 4

// startStandby is process.Start to the result, n times. Back to back they come in
// bursts, each when all processes are there again; with a pause, after each has
// waited for so long.
func startStandby(s *process.Standby, n int, pause time.Duration) (samples []int64, err error) {
	ctx := context.Background()
	for i := range n {
		if pause > 0 || i%standbyBurst == 0 {
			if err := s.Start(ctx); err != nil {
				return nil, err
			}
			time.Sleep(max(pause, 10*time.Millisecond)) // what ended has gone
		}
		begin := time.Now()
		h, err := process.Start(ctx, process.Config{Standby: s}, next, i)
		if err != nil {
			return nil, err
		}
		got, err := h.Result(ctx)
		samples = append(samples, int64(time.Since(begin)))
		if err == nil && got != i+1 {
			err = fmt.Errorf("the successor of %d came back as %d", i, got)
		}
		if err != nil {
			return nil, err
		}
	}
	return samples, nil
}

// startTandem is process.Start to the byte that the task writes, and to Wait.
func startTandem() (first, join int64, err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return 0, 0, err
	}
	defer r.Close()
	begin := time.Now()
	h, err := process.Start(context.Background(), process.Config{ExtraFiles: []*os.File{w}}, firstByte, struct{}{})
	w.Close()
	if err != nil {
		return 0, 0, err
	}
	_, err = io.ReadFull(r, make([]byte, 1))
	first = int64(time.Since(begin))
	if _, failed := h.Wait(context.Background()); err == nil {
		err = failed
	}
	return first, int64(time.Since(begin)), err
}

func crowdTandem(n int) (func() error, error) {
	pool := &process.Pool{Workers: n}
	return pool.Close, pool.Start(context.Background()) // which returns when all serve
}
