//go:build linux

package main

import (
	"fmt"
	"strconv"
	"sync"
	"time"

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
	local("goroutine per task", "goroutines", "go, then a channel", localCan...),
	local("channel workers", "channel", "a buffered channel of 1024 and as many goroutines as workers", localCan...),
	local("errgroup", "errgroup", "SetLimit(workers)", localCan...),
	local("conc pool", "conc", "WithMaxGoroutines(workers)", localCan...),
	local("conc iter.Mapper", "conc-iter", "MaxGoroutines: workers", drive.Map, drive.Serial),
	local("ants", "ants", "NewPool(workers), Submit", localCan...),
	local("pond", "pond", "NewPool(workers), Submit().Wait(); maps by Go", localCan...),
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

// local is a pool inside of bench/locals, a program of its own: ants, for one,
// starts timers when it is linked, for which every child of this program would
// wake many times a second.
func local(name, arg, note string, can ...string) contender {
	return contender{
		name: name, family: familyLocal, note: note, local: true, can: can,
		lacks: func(t tools) string { return t.NoLocals },
		open: func(t tools, workers int) (drive.Session, error) {
			return remote(t.Locals, arg, strconv.Itoa(workers))
		},
	}
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
