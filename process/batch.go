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
		r.pumps.Go((&pump{batchRun: r}).run)
	}
	r.pumps.Wait()
}

// batchRun is one RunBatch over rings.
type batchRun struct {
	pool  *Pool
	state *poolState
	ctx   context.Context
	batch *tandem.Batch
	size  atomic.Int64 // items that a chunk should have
	mean  atomic.Int64 // nanoseconds that an item takes
	pumps sync.WaitGroup
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
	tried int // times that its first item ran, and its worker died
}

// pump keeps chunks on one lane, several at a time, and settles them in the order in
// which it sent them: so whoever waits is one goroutine for each lane. When the first
// takes long, another pump goes on with what is behind it.
type pump struct {
	*batchRun
	flying []*exchange // oldest first
	rest   []part
	last   bool // takes no new inputs

	mu   sync.Mutex
	heir bool // another pump goes on
}

func (p *pump) run() {
	m := messages.Get().(*message)
	defer m.free()
	for {
		for len(p.flying) < p.ahead() {
			next, ok := p.next()
			if !ok || !p.send(next, m) {
				break
			}
		}
		switch {
		case len(p.flying) > 0:
			p.land()
		case len(p.rest) == 0:
			return
		}
	}
}

// ahead is how many chunks the lane should have now.
func (r *batchRun) ahead() int {
	return ahead(time.Duration(r.mean.Load()), int(r.size.Load()))
}

// succeed lets another pump go on with what is behind the first chunk, for which this
// one waits, and with a part that was cut off from that.
func (p *pump) succeed(behind part) {
	p.mu.Lock()
	defer p.mu.Unlock()
	heir := &pump{batchRun: p.batchRun, flying: p.flying[1:], rest: p.rest, last: p.last}
	if behind.chunk != nil {
		heir.rest = append(heir.rest, behind)
	}
	if len(heir.flying)+len(heir.rest) == 0 {
		return
	}
	p.heir = true
	for _, x := range heir.flying {
		x.pump = heir
	}
	p.pumps.Go(heir.run)
}

// land waits for the first chunk and settles what a worker began of it. What it did
// not begin is sent again.
func (p *pump) land() {
	x := p.flying[0]
	err := x.land(p.state)
	leave, took := p.state.assign.over(x.flight, clock(), x.told, true)
	if leave != nil {
		leave.leave()
	}
	left := part{chunk: x.chunk, from: x.from + x.told, moved: x.moved + 1}
	if x.told > 0 {
		p.learn(took, x.told)
		left.moved = 0
	}
	left.tried = x.tried
	if err != nil {
		p.fail(&left, err)
	}
	p.mu.Lock()
	if p.heir {
		p.heir, p.last, p.flying, p.rest = false, true, nil, nil
	} else {
		p.flying = p.flying[:copy(p.flying, p.flying[1:])]
	}
	p.mu.Unlock()
	p.keep(left)
}

func (p *pump) keep(left part) {
	if left.from < left.chunk.Len() {
		p.rest = append(p.rest, left)
	}
}

// next takes what is left over, or new inputs, for which it waits if there is nothing
// else to do.
func (p *pump) next() (next part, ok bool) {
	if n := len(p.rest); n > 0 {
		next, p.rest = p.rest[n-1], p.rest[:n-1]
		return next, true
	}
	if p.last {
		return next, false
	}
	most := int(p.size.Load())
	if next.chunk = p.batch.TryNext(most); next.chunk == nil && len(p.flying) == 0 {
		next.chunk = p.batch.Next(most)
	}
	return next, next.chunk != nil
}

// send sends as many items as fit together, or runs one that goes alone. It is false
// when nothing more can be sent now.
func (p *pump) send(next part, m *message) bool {
	s, c := p.state, next.chunk
	defer func() { p.keep(next) }()
	spec := c.Spec()
	limits := spec.Limits.Or(s.plan.Limits)
	if err := s.accepts(spec, limits); err != nil {
		p.fail(&next, err)
		return true
	}
	n := m.encodeItems(p.ctx, c, next.from, limits, s.plan.Limits.Memory)
	if n == 0 || next.moved > moves || next.tried > 0 {
		if len(p.flying) > 0 {
			return false // it would wait, with others waiting behind it
		}
		c.Settle(next.from, p.pool.attempt(p.ctx, c.Job(next.from), next.tried))
		next = part{chunk: c, from: next.from + 1}
		return true
	}
	as := want{alone: m.alone(), items: n}
	if len(p.flying) > 0 {
		if as.on = p.flying[0].flight.lane; as.alone {
			return false
		}
	}
	claim, err := s.assign.enterAndClaim(clock(), as)
	if err == errFull {
		return false
	}
	var f *flight
	if err == nil {
		if f, err = s.assign.await(p.ctx, claim); err != nil {
			s.assign.release()
		}
	}
	if err != nil {
		p.fail(&next, err)
		return true
	}
	x := &exchange{pump: p, ctx: p.ctx, flight: f, chunk: c, from: next.from, n: n, moved: next.moved, limits: limits}
	if err := x.send(m); err != nil {
		s.landed(f, 0, true)
		p.fail(&next, err)
		return true
	}
	p.flying = append(p.flying, x)
	next.from = c.Len() // what does not fit follows when this has landed
	return true
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
