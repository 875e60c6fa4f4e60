//go:build linux

package main

import (
	"fmt"
	"sync"
	"time"

	"github.com/alitto/pond/v2"
	"github.com/panjf2000/ants/v2"
	"github.com/sourcegraph/conc/iter"
	"github.com/sourcegraph/conc/pool"
	"golang.org/x/sync/errgroup"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/bench/internal/drive"
)

var localCan = []string{drive.Echo, drive.Calls, drive.Map, drive.Serial}

// What stays in the process, for scale: no kill, no limit, no border to cross.
var locals = []contender{
	{
		name: "tandem Goroutines", family: familyLocal, note: "tandem.Goroutines; the same tasks, no process", local: true,
		can: append([]string{drive.Record, drive.Payload}, localCan...),
		open: func(_ tools, workers int) (drive.Session, error) {
			l := &drive.Local{}
			cancel := callsOn(l, tandem.Goroutines(workers), byMap)
			l.Closer = func() error { cancel(); return nil }
			return l, nil
		},
	},
	local("goroutine per task", "go, then a channel", openGoroutines),
	local("channel workers", "a buffered channel of 1024 and as many goroutines as workers", openChannel),
	local("errgroup", "SetLimit(workers)", openErrgroup),
	local("conc pool", "WithMaxGoroutines(workers)", openConc),
	{
		name: "conc iter.Mapper", family: familyLocal, note: "MaxGoroutines: workers", local: true, can: []string{drive.Map, drive.Serial},
		open: func(_ tools, workers int) (drive.Session, error) {
			m := iter.Iterator[int]{MaxGoroutines: workers}
			return &drive.Local{Each: func(out []int, turns int) error {
				m.ForEachIdx(out, func(i int, v *int) { *v = drive.Item(drive.Pack(i, turns)) })
				return nil
			}}, nil
		},
	},
	local("ants", "NewPool(workers), Submit", openAnts),
	local("pond", "NewPool(workers), Submit().Wait(); maps by Go", openPond),
	{
		name: "copy", family: familyLocal, note: "Go's copy into memory that is there: the floor", local: true, can: []string{drive.Payload},
		open: func(tools, int) (drive.Session, error) {
			var to []byte
			return &drive.Local{Blob: func(b []byte) (int, error) {
				if len(to) != len(b) {
					to = make([]byte, len(b))
				}
				copy(to, b)
				return drive.Probe(to), nil
			}}, nil
		},
	},
	{
		name: "sync.Mutex", family: familyLocal, note: "between goroutines", local: true, can: []string{drive.Lock},
		open: func(tools, int) (drive.Session, error) { return &drive.Local{Lock: lockLocal}, nil },
	},
}

// inside is a pool in this process by its two uses.
type inside struct {
	one   func(f func())             // runs f elsewhere and waits for it
	each  func(n int, f func(i int)) // runs f for 0 … n−1 on the workers and waits for all
	close func()
}

func local(name, note string, open func(workers int) (inside, error)) contender {
	return contender{
		name: name, family: familyLocal, note: note, local: true, can: localCan,
		open: func(_ tools, workers int) (drive.Session, error) {
			p, err := open(workers)
			if err != nil {
				return nil, err
			}
			return &drive.Local{
				Echo: func(in drive.Bytes) (out drive.Bytes, err error) {
					p.one(func() { out = in })
					return out, nil
				},
				Next: func(in int) (out int, err error) {
					p.one(func() { out = in + 1 })
					return out, nil
				},
				Each: func(out []int, turns int) error {
					p.each(len(out), func(i int) { out[i] = drive.Item(drive.Pack(i, turns)) })
					return nil
				},
				Closer: func() error {
					if p.close != nil {
						p.close()
					}
					return nil
				},
			}, nil
		},
	}
}

func openGoroutines(int) (inside, error) {
	return inside{
		one: func(f func()) {
			done := make(chan struct{})
			go func() { f(); close(done) }()
			<-done
		},
		each: func(n int, f func(int)) {
			var group sync.WaitGroup
			for i := range n {
				group.Go(func() { f(i) })
			}
			group.Wait()
		},
	}, nil
}

func openChannel(workers int) (inside, error) {
	work := make(chan func(), 1024)
	for range workers {
		go func() {
			for f := range work {
				f()
			}
		}()
	}
	return inside{
		one: func(f func()) {
			done := make(chan struct{})
			work <- func() { f(); close(done) }
			<-done
		},
		each: func(n int, f func(int)) {
			numbers := make(chan int, 1024)
			var group sync.WaitGroup
			for range workers {
				group.Go(func() {
					for i := range numbers {
						f(i)
					}
				})
			}
			for i := range n {
				numbers <- i
			}
			close(numbers)
			group.Wait()
		},
		close: func() { close(work) },
	}, nil
}

func openErrgroup(workers int) (inside, error) {
	return inside{
		one: func(f func()) {
			var g errgroup.Group
			g.Go(func() error { f(); return nil })
			g.Wait()
		},
		each: func(n int, f func(int)) {
			var g errgroup.Group
			g.SetLimit(workers)
			for i := range n {
				g.Go(func() error { f(i); return nil })
			}
			g.Wait()
		},
	}, nil
}

func openConc(workers int) (inside, error) {
	return inside{
		one: func(f func()) {
			p := pool.New()
			p.Go(f)
			p.Wait()
		},
		each: func(n int, f func(int)) {
			p := pool.New().WithMaxGoroutines(workers)
			for i := range n {
				p.Go(func() { f(i) })
			}
			p.Wait()
		},
	}, nil
}

func openAnts(workers int) (inside, error) {
	p, err := ants.NewPool(workers)
	if err != nil {
		return inside{}, err
	}
	submit := func(group *sync.WaitGroup, f func()) {
		group.Add(1)
		if err := p.Submit(func() { f(); group.Done() }); err != nil {
			panic(err) // the pool is open and blocks when it is full
		}
	}
	return inside{
		one: func(f func()) {
			var group sync.WaitGroup
			submit(&group, f)
			group.Wait()
		},
		each: func(n int, f func(int)) {
			var group sync.WaitGroup
			for i := range n {
				submit(&group, func() { f(i) })
			}
			group.Wait()
		},
		close: p.Release,
	}, nil
}

func openPond(workers int) (inside, error) {
	p := pond.NewPool(workers)
	return inside{
		one: func(f func()) { p.Submit(f).Wait() },
		each: func(n int, f func(int)) {
			var group sync.WaitGroup
			group.Add(n)
			for i := range n {
				if err := p.Go(func() { f(i); group.Done() }); err != nil {
					panic(err) // the pool is open and its queue has no bound
				}
			}
			group.Wait()
		},
		close: p.StopAndWait,
	}, nil
}

// lockLocal counts under a sync.Mutex, by as many goroutines as there are owners.
func lockLocal(n, owners int) (time.Duration, error) {
	var (
		mu      sync.Mutex
		counted int
		group   sync.WaitGroup
	)
	begin := time.Now()
	for range owners {
		group.Go(func() {
			for range n {
				mu.Lock()
				counted++
				mu.Unlock()
			}
		})
	}
	group.Wait()
	d := time.Since(begin)
	if counted != n*owners {
		return d, fmt.Errorf("the count is %d, want %d", counted, n*owners)
	}
	return d, nil
}
