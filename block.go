package tandem

import (
	"reflect"
	"sync"
	"sync/atomic"
)

// block is a piece of a stream: inputs and outcomes of items that follow each
// other. Each item belongs to one goroutine at a time: to the sequence's until it
// is published, to the place's from a chunk to its settlement, then to the loop's.
// The memory comes back for other items when all were taken and all were yielded.
type block[In, Out any] struct {
	first int // index of item 0 in the stream
	ins   []In
	outs  []Out
	next  *block[In, Out] // set before the first item of next is published
	left  int             // not yielded; the loop's
	users atomic.Int32    // who may still look at it: the chunks' side, the loop
}

const (
	minBlock   = 16
	maxBlock   = 4 << 10
	blockBytes = 64 << 10 // more than that only for a single item
)

// yielded says that n items more are through, and reports whether all are.
func (b *block[In, Out]) yielded(n int) bool {
	b.left -= n
	return b.left == 0
}

// blocks is the chain of a stream's blocks, and those that wait to be used again.
type blocks[In, Out any] struct {
	most  int // items of a block, for their size
	spare chan *block[In, Out]

	head   *block[In, Out] // the sequence's goroutine fills it
	filled int

	tail *block[In, Out] // chunks are cut from it, under Batch.mu
	at   int
}

func (bs *blocks[In, Out]) open(window int64) {
	size := reflect.TypeFor[In]().Size() + reflect.TypeFor[Out]().Size()
	bs.most = int(max(1, min(maxBlock, blockBytes/max(1, size))))
	bs.spare = make(chan *block[In, Out], 8)
	bs.head = bs.get(0, window)
	bs.tail = bs.head
}

// get returns an empty block, for about a window of items.
func (bs *blocks[In, Out]) get(first, window int64) *block[In, Out] {
	n := min(bs.most, max(minBlock, int(window)))
	var b *block[In, Out]
	select {
	case b = <-bs.spare:
	default:
	}
	if b == nil || len(b.ins) < n { // the window has grown since
		b = &block[In, Out]{ins: make([]In, n), outs: make([]Out, n)}
	}
	b.first, b.next, b.left = int(first), nil, len(b.ins)
	b.users.Store(2)
	return b
}

// full reports whether there is no place for an item before chain has been called.
func (bs *blocks[In, Out]) full() bool { return bs.filled == len(bs.head.ins) }

// chain begins a block whose item 0 is number first of the stream.
func (bs *blocks[In, Out]) chain(first, window int64) {
	b := bs.get(first, window)
	bs.head.next = b
	bs.head, bs.filled = b, 0
}

// add puts in behind the others. It can be taken when it is published.
func (bs *blocks[In, Out]) add(in In) {
	bs.head.ins[bs.filled] = in
	bs.filled++
}

// front is where the next item to be taken lies; there is one.
func (bs *blocks[In, Out]) front() (b *block[In, Out], at int) {
	if bs.at == len(bs.tail.ins) {
		b := bs.tail
		bs.tail, bs.at = b.next, 0
		bs.release(b)
	}
	return bs.tail, bs.at
}

// release is called once by each of the two users of b.
func (bs *blocks[In, Out]) release(b *block[In, Out]) {
	if b.users.Add(-1) > 0 {
		return
	}
	select {
	case bs.spare <- b:
	default:
	}
}

// span is a part of a chunk that is settled. Its errors are the run's as they were
// then: what is still to be settled may give the run some.
type span[In, Out any] struct {
	run      *run[In, Out]
	from, to int
	errs     []error // of the chunk's items, nil while none had failed
}

func (sp span[In, Out]) first() int { return sp.run.first + sp.from }

// result is the outcome of item i of a run: never both a value and an error.
func result[Out any](outs []Out, errs []error, i int) (out Out, err error) {
	if errs != nil && errs[i] != nil {
		return out, errs[i]
	}
	return outs[i], nil
}

// settled carries spans to the loop's goroutine.
type settled[In, Out any] struct {
	mu    sync.Mutex
	spans []span[In, Out]
	given []span[In, Out] // what take returned last
	over  bool            // there will be no more
	waits bool            // the loop does
	bell  chan struct{}
}

func (q *settled[In, Out]) put(sp span[In, Out]) {
	q.mu.Lock()
	if k := len(q.spans) - 1; k >= 0 && q.spans[k].run == sp.run && q.spans[k].to == sp.from {
		q.spans[k].to, q.spans[k].errs = sp.to, sp.errs
	} else {
		q.spans = append(q.spans, sp)
	}
	q.ring()
}

func (q *settled[In, Out]) close() {
	q.mu.Lock()
	q.over = true
	q.ring()
}

// ring lets go of mu and wakes the loop if it waits.
func (q *settled[In, Out]) ring() {
	waits := q.waits
	q.waits = false
	q.mu.Unlock()
	if waits {
		signal(q.bell)
	}
}

func (q *settled[In, Out]) waiting() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.waits
}

// take returns the spans that have come, valid until the next time.
func (q *settled[In, Out]) take() (spans []span[In, Out], over bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	spans = q.spans
	q.spans, q.given = q.given[:0], spans
	q.waits = len(spans) == 0
	return spans, q.over
}
