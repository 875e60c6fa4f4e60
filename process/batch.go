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
	width := p.Width()
	r.size.Store(1)
	for range ahead * width {
		pumps.Go(func() {
			for c := b.Next(r.most()); c != nil; c = b.Next(r.most()) {
				r.run(c)
			}
		})
	}
	pumps.Wait()
}

// ahead is how many chunks there are for each lane: while one runs, the next waits
// behind it.
const ahead = 2

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

// most is how many items the next chunk should have.
func (r *batchRun) most() int { return int(r.size.Load()) }

// learn adapts the size to a chunk of n items that took so long.
func (r *batchRun) learn(took time.Duration, n int) {
	item := max(1, int64(took)/int64(n))
	if mean := r.mean.Load(); mean > 0 {
		item = max(1, mean+(item-mean)/4)
	}
	r.mean.Store(item)
	size := min(max(int64(chunkTime)/item, 1), ring.Inline)
	r.size.Store(size)
	r.batch.Reach(int(size) * 2 * ahead * r.pool.Width())
}

// run runs the items of c: as many together as fit, an item that does not go with
// others alone.
func (r *batchRun) run(c *tandem.Chunk) {
	m := messages.Get().(*message)
	defer m.free()
	s, spec := r.state, c.Spec()
	limits := spec.Limits.Or(s.plan.Limits)
	if err := s.accepts(spec, limits); err != nil {
		r.fail(c, 0, c.Len(), err)
		return
	}
	for from, moved := 0, 0; from < c.Len(); {
		n := m.encodeItems(r.ctx, c, from, limits, s.plan.Limits.Memory)
		if n == 0 {
			c.Settle(from, r.pool.Run(r.ctx, c.Job(from)))
			from++
			continue
		}
		begun, err := r.fly(c, from, n, m, limits)
		from += begun
		if moved++; begun > 0 {
			moved = 0
		}
		switch {
		case err != nil:
			r.fail(c, from, c.Len(), err)
			return
		case moved > moves: // nobody ever takes it
			c.Settle(from, r.pool.Run(r.ctx, c.Job(from)))
			from, moved = from+1, 0
		}
	}
}

// fail settles the items that never ran.
func (r *batchRun) fail(c *tandem.Chunk, from, to int, err error) {
	for i := from; i < to; i++ {
		c.Settle(i, err)
	}
	r.state.count.failed.Add(uint64(to - from))
}

// fly sends items from … from+n-1 of c and settles those that a worker began, begun
// of them. err is why the others are not to run at all, nil if they may elsewhere.
func (r *batchRun) fly(c *tandem.Chunk, from, n int, m *message, limits tandem.Limits) (begun int, err error) {
	s := r.state
	claim, err := s.assign.enterAndClaim(clock(), want{alone: m.alone(), batch: true})
	if err != nil {
		return 0, err
	}
	f, err := s.assign.await(r.ctx, claim)
	if err != nil {
		s.assign.release()
		return 0, err
	}
	m.stamp()
	x := exchange{ctx: r.ctx, flight: f, chunk: c, from: from, n: n}
	took, err := x.run(s, m, limits)
	if leave := s.assign.over(f, clock(), x.told, true); leave != nil {
		leave.leave()
	}
	if x.told > 0 {
		r.learn(took, x.told)
	}
	return x.told, err
}

// encodeItems encodes a call of as many items of c as fit a slot. 0 means that item
// from goes alone.
func (m *message) encodeItems(ctx context.Context, c *tandem.Chunk, from int, limits tandem.Limits, memory int64) (n int) {
	m.head(ctx, c.Spec(), limits, memory)
	m.frame, n = c.AppendInputs(from, c.Len()-from, wire.HeaderSize+ring.Inline-len(m.frame), m.frame)
	return n
}
