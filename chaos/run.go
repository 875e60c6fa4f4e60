//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// run disturbs for so long, or until ctx ends, and returns what is broken.
func run(ctx context.Context, out io.Writer, seed uint64, length time.Duration) []string {
	fmt.Fprintf(out, "seed %d\n", seed)
	j := &judge{out: out}
	folder, err := os.MkdirTemp("", "chaos")
	if err != nil {
		return []string{err.Error()}
	}
	defer os.RemoveAll(folder)
	if err := poolWorks(ctx); err != nil { // what the runtime makes once is made now
		return []string{err.Error()}
	}
	before := holdings()

	d := &disturber{
		judge: j, made: map[string]int{}, none: map[string]error{}, slots: make(chan struct{}, 8),
		serving: serving{pids: map[int]bool{}, stopped: map[*process.Process]bool{}},
	}
	working := tandem.Limits{Time: 3 * time.Second, Grace: 100 * time.Millisecond}
	steady := &process.Pool{Name: "steady", Workers: 3, Limits: working, Progress: d.serving.add}
	hybrid := &process.Pool{Name: "hybrid", Workers: 2, Threads: 3, Limits: working, Progress: d.serving.add, Transport: process.Sockets}
	rough := tandem.Limits{Time: time.Second, Grace: 50 * time.Millisecond, Memory: 128 << 20}
	if raceBuild {
		rough.Memory = 0
	}
	d.rough = &process.Pool{Name: "rough", Workers: 2, Limits: rough,
		Config: process.Config{OpenFiles: openFiles, Stdout: slowly{}, Stderr: io.Discard}}
	d.scribbled = &process.Pool{Name: "scribbled", Workers: 1, Limits: tandem.Limits{Time: 200 * time.Millisecond, Grace: -1},
		Config: process.Config{Stderr: io.Discard}}

	stop := make(chan struct{})
	var loads sync.WaitGroup
	var all []*load
	for n, pool := range []*process.Pool{steady, steady, steady, hybrid, hybrid} {
		l := &load{judge: j, pool: pool, folder: folder, random: rand.New(rand.NewPCG(seed, uint64(n+2)))}
		all = append(all, l)
		loads.Go(func() { l.work(stop) })
	}
	d.follow(ctx, seed, length)
	d.end(func() { close(stop); loads.Wait() }, all)

	j.recovered(steady, &process.Pool{Name: "fresh", Workers: steady.Workers, Limits: working, Progress: steady.Progress})
	for _, pool := range []*process.Pool{steady, hybrid} {
		j.whole(pool)
	}
	for _, pool := range []*process.Pool{steady, hybrid, d.rough, d.scribbled} {
		if err := pool.Close(); err != nil && pool != d.scribbled { // whose error is the scribbled workers'
			j.violated("Close of %s: %v", pool.Name, err)
		}
	}
	runtime.GC()
	j.nothingLeft(before)
	d.report(out)
	return j.verdict()
}

// follow makes the events of the schedule happen, prints a line every ten seconds,
// and watches what this process holds.
func (d *disturber) follow(ctx context.Context, seed uint64, length time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	begin := time.Now()
	tick := time.NewTicker(min(10*time.Second, length/3))
	defer tick.Stop()
	var first *footprint
	for e := range schedule(seed) {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			now := holdings()
			if first == nil {
				first = &now
			}
			d.judge.bounded(*first, now)
			fmt.Fprintf(d.judge.out, "%5.0fs %8d settled %6d failed; %v\n", time.Since(begin).Seconds(), d.judge.settled.Load(), d.judge.failed.Load(), now)
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
	seen := map[string]bool{}
	for _, what := range kinds {
		if seen[what] {
			continue
		}
		seen[what] = true
		word := fmt.Sprintf(" %s %d", what, d.made[what])
		if len(line)+len(word) > 78 {
			fmt.Fprintln(out, line)
			line = " "
		}
		line += word
	}
	fmt.Fprintln(out, line)
	for what, err := range d.none {
		fmt.Fprintf(out, "not on this machine: %s: %v\n", what, err)
	}
}

// recovered: a pool that is no longer disturbed is about as fast as one that never
// was. Both are measured in turns, best against best, since the machine may have
// other work.
func (j *judge) recovered(pool, fresh *process.Pool) {
	j.whole(pool) // the number of workers makes a difference too
	j.whole(fresh)
	var own, other float64
	for range 5 {
		other = max(other, j.speed(fresh))
		own = max(own, j.speed(pool))
	}
	fmt.Fprintf(j.out, "calls per second: %.0f, of a fresh pool %.0f\n", own, other)
	if own < 0.4*other {
		j.violated("the throughput has not recovered: %.0f calls per second, of a fresh pool %.0f", own, other)
	}
	if err := fresh.Close(); err != nil {
		j.violated("Close of %s: %v", fresh.Name, err)
	}
}

// speed is how many calls per second a pool serves with nothing else going on. A
// hundred milliseconds of them: in ten it is chance how many workers the callers share.
func (j *judge) speed(pool *process.Pool) float64 {
	const callers = 4
	calls := 20_000
	if raceBuild {
		calls = 2000
	}
	begin := time.Now()
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for n := range calls {
				if got, err := double.On(pool).Call(context.Background(), n); err != nil || got != 2*n {
					j.violated("the double of %d without disturbance: %d, %v", n, got, err)
					return
				}
			}
		})
	}
	all.Wait()
	return float64(callers*calls) / time.Since(begin).Seconds()
}

// whole: a pool that is no longer disturbed has all its workers, and nobody waits.
func (j *judge) whole(pool *process.Pool) {
	if err := pool.Start(context.Background()); err != nil {
		j.violated("%s does not start again: %v", pool.Name, err)
	}
	var st process.Stats
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		st = pool.Stats()
		if st.Workers == pool.Workers && st.Running+st.Queued == 0 && st.Started-st.Ended == uint64(pool.Workers) {
			return
		}
	}
	j.violated("%s is not whole: %+v", pool.Name, st)
}

// slowly is a reader that takes its time for each line.
type slowly struct{}

func (slowly) Write(b []byte) (int, error) {
	time.Sleep(50 * time.Microsecond)
	return len(b), nil
}
