package tandem

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/tandem-go/tandem/internal/sys"
)

// Batch is the stream of inputs of one Map, Unordered or All, for a BatchRunner to
// pull from. Its methods are safe for concurrent use.
type Batch struct {
	ctx    context.Context
	source source
	window window

	read   int64       // inputs that may be taken; see publish
	hungry atomic.Bool // a Next waits that has not been woken yet
	plain  bool        // plain stores to read do
	_      [64]byte    // what stands above changes with every input

	mu      sync.Mutex
	taken   int64
	waiting int           // Nexts that wait
	wake    chan struct{} // for one of them
	over    chan struct{} // closed when there will be no further input
}

// source is the typed half of a Batch: *stream[In, Out].
type source interface {
	cut(most int) *Chunk // the next of the inputs that were read, of which there is one
	fit(room int) int
	waiting() bool
}

// Context owns the work of the batch: each of its items runs under it.
func (b *Batch) Context() context.Context { return b.ctx }

// Next takes inputs that have been read, at most most of them. It blocks until
// there is one, and does not wait for a second; the input sequence is read at most
// Window ahead. It returns nil when there are no more or the context has ended.
// Every item of what was taken must be settled.
func (b *Batch) Next(most int) *Chunk {
	done := b.ctx.Done()
	b.mu.Lock()
	defer b.mu.Unlock()
	for !isClosed(done) {
		if c := b.take(most); c != nil {
			b.rouse()
			return c
		}
		if isClosed(b.over) && !b.ready() {
			return nil
		}
		b.waiting++
		b.rouse() // an input may have come since take looked
		b.mu.Unlock()
		select {
		case <-b.wake:
		case <-b.over:
		case <-done:
		}
		b.mu.Lock()
		b.waiting--
	}
	return nil
}

// TryNext is Next that does not block: it returns nil if nothing is there now.
func (b *Batch) TryNext(most int) *Chunk {
	if isClosed(b.ctx.Done()) {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.take(most)
	b.rouse()
	return c
}

// Rest is how many inputs nobody has taken, if the sequence has ended; ok is false while
// it may bring more. It is for a place that shares out the last ones.
func (b *Batch) Rest() (n int, ok bool) {
	if !isClosed(b.over) {
		return 0, false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return int(atomic.LoadInt64(&b.read) - b.taken), true
}

// Reach says that the place would like n inputs read ahead, because the tasks are
// short and it sends them in batches. An automatic window grows to n, or to
// MaxWindow; one that the caller has set stays.
func (b *Batch) Reach(n int) { b.window.grow(n) }

// Fit is how many items are sure to fit if room bytes are there for their inputs and
// as many for their outcomes; at least 1, and math.MaxInt where sizes vary.
func (b *Batch) Fit(room int) int { return b.source.fit(room) }

// Waiting reports whether the loop has taken all outcomes and waits for more. It is a
// hint: for a place that could do more at a time, and finds that so few items take all
// time of the loop and of the input sequence that more would not be faster.
func (b *Batch) Waiting() bool { return b.source.waiting() }

func (b *Batch) ready() bool { return atomic.LoadInt64(&b.read) > b.taken }

// publish says that n inputs may be taken. Only the sequence's goroutine stores. It
// must look at hungry afterwards, and rouse makes sure that this is late enough.
func (b *Batch) publish(n int64) {
	if b.plain {
		b.read = n
	} else {
		atomic.StoreInt64(&b.read, n)
	}
}

// take is called with mu held.
func (b *Batch) take(most int) *Chunk {
	if !b.ready() {
		return nil
	}
	c := b.source.cut(max(1, most))
	b.taken += int64(c.n)
	return c
}

// rouse is called with mu held by who has taken something or is about to wait: if
// anybody waits, one is woken for what is there, or is to be woken by the next input.
func (b *Batch) rouse() {
	if b.waiting == 0 {
		return
	}
	if !b.hungry.Swap(true) && b.plain {
		sys.Fence()
	}
	if b.ready() {
		b.feed()
	}
}

// feed wakes a Next that waits. Whoever reads an input first publishes it and then
// looks at hungry, whoever waits first sets hungry and then looks for inputs: one
// of them sees the other.
func (b *Batch) feed() {
	if b.hungry.CompareAndSwap(true, false) {
		signal(b.wake)
	}
}

// signal leaves a token in c, which has room for one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// isClosed reports whether c is closed; nothing is ever sent on it.
func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

var errLeft = errors.New("tandem: the place left the batch before its end")

// run runs b on r: by itself if it can, and otherwise with as many goroutines as
// the place is wide, each of which pulls, runs and settles.
func (b *Batch) run(r Runner) {
	batcher, ok := r.(BatchRunner)
	if !ok {
		b.runEach(r)
		return
	}
	batcher.RunBatch(b.ctx, b)
	for c := b.Next(1); c != nil; c = b.Next(1) { // nothing, if the place kept its promise
		c.Settle(0, errLeft)
	}
}

func (b *Batch) runEach(r Runner) {
	var workers sync.WaitGroup
	var work func()
	work = func() {
		var c *Chunk
		settled := true
		defer func() {
			if !settled { // the task ended this goroutine, which only Inline lets it do
				c.Settle(0, &PanicError{Value: goexit})
				workers.Go(work)
			}
		}()
		for c = b.Next(1); c != nil; c = b.Next(1) {
			settled = false
			err := r.Run(b.ctx, c.Job(0))
			settled = true
			c.Settle(0, err)
		}
	}
	for range max(1, r.Width()) {
		workers.Go(work)
	}
	workers.Wait()
}
