package ring

import (
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/tandem-go/tandem/internal/sys"
)

// bell is how a parent sleeps until the worker has something for it. One goroutine
// sleeps at a time, the one that holds the mutex.
//
// The word is shared: what the sleeper wants is in it, and the worker takes it
// out when it rings, so a batch of answers rings once. The runtime's poller
// watches for edges, and each ring is one, so nobody ever reads the descriptor.
type bell struct {
	sync.Mutex
	word   flag
	file   *os.File
	raw    syscall.RawConn
	rung   func(uintptr) bool
	asleep atomic.Bool // somebody is on its way to sleep, sleeps, or has just woken
	kicked atomic.Bool // the deadline has passed by a kick
}

// What is in the word.
const (
	awake   = 0
	polling = 1 // ring the descriptor
	napping = 2 // wake the word
)

// nap bounds a sleep on the word itself. It occupies a thread, and only a worker
// that keeps the rules ends it early; the poller's has neither fault.
const nap = 10 * time.Millisecond

// maxNappers bounds the threads of this process that sleep so.
const maxNappers = 4

var nappers atomic.Int32

func (b *bell) open(word flag) (err error) {
	b.word = word
	b.rung = func(uintptr) bool { return word.Load() == awake }
	if b.file, err = sys.NewEventfd(); err != nil {
		return err
	}
	b.raw, err = b.file.SyscallConn()
	return err
}

// arm announces a sleep, and must be followed by disarm or sleep. Whoever arms
// looks between the two whether there is still reason to sleep: what happens
// later rings or kicks.
func (b *bell) arm(how uint32) {
	b.asleep.Store(true)
	if b.kicked.Load() {
		b.kicked.Store(false)
		b.file.SetReadDeadline(time.Time{})
	}
	b.word.Store(how)
}

func (b *bell) disarm() {
	b.word.Store(awake)
	b.asleep.Store(false)
}

// sleep returns when the bell has rung or was kicked, and now and then for no
// reason.
func (b *bell) sleep(how uint32) {
	if how == napping {
		b.word.wait(napping, nap)
	} else {
		b.raw.Read(b.rung)
	}
	b.disarm()
}

// kick ends the sleep of whoever sleeps or is about to, so that it looks again.
// Its reason must be visible before. Should the worker play with the word, a nap
// ends by itself.
func (b *bell) kick() {
	if !b.asleep.Load() {
		return
	}
	b.word.Store(awake)
	b.word.wake()
	b.file.SetReadDeadline(time.Unix(1, 0))
	b.kicked.Store(true) // after it: at worst the next sleep is cut short once
}
