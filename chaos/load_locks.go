//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/shared"
)

// room is what tasks enter by locks. Who holds Mutex, or Writers for writing, must find
// the system's lock on the file of that name free: the system gives it back when a
// process is gone, however it went.
type room struct {
	Number  int
	Folder  string
	Mutex   *shared.Mutex
	Writers *shared.RWMutex
	Seats   *shared.Semaphore
	Pairs   *shared.Slice[int] // [0] is [1], and [2] is [3], while nobody is inside
}

const seats = 2

func (r room) close() {
	r.Mutex.Close()
	r.Writers.Close()
	r.Seats.Close()
	r.Pairs.Close()
}

var entering = tandem.NewTask("entering", func(ctx context.Context, in room) (int, error) {
	defer in.close()
	p, err := in.Pairs.Slice()
	if err != nil {
		return 0, err
	}
	defer in.Pairs.Unpin()
	switch in.Number % 4 {
	case 0:
		err = in.inside(ctx, in.Mutex, "mutex", p[:2])
	case 1:
		err = in.inside(ctx, in.Writers, "writers", p[2:4])
	case 2:
		err = in.reading(ctx, p[2:4])
	case 3:
		err = in.Seats.With(ctx, func() error { runtime.Gosched(); return nil })
	}
	return answerTo(in.Number), err
})

// lock is what Mutex and RWMutex have in common.
type lock interface {
	With(ctx context.Context, f func() error) error
	Repair(ctx context.Context, f func(*shared.OwnerDiedError) error) error
}

// inside counts both of the pair, in turns with all others.
func (r room) inside(ctx context.Context, l lock, name string, pair []int) error {
	file, err := os.OpenFile(r.Folder+"/"+name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	for {
		err := l.With(ctx, func() error {
			if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
				return fmt.Errorf("somebody else is inside, too: %w", err)
			}
			defer syscall.Flock(int(file.Fd()), syscall.LOCK_UN)
			if pair[0] != pair[1] {
				return fmt.Errorf("the pair of %s is %d", name, pair)
			}
			pair[0]++
			runtime.Gosched()
			pair[1]++
			return nil
		})
		if !errors.As(err, new(*shared.OwnerDiedError)) {
			return err
		}
		if err := l.Repair(ctx, func(*shared.OwnerDiedError) error { return mend(file, pair) }); err != nil {
			return err
		}
	}
}

// mend waits until the dead owner is quite gone.
func mend(file *os.File, pair []int) error {
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	pair[1] = pair[0]
	return syscall.Flock(int(file.Fd()), syscall.LOCK_UN)
}

func (r room) reading(ctx context.Context, pair []int) error {
	for {
		err := r.Writers.RWith(ctx, func() error {
			if pair[0] != pair[1] {
				return fmt.Errorf("a reader finds the pair %d", pair)
			}
			return nil
		})
		if !errors.As(err, new(*shared.OwnerDiedError)) {
			return err
		}
		file, err := os.OpenFile(r.Folder+"/writers", os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return err
		}
		err = r.Writers.Repair(ctx, func(*shared.OwnerDiedError) error { return mend(file, pair) })
		file.Close()
		if err != nil {
			return err
		}
	}
}

// newRoom makes the locks; its error is nothing that a disturbance explains.
func newRoom(folder string) (r room, err error) {
	r.Folder = folder
	var failed [4]error
	r.Mutex, failed[0] = shared.NewMutex()
	r.Writers, failed[1] = shared.NewRWMutex()
	r.Seats, failed[2] = shared.NewSemaphore(seats)
	r.Pairs, failed[3] = shared.NewSlice[int](4)
	return r, errors.Join(failed[:]...)
}

// locked: who enters is alone where it should be, what the dead held is had by others,
// and what was done is counted.
func (l *load) locked() {
	folder, err := os.MkdirTemp(l.folder, "room")
	if err != nil {
		l.judge.violated("room: %v", err)
		return
	}
	defer os.RemoveAll(folder)
	in, err := newRoom(folder)
	if err != nil {
		l.judge.violated("locks: %v", err)
		return
	}
	defer in.close()
	const calls = 60
	first := firstNumber()
	futures := make([]*tandem.Future[int], calls)
	for n := range futures {
		in.Number = first + n
		futures[n] = entering.On(l.pool).Go(context.Background(), in)
	}
	var succeeded [4]int
	for n, f := range futures {
		got, err := f.Wait(context.Background())
		l.answer("lock", first+n, got, err)
		if err == nil {
			succeeded[n%4]++
		}
	}
	l.emptied(in, succeeded)
}

// emptied: nobody is inside any more, whoever died there.
func (l *load) emptied(in room, succeeded [4]int) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	p, err := in.Pairs.Slice()
	if err != nil {
		l.judge.violated("pairs: %v", err)
		return
	}
	defer in.Pairs.Unpin()
	entered := [2]int{}
	err = errors.Join(in.inside(ctx, in.Mutex, "mutex", p[:2]), in.inside(ctx, in.Writers, "writers", p[2:4]))
	entered[0], entered[1] = p[0]-1, p[2]-1
	for n, times := range entered {
		if err != nil || times < succeeded[n] || times > 15 {
			l.judge.violated("%d have entered, %v, want %d to 15", times, err, succeeded[n])
		}
	}
	for range seats {
		if err := in.Seats.Acquire(ctx); err != nil {
			l.judge.violated("a seat is not given back: %v", err)
		}
	}
	for range seats {
		in.Seats.Release()
	}
}
