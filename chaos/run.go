//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// options are what the command line says.
type options struct {
	length time.Duration
	seed   uint64
	table  io.Writer // of the samples; nil: none
}

// run disturbs for so long, or until ctx ends, and returns what is broken, and what
// was seen.
func run(ctx context.Context, out io.Writer, o options) ([]string, []sample) {
	fmt.Fprintf(out, "seed %d\n", o.seed)
	j := &judge{out: out}
	folder, err := os.MkdirTemp("", "chaos")
	if err != nil {
		return []string{err.Error()}, nil
	}
	defer os.RemoveAll(folder)
	mark := fmt.Sprintf("%s=%d-%d", markEnv, os.Getpid(), o.seed)
	if err := os.Setenv(markEnv, mark[len(markEnv)+1:]); err != nil {
		return []string{err.Error()}, nil
	}
	defer os.Unsetenv(markEnv)
	if err := poolWorks(ctx); err != nil { // what the runtime makes once is made now
		return []string{err.Error()}, nil
	}
	alive := live()
	before := holdings()

	r := newRecorder(min(time.Second, o.length/60), j.settled.Load, o.table)
	d := &disturber{
		judge: j, made: map[string]int{}, none: map[string]error{}, slots: make(chan struct{}, 8), recorder: r,
		serving: serving{pids: map[int]bool{}, stopped: map[*process.Process]bool{}},
	}
	steady := &process.Pool{Name: "steady", Workers: 3, Limits: working, Progress: d.serving.add}
	hybrid := &process.Pool{Name: "hybrid", Workers: 2, Threads: 3, Limits: working, Progress: d.serving.add, Transport: process.Sockets}
	rough := tandem.Limits{Time: time.Second, Grace: 50 * time.Millisecond, Memory: 128 << 20}
	if raceBuild {
		rough.Memory = 0
	}
	d.rough = &process.Pool{Name: "rough", Workers: 2, Limits: rough,
		Config: process.Config{OpenFiles: openFiles, Stdout: slowly{new(atomic.Int64)}, Stderr: io.Discard}}
	d.scribbled = &process.Pool{Name: "scribbled", Workers: 1, Limits: tandem.Limits{Time: 200 * time.Millisecond, Grace: -1},
		Config: process.Config{Stderr: io.Discard}}

	everybody := &common{
		serving: &d.serving,
		standby: &process.Standby{Processes: 2, Config: process.Config{Name: standbyName}},
		service: &process.Service[*tally]{
			Name: "tally", New: newTally.With(filepath.Join(folder, "tally")), Limits: working,
			Restart: process.Restart{Max: 1 << 30, Backoff: time.Millisecond},
		},
		tallies: tallies{seen: map[uint64]map[int]bool{}},
	}

	stop := make(chan struct{})
	var loads sync.WaitGroup
	var all []*load
	for n, pool := range []*process.Pool{steady, steady, steady, hybrid, hybrid} {
		l := &load{judge: j, pool: pool, folder: folder, shared: everybody, random: rand.New(rand.NewPCG(o.seed, uint64(n+2)))}
		all = append(all, l)
		loads.Go(func() { l.work(stop) })
	}
	sampled := make(chan struct{})
	var sampling sync.WaitGroup
	sampling.Go(func() { r.run(sampled) })
	d.follow(ctx, o)
	close(sampled)
	sampling.Wait()
	d.end(func() { close(stop); loads.Wait() }, all)

	j.recovered(steady, &process.Pool{Name: "fresh", Workers: steady.Workers, Limits: working, Progress: steady.Progress})
	for _, pool := range []*process.Pool{steady, hybrid} {
		j.whole(pool)
	}
	d.closed("standby", everybody.standby.Close())
	d.closed("service", everybody.service.Close())
	for _, pool := range []*process.Pool{steady, hybrid, d.rough} {
		d.closed(pool.Name, pool.Close())
	}
	d.scribbled.Close() // its error is the scribbled workers'
	j.nothingLeft(before)
	j.orphans(mark)
	j.forgotten(alive, live())
	j.bounded(trends(r.samples), o.length >= leastSoak)
	d.report(out)
	return j.verdict(), r.samples
}

// follow makes the events of the schedule happen, and prints a line every ten seconds.
func (d *disturber) follow(ctx context.Context, o options) {
	ctx, cancel := context.WithTimeout(ctx, o.length)
	defer cancel()
	begin := time.Now()
	tick := time.NewTicker(min(10*time.Second, o.length/3))
	defer tick.Stop()
	for e := range schedule(o.seed) {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			fmt.Fprintf(d.judge.out, "%5.0fs %8d settled %6d failed; %v\n", time.Since(begin).Seconds(), d.judge.settled.Load(), d.judge.failed.Load(), holdings())
		case <-time.After(e.pause):
		}
		d.disturb(e)
	}
}

// end waits for the last events and for the load, which must come to its end
// however it was disturbed.
func (d *disturber) end(stopLoad func(), all []*load) {
	hang := time.AfterFunc(patience, func() {
		var at []string
		for _, l := range all {
			at = append(at, l.pool.Name+": "+*l.now.Load())
		}
		stacks := make([]byte, 1<<20)
		// Nothing can be closed behind a hang: this is the end.
		fmt.Fprintf(d.judge.out, "BROKEN: does not end within %v: %s\n%s\n", patience, strings.Join(at, ", "), stacks[:runtime.Stack(stacks, true)])
		os.Exit(1)
	})
	defer hang.Stop()
	d.running.Wait()
	stopLoad()
	d.serving.thaw()
}

func (d *disturber) report(out io.Writer) {
	fmt.Fprintf(out, "%d tasks settled, %d of them failed as they should\n", d.judge.settled.Load(), d.judge.failed.Load())
	line := "disturbances:"
	for _, what := range names {
		word := fmt.Sprintf(" %s %d", what, d.made[what])
		if len(line)+len(word) > 78 {
			fmt.Fprintln(out, line)
			line = " "
		}
		line += word
	}
	fmt.Fprintln(out, line)
	for what, err := range d.none {
		fmt.Fprintf(out, "left out, since this machine or user cannot: %s: %v\n", what, err)
	}
}

// slowly is a reader that takes its time for each line, and now and then a lot of it.
type slowly struct{ lines *atomic.Int64 }

func (s slowly) Write(b []byte) (int, error) {
	pause := 50 * time.Microsecond
	if s.lines.Add(1)%4000 == 0 {
		pause = 200 * time.Millisecond
	}
	time.Sleep(pause)
	return len(b), nil
}
