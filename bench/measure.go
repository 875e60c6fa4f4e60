//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// Figures of one series of samples.
type Figures struct {
	Median float64 `json:"median"`
	P99    float64 `json:"p99"`
	Mean   float64 `json:"mean"`
	N      int     `json:"n"`
}

func figures(samples []time.Duration) Figures {
	slices.Sort(samples)
	var sum time.Duration
	for _, s := range samples {
		sum += s
	}
	n := len(samples)
	return Figures{float64(samples[n/2]), float64(samples[n*99/100]), float64(sum) / float64(n), n}
}

// The tasks of the tandem side.
var (
	firstByte = tandem.NewTask("first byte", func(ctx context.Context, w *os.File) (struct{}, error) {
		_, err := w.Write([]byte{1})
		return struct{}{}, err
	})
	echo = tandem.NewTask("echo", func(ctx context.Context, b payload) (payload, error) { return b, nil })
)

// payload is what a call and an echo carry.
type payload [64]byte

func measure(starts, calls int) (rows []Row, err error) {
	var all unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		return nil, err
	}
	start, err := compare(starts, bareStart, tandemStart)
	if err != nil {
		return nil, err
	}
	rows = append(rows, Row{Name: "start to first byte", Placement: "any", Bare: start[0], Tandem: start[1], Goal: 1.10, Bound: 1.4})
	for _, p := range []struct {
		name  string
		first bool // only the first CPU
	}{{"any", false}, {"one CPU", true}} {
		r, err := echoes(p.first, all, calls)
		if err != nil {
			return nil, err
		}
		rows = append(rows, Row{Name: "call, 64 bytes", Placement: p.name, Bare: r[0], Tandem: r[1], Goal: 1.5, Bound: 2})
	}
	for i := range rows {
		rows[i].Ratio = rows[i].Tandem.Median / rows[i].Bare.Median
	}
	return rows, nil
}

// compare takes n samples of both sides in turn, after a warm-up of each.
func compare(n int, sides ...func() (time.Duration, error)) (out [2]Figures, err error) {
	var samples [2][]time.Duration
	for i := range n + 10 {
		for k, side := range sides {
			d, err := side()
			if err != nil {
				return out, err
			}
			if i >= 10 {
				samples[k] = append(samples[k], d)
			}
		}
	}
	return [2]Figures{figures(samples[0]), figures(samples[1])}, nil
}

// bareStart is os/exec of this binary to the byte it writes first of all.
func bareStart() (time.Duration, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer r.Close()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), bareMode+"=byte")
	cmd.ExtraFiles = []*os.File{w}
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	w.Close()
	if _, err := r.Read(make([]byte, 1)); err != nil {
		return 0, err
	}
	d := time.Since(begin)
	return d, cmd.Wait()
}

// tandemStart is process.Start to the byte that the task writes.
func tandemStart() (time.Duration, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer r.Close()
	begin := time.Now()
	h, err := process.Start(context.Background(), process.Config{}, firstByte, w)
	if err != nil {
		return 0, err
	}
	w.Close()
	if _, err := r.Read(make([]byte, 1)); err != nil {
		return 0, err
	}
	d := time.Since(begin)
	_, err = h.Wait(context.Background())
	return d, err
}

// echoes compares round trips, with both processes on one processor or anywhere.
// The two sides take turns in blocks: a switch of the peer at every sample would
// measure cold caches.
func echoes(first bool, all unix.CPUSet, calls int) (out [2]Figures, err error) {
	if first {
		var one unix.CPUSet
		for i := range 1024 {
			if all.IsSet(i) {
				one.Set(i)
				break
			}
		}
		if err := pin(&one); err != nil {
			return out, err
		}
		defer pin(&all)
	}
	bare, stop, err := bareEcho()
	if err != nil {
		return out, err
	}
	defer stop()
	pool := &process.Pool{Workers: 1}
	defer pool.Close()
	if err := pool.Start(context.Background()); err != nil {
		return out, err
	}
	call := func() error {
		in := payload{1, 2, 3}
		got, err := echo.On(pool).Call(context.Background(), in)
		if err == nil && got != in {
			err = fmt.Errorf("the echo differs")
		}
		return err
	}
	const block = 200
	var samples [2][]time.Duration
	for i := range max(calls/block, 1) + 2 {
		for k, f := range []func() error{bare, call} {
			for range block {
				begin := time.Now()
				if err := f(); err != nil {
					return out, err
				}
				if i >= 2 { // warm-up
					samples[k] = append(samples[k], time.Since(begin))
				}
			}
		}
	}
	return [2]Figures{figures(samples[0]), figures(samples[1])}, nil
}

// pin moves every thread of this process, and with it its future children, onto
// a set of processors.
func pin(set *unix.CPUSet) error {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, t := range threads {
		var tid int
		fmt.Sscan(t.Name(), &tid)
		if err := unix.SchedSetaffinity(tid, set); err != nil && err != unix.ESRCH {
			return err
		}
	}
	return nil
}
