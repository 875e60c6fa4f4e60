package process

import (
	"context"
	"sync"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/ring"
	"github.com/tandem-go/tandem/internal/wire"
)

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
	first  bool        // it need not be asked for help
	flying []*exchange // oldest first
	rest   []part
	last   bool          // takes no new inputs
	took   time.Duration // by ran items that have landed since the last measurement
	ran    int
	busy   int // chunks in a row for which there was nothing to do but wait

	mu      sync.Mutex
	heir    bool                // another pump goes on
	watched interface{ peek() } // what is waited for, if that takes long
	due     time.Duration       // when it does
	watch   *time.Timer         // for it
}

func (p *pump) run() {
	m := messages.Get().(*message)
	defer m.free()
	for {
		for asked := p.asked(); asked && len(p.flying) < p.ahead(); {
			next, ok := p.next()
			if !ok || !p.send(next, m) {
				break
			}
		}
		switch {
		case len(p.flying) > 0:
			p.land()
		case len(p.rest) == 0:
			if p.first {
				close(p.over)
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			if p.watch != nil {
				p.watch.Stop()
			}
			return
		}
	}
}

// asked keeps a pump out of the way while items are tiny, until the worker of another
// is the one who is waited for. It blocks if there is nothing else to do.
func (p *pump) asked() bool {
	if p.first || len(p.rest) > 0 || !p.tiny() {
		return true
	}
	if len(p.flying) > 0 {
		select {
		case <-p.help:
			return true
		default:
			return false
		}
	}
	select {
	case <-p.help:
	case <-p.over:
	}
	return true
}

// full asks for help when the lane has had all that it should have for some time, and
// nobody but its worker had anything to do.
func (p *pump) full() {
	if len(p.flying) < p.ahead() || !p.batch.Waiting() {
		p.busy = 0
	} else if p.busy++; p.busy >= longBusy {
		p.call()
	}
}

// longBusy is how many chunks in a row must have been waited for before another worker
// is asked for help.
const longBusy = 16

// succeed lets another pump go on with what is behind the first chunk, for which this
// one waits, and with a part that was cut off from that. The first pump always has an
// heir: the others may be waiting for it to ask them. p.mu is held.
func (p *pump) succeed(behind part) {
	heir := &pump{batchRun: p.batchRun, first: p.first, flying: p.flying[min(1, len(p.flying)):], rest: p.rest, last: p.last}
	if behind.chunk != nil {
		heir.rest = append(heir.rest, behind)
	}
	if len(heir.flying)+len(heir.rest) == 0 && !p.first {
		return
	}
	p.heir, p.first = true, false
	for _, x := range heir.flying {
		x.pump = heir
	}
	p.pumps.Go(heir.run)
}

// land waits for the first chunk and settles what a worker began of it. What it did
// not begin is sent again.
func (p *pump) land() {
	x := p.flying[0]
	if x.ready() {
		p.busy = 0
	} else {
		p.full()
	}
	err := x.land(p.state, p.far())
	p.ignore()
	p.aloft.Add(-int64(x.sent))
	leave, took := p.state.assign.over(x.flight, clock(), 0, true)
	if leave != nil {
		leave.leave()
	}
	left := part{chunk: x.chunk, from: x.from + x.told, moved: x.moved + 1}
	if x.told > 0 {
		left.moved = 0
	}
	p.took, p.ran = p.took+took, p.ran+x.told
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
	p.measure()
	p.keep(left)
}

// measure learns from the chunks that have landed, when no other is ready: of those
// that land one right after the other only all together have taken a known time.
func (p *pump) measure() {
	if p.ran == 0 || len(p.flying) > 0 && p.flying[0].ready() {
		return
	}
	p.learn(p.took, p.ran)
	p.state.assign.note(p.took / time.Duration(p.ran))
	p.took, p.ran = 0, 0
}

// own is how many items the lane has.
func (p *pump) own() (n int) {
	for _, x := range p.flying {
		n += x.sent
	}
	return n
}

// far is the chunk whose end is early enough for the next to follow: when the lane has
// half left of what it should have. Each time that this process wakes it takes the
// processor of a worker for a while, whatever there is to do.
func (p *pump) far() *exchange {
	return p.flying[max(0, len(p.flying)-1-p.ahead()/2)]
}

// observe has peek called when x, which is waited for, takes long. One timer does for
// all: a new one for each chunk would wake the thread that waits for the first of them.
func (p *pump) observe(x interface{ peek() }, after time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.due = clock() + after
	if p.watched = x; p.watch == nil {
		p.watch = time.AfterFunc(after, p.look)
	}
}

// look is what the timer does.
func (p *pump) look() {
	p.mu.Lock()
	x := p.watched
	p.watch = nil
	if x != nil {
		if left := p.due - clock(); left > 0 {
			p.watch = time.AfterFunc(left, p.look)
			x = nil
		} else {
			p.watched = nil
		}
	}
	p.mu.Unlock()
	if x != nil {
		x.peek()
	}
}

// ignore ends the observation.
func (p *pump) ignore() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watched = nil
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
	most := p.most(p.own())
	if most == 0 {
		return next, false
	}
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
	if err := s.accepts(&spec, limits); err != nil {
		p.fail(&next, err)
		return true
	}
	n := m.encodeItems(p.ctx, c, &spec, next.from, &limits, s.plan.Limits.Memory)
	if n == 0 || limits.CPU > 0 || next.moved > moves || next.tried > 0 || s.killers.suspects(spec.ID()) {
		if len(p.flying) > 0 {
			return false // it would wait, with others waiting behind it
		}
		p.alone(next)
		next.from = c.Len()
		return true
	}
	as := want{alone: m.alone(), items: n}
	if len(p.flying) > 0 {
		if as.on = p.flying[0].flight.lane; as.alone {
			return false
		}
	}
	claim, err := s.assign.enterAndClaim(as)
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
	x := &exchange{pump: p, ctx: p.ctx, flight: f, chunk: c, from: next.from, n: n, sent: n, moved: next.moved, limits: limits}
	if err := x.send(m); err != nil {
		s.landed(f, 0, true)
		p.fail(&next, err)
		return true
	}
	p.flying = append(p.flying, x)
	p.aloft.Add(int64(n))
	if end := next.from + n; end < c.Len() {
		next.chunk = c.Split(end) // follows at once
		next.from = 0
	} else {
		next.from = end
	}
	return true
}

// alone runs the first item of a part by itself. When that takes long, another pump goes
// on with what is behind it.
func (p *pump) alone(next part) {
	c := next.chunk
	if end := next.from + 1; end < c.Len() {
		p.keep(part{chunk: c.Split(end)})
	}
	l := &lone{pump: p}
	c.Settle(next.from, p.pool.attempt(p.ctx, c.Job(next.from), next.tried, func() { p.observe(l, lookAfter) }))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watched, l.over = nil, true
	if p.heir {
		p.heir, p.last, p.rest = false, true, nil
	}
}

// lone is an item that runs by itself.
type lone struct {
	pump *pump
	over bool // under its mutex
}

func (l *lone) peek() {
	l.pump.mu.Lock()
	defer l.pump.mu.Unlock()
	if !l.over && !l.pump.heir {
		l.pump.succeed(part{})
	}
}

// encodeItems encodes a call of as many items of c as fit a slot. 0 means that item
// from goes alone.
func (m *message) encodeItems(ctx context.Context, c *tandem.Chunk, spec *tandem.Spec, from int, limits *tandem.Limits, memory int64) (n int) {
	m.head(ctx, spec, limits, memory)
	m.frame, n = c.AppendInputs(from, c.Len()-from, wire.HeaderSize+ring.Inline-len(m.frame), m.frame)
	return n
}
