package process

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/ring"
	"github.com/tandem-go/tandem/internal/wire"
)

// RunBatch runs what Map, Unordered and All bring; see tandem.BatchRunner. Over rings
// the items go in chunks that take about as long as several wakes of a sleeping
// worker, found by measuring; an item that takes long goes alone. Where somebody
// follows each call (Progress), or calls are counted (MaxTasks), and over sockets,
// they go one by one.
func (p *Pool) RunBatch(ctx context.Context, b *tandem.Batch) {
	s, err := p.ready()
	var pumps sync.WaitGroup
	if err != nil || !s.plan.rings || s.most > 0 || p.Progress != nil || s.events.On() {
		for range p.Width() {
			pumps.Go(func() {
				for c := b.Next(1); c != nil; c = b.Next(1) {
					c.Settle(0, p.Run(ctx, c.Job(0)))
				}
			})
		}
		pumps.Wait()
		return
	}
	r := &batchRun{pool: p, state: s, ctx: ctx, batch: b}
	r.size.Store(1)
	for range p.Width() {
		pumps.Go(r.pump)
	}
	pumps.Wait()
}

// batchRun is one RunBatch over rings.
type batchRun struct {
	pool  *Pool
	state *poolState
	ctx   context.Context
	batch *tandem.Batch
	size  atomic.Int64 // items that a chunk should have
	mean  atomic.Int64 // nanoseconds that an item takes
}

// chunkTime is how long a chunk should take.
const chunkTime = 300 * time.Microsecond

// A lane has chunks ahead for some hundred microseconds: while one runs, others wait
// behind it, and the parent need not be there in time.
const (
	leastAhead = 2
	mostAhead  = 16
	aheadTime  = 2 * chunkTime
)

// ahead is how many chunks of n items a lane should have, when an item takes so long.
func ahead(item time.Duration, n int) int {
	return int(min(max(aheadTime/max(1, item*time.Duration(n)), leastAhead), mostAhead))
}

// learn adapts the size to a chunk of n items that took so long.
func (r *batchRun) learn(took time.Duration, n int) {
	item := max(1, int64(took)/int64(n))
	if mean := r.mean.Load(); mean > 0 {
		item = max(1, mean+(item-mean)/4)
	}
	r.mean.Store(item)
	size := min(max(int64(chunkTime)/item, 1), ring.Inline)
	r.size.Store(size)
	if size > 1 {
		r.batch.Reach(int(size) * 2 * ahead(time.Duration(item), n) * r.pool.Width())
	}
}

// part is what is still to be sent of a chunk.
type part struct {
	chunk *tandem.Chunk
	from  int
	moved int // times that it came back untouched
}

// pump keeps chunks in the workers, several at a time, and settles them in the order
// in which it sent them: so whoever waits is one goroutine for each lane.
func (r *batchRun) pump() {
	m := messages.Get().(*message)
	defer m.free()
	var flying []*exchange
	var rest []part
	for {
		for len(flying) < ahead(time.Duration(r.mean.Load()), int(r.size.Load())) {
			p, ok := r.next(&rest, len(flying) == 0)
			if !ok {
				break
			}
			x, sent := r.send(&p, m, len(flying) == 0)
			if x != nil {
				flying = append(flying, x)
			} else if p.from < p.chunk.Len() {
				rest = append(rest, p)
			}
			if !sent {
				break
			}
		}
		if len(flying) == 0 {
			if len(rest) == 0 {
				return
			}
			continue
		}
		p := r.land(flying[0])
		flying = flying[:copy(flying, flying[1:])]
		if p.from < p.chunk.Len() {
			rest = append(rest, p)
		}
	}
}

// next takes what is left over, or new inputs, for which it may wait.
func (r *batchRun) next(rest *[]part, wait bool) (p part, ok bool) {
	if n := len(*rest); n > 0 {
		p, *rest = (*rest)[n-1], (*rest)[:n-1]
		return p, true
	}
	most := int(r.size.Load())
	if p.chunk = r.batch.TryNext(most); p.chunk == nil && wait {
		p.chunk = r.batch.Next(most)
	}
	return p, p.chunk != nil
}

// send sends as many items of p as fit together, or runs one that goes alone. sent is
// false when nothing more can be sent now: all lanes are full, and it shall not wait.
func (r *batchRun) send(p *part, m *message, wait bool) (x *exchange, sent bool) {
	s, spec := r.state, p.chunk.Spec()
	limits := spec.Limits.Or(s.plan.Limits)
	if err := s.accepts(spec, limits); err != nil {
		r.fail(p, err)
		return nil, true
	}
	n := m.encodeItems(r.ctx, p.chunk, p.from, limits, s.plan.Limits.Memory)
	if n == 0 || p.moved > moves {
		if wait {
			p.chunk.Settle(p.from, r.pool.Run(r.ctx, p.chunk.Job(p.from)))
			p.from, p.moved = p.from+1, 0
		}
		return nil, wait
	}
	c, err := s.assign.enterAndClaim(clock(), want{alone: m.alone(), items: n, now: !wait})
	if err == errFull {
		return nil, false
	}
	var f *flight
	if err == nil {
		if f, err = s.assign.await(r.ctx, c); err != nil {
			s.assign.release()
		}
	}
	if err != nil {
		r.fail(p, err)
		return nil, true
	}
	x = &exchange{ctx: r.ctx, flight: f, chunk: p.chunk, from: p.from, n: n, moved: p.moved, limits: limits}
	if err := x.send(m); err != nil {
		s.landed(f, true)
		r.fail(p, err)
		return nil, true
	}
	return x, true
}

// land waits for a chunk, settles what a worker began of it, and returns what it did
// not begin.
func (r *batchRun) land(x *exchange) part {
	err := x.land(r.state)
	leave, took := r.state.assign.over(x.flight, clock(), x.told, true)
	if leave != nil {
		leave.leave()
	}
	p := part{chunk: x.chunk, from: x.from + x.told, moved: x.moved + 1}
	if x.told > 0 {
		r.learn(took, x.told)
		p.moved = 0
	}
	if err != nil {
		r.fail(&p, err)
	}
	return p
}

// fail settles what is left of p, none of which runs.
func (r *batchRun) fail(p *part, err error) {
	r.state.count.failed.Add(uint64(p.chunk.Len() - p.from))
	for ; p.from < p.chunk.Len(); p.from++ {
		p.chunk.Settle(p.from, err)
	}
}

// encodeItems encodes a call of as many items of c as fit a slot. 0 means that item
// from goes alone.
func (m *message) encodeItems(ctx context.Context, c *tandem.Chunk, from int, limits tandem.Limits, memory int64) (n int) {
	m.head(ctx, c.Spec(), limits, memory)
	m.frame, n = c.AppendInputs(from, c.Len()-from, wire.HeaderSize+ring.Inline-len(m.frame), m.frame)
	return n
}
