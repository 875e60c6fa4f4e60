package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/tandem-go/tandem/internal/codec"
	"github.com/tandem-go/tandem/internal/sys"
	"github.com/tandem-go/tandem/internal/wire"
)

// Profile is a profile of one worker, as runtime/pprof writes it. Several in files of
// their own are shown together by go tool pprof file1 file2.
type Profile struct {
	Worker string // its name
	PID    int
	Data   []byte
}

// profileKinds are the profiles there are. With true they take a time.
var profileKinds = map[string]bool{
	"cpu": true, "mutex": true, "block": true, "heap": false, "allocs": false, "goroutine": false, "threadcreate": false,
}

// largestProfile is how much of a worker's profile is read.
const largestProfile = 64 << 20

// Profile fetches a profile from every worker that serves, all at the same time: "cpu",
// "mutex" and "block" of what happens during d, "heap", "allocs", "goroutine" and
// "threadcreate" of the moment, for which d is 0. Samples of "cpu" and "goroutine" have
// the label task with the full name of the task, which a goroutine keeps until it runs
// another one.
//
// It blocks for d, and until the last worker has answered, which one that is stopped
// does when it goes on; when ctx ends, it returns the cause, and the workers stop
// profiling. Profiles that came are returned beside the errors of the others. The calls
// go on meanwhile; a profile of the processor costs them a few percent, one of "block"
// more. A worker makes one profile of the processor at a time. A worker's "block"
// profile sets runtime.SetBlockProfileRate, which is 0 afterwards.
func (p *Pool) Profile(ctx context.Context, kind string, d time.Duration) ([]Profile, error) {
	if err := needContext(ctx, "Pool.Profile"); err != nil {
		return nil, err
	}
	timed, known := profileKinds[kind]
	switch {
	case !known:
		return nil, fmt.Errorf("tandem: Pool.Profile: there is no profile %q; use cpu, heap, allocs, goroutine, mutex, block or threadcreate", kind)
	case timed && d <= 0:
		return nil, fmt.Errorf("tandem: Pool.Profile: a profile of %q takes a time, which is %v", kind, d)
	case !timed && d != 0:
		return nil, fmt.Errorf("tandem: Pool.Profile: a profile of %q is of the moment, and the time %v; use 0", kind, d)
	}
	s, err := p.ready()
	if err != nil {
		return nil, err
	}
	if s.inline != nil {
		data, err := takeProfile(kind, d, ctx.Done())
		return []Profile{{Current().Name(), os.Getpid(), data}}, err
	}
	workers := s.assign.all()
	profiles, errs := make([]Profile, len(workers)), make([]error, len(workers))
	var all sync.WaitGroup
	for i, w := range workers {
		all.Go(func() {
			profiles[i] = Profile{w.process.Name(), w.proc.PID, nil}
			if profiles[i].Data, errs[i] = w.profile(ctx, kind, d); errs[i] != nil {
				errs[i] = fmt.Errorf("tandem: profile of %s (pid %d): %w", profiles[i].Worker, profiles[i].PID, errs[i])
			}
		})
	}
	all.Wait()
	profiles = slices.DeleteFunc(profiles, func(p Profile) bool { return p.Data == nil })
	return profiles, errors.Join(errs...)
}

// all lists the workers that serve, the oldest first.
func (a *assignment) all() (list []*worker) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for w := range a.workers {
		list = append(list, w)
	}
	slices.SortFunc(list, func(v, w *worker) int { return v.number - w.number })
	return list
}

// profile fetches a profile from w. It comes through a socket of its own, whose end is
// the end of the profile, or of the interest in it.
func (w *worker) profile(ctx context.Context, kind string, d time.Duration) ([]byte, error) {
	ours, theirs, err := sys.Socketpair()
	if err != nil {
		return nil, err
	}
	far, err := sys.File(theirs, "profile", true)
	if err != nil {
		sys.CloseAll([]int{ours})
		return nil, err
	}
	near, err := sys.File(ours, "profile", true)
	if err != nil {
		far.Close()
		return nil, err
	}
	defer near.Close()
	defer context.AfterFunc(ctx, func() { near.SetDeadline(time.Unix(1, 0)) })()
	go func() { // a worker that does not read holds only this up
		defer far.Close()
		var h codec.Handles
		if _, err := h.Add(far); err != nil {
			return
		}
		w.speak.Lock()
		defer w.speak.Unlock()
		w.control.Send(wire.Profile, 0, wire.AppendBytes(wire.AppendUint64(wire.Room(nil), uint64(d)), kind), &h)
	}()
	b, err := io.ReadAll(io.LimitReader(near, largestProfile))
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, err
	case len(b) == 0:
		return nil, errors.New("the worker ended before it was made")
	case len(b) == largestProfile:
		return nil, fmt.Errorf("it is larger than %d MiB", largestProfile>>20)
	case b[0] != profileMade:
		return nil, errors.New(string(b[1:min(len(b), 1<<10)]))
	}
	return bytes.Clone(b[1:]), nil
}

// The first byte that a worker answers.
const (
	profileFailed = iota // a text follows
	profileMade
)
