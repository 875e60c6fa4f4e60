package process

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/ring"
)

// RunBatch runs what Map, Unordered and All bring; see tandem.BatchRunner. Over rings
// the items go in chunks of four milliseconds, found by measuring; an item that takes
// long goes alone. So an outcome may wait four milliseconds for the loop, a call of its
// own beside a batch eight, and what is behind an item that takes long goes to another
// worker after 8 to 16. Where somebody
// follows each call (Progress), or calls are counted (MaxTasks), and over sockets,
// they go one by one.
func (p *Pool) RunBatch(ctx context.Context, b *tandem.Batch) {
	s, err := p.ready()
	if err != nil || !s.plan.rings || s.inline != nil || s.most > 0 || p.Progress != nil || s.events.On() {
		var pumps sync.WaitGroup
		over := make(chan struct{})
		end := sync.OnceFunc(func() { close(over) })
		p.spread(s, &pumps, over, func(int) {
			for c := b.Next(1); c != nil; c = b.Next(1) {
				c.Settle(0, p.Run(ctx, c.Job(0)))
			}
			end()
		})
		pumps.Wait()
		return
	}
	r := &batchRun{pool: p, state: s, ctx: ctx, batch: b, help: make(chan struct{}, 1), over: make(chan struct{})}
	r.size.Store(1)
	r.fit = int64(min(b.Fit(ring.Inline-usualHead), ring.MaxItems))
	p.spread(s, &r.pumps, r.over, func(i int) { (&pump{batchRun: r, first: i == 0}).run() })
	r.pumps.Wait()
}

// spread runs pump in as many goroutines as the pool is wide, and in more when it grows,
// until over.
func (p *Pool) spread(s *poolState, pumps *sync.WaitGroup, over <-chan struct{}, pump func(i int)) {
	n := 0
	widen := func() <-chan struct{} {
		resized := s.nextResize()
		for width := p.Width(); n < width; n++ {
			i := n
			pumps.Go(func() { pump(i) })
		}
		return resized
	}
	resized := widen()
	pumps.Go(func() {
		for {
			select {
			case <-resized:
				resized = widen()
			case <-over:
				return
			}
		}
	})
}

// batchRun is one RunBatch over rings.
type batchRun struct {
	pool  *Pool
	state *poolState
	ctx   context.Context
	batch *tandem.Batch
	fit   int64        // items that a chunk may have
	size  atomic.Int64 // items that a chunk should have
	aloft atomic.Int64 // items that are on lanes
	mean  atomic.Int64 // nanoseconds that an item takes
	pumps sync.WaitGroup

	help chan struct{} // a token: some lane has had enough to do for long
	over chan struct{} // closed by the first pump when there are no more inputs
}

// usualHead is more than the head of a call takes that carries no Meta.
const usualHead = 64

// chunkTime is how long a chunk should take. Each time that one has landed, three or four
// threads of this process wake up, and each takes 20 µs of the processors from the
// workers. So long an outcome may have to wait for the loop.
const chunkTime = 4 * time.Millisecond

// leastChunk is how long the last chunks of a batch take at least: each has its price.
const leastChunk = 200 * time.Microsecond

// A lane has chunks ahead for eight milliseconds: while one runs, others wait behind it,
// and the parent need not be there in time.
const (
	leastAhead = 2
	mostAhead  = 16
	aheadTime  = 2 * chunkTime
)

// reach is how many times what all lanes have ahead the window is. What waits for its
// turn in an ordered Map is in it too, and a worker that loses its processor for some
// milliseconds must not stop the others.
const reach = 4

// ahead is how many chunks of n items a lane should have, when an item takes so long.
func ahead(item time.Duration, n int) int {
	return int(min(max(aheadTime/max(1, item*time.Duration(n)), leastAhead), mostAhead))
}

// learn adapts the size to a chunk of n items that took so long.
func (r *batchRun) learn(took time.Duration, n int) {
	item := max(1, int64(took)/int64(n))
	if mean := r.mean.Load(); mean > 0 { // a worker that lost its processor for once says little
		item = max(1, mean+(min(item, 3*mean)-mean)/4)
	}
	r.mean.Store(item)
	size := min(max(int64(chunkTime)/item, 1), r.fit)
	r.size.Store(size)
	if size > 1 {
		r.batch.Reach(int(size) * reach * ahead(time.Duration(item), n) * r.pool.Width())
	}
}

// most is how many items the next chunk of a lane should have that has so many; 0: it
// has enough. The last ones are shared out in smaller and smaller chunks, so that no
// worker is left with many when the other has none. A lane gets half of what would be
// its share if all workers were equally fast, and the rest when it has done that.
func (r *batchRun) most(own int) int {
	size := int(r.size.Load())
	if size == 1 || r.tiny() {
		return size
	}
	if rest, ending := r.batch.Rest(); ending {
		share := (rest + int(r.aloft.Load())) / (2 * r.pool.Width())
		least := max(min(size, int(leastChunk)/int(r.mean.Load())), 1)
		if own > 0 && share-own < least {
			return 0
		}
		return min(size, max(share-own, least))
	}
	return size
}

// tiny says that items take so little that reading, encoding and yielding them, which
// one CPU has to do, bounds them all: one worker has time for many, and a second one
// only takes processors from the rest.
func (r *batchRun) tiny() bool {
	mean := r.mean.Load()
	return mean > 0 && r.fit >= leastTiny && mean*r.fit <= int64(tinyChunk)
}

// Tiny are items of which many fit a chunk, and a full chunk takes no longer than this:
// some hundred nanoseconds for each, where the parent needs fifteen.
const (
	leastTiny = 64
	tinyChunk = 60 * time.Microsecond
)

// ahead is how many chunks the lane should have now.
func (r *batchRun) ahead() int {
	mean := r.mean.Load()
	if mean == 0 { // what is behind an item of unknown length may be long in coming
		return 1
	}
	return ahead(time.Duration(mean), int(r.size.Load()))
}

// call asks for the help of a pump that stands by.
func (r *batchRun) call() {
	select {
	case r.help <- struct{}{}:
	default:
	}
}

// fail settles what is left of p, none of which runs.
func (r *batchRun) fail(p *part, err error) {
	r.state.count.failed.Add(uint64(p.chunk.Len() - p.from))
	for ; p.from < p.chunk.Len(); p.from++ {
		p.chunk.Settle(p.from, err)
	}
}
