package child

import "github.com/tandem-go/tandem/internal/wire"

// serveItems runs the items of a chunk, of which there are none without a ring. The
// outcomes grow in the ring, where the parent may look at them.
func (l *lane) serveItems(seq uint32, body []byte, n int) {
	l.worker.enter()
	it := &Items{N: n, Out: l.ring.Room(), Begin: l.beginItem}
	input, err := l.find(body)
	if err != nil {
		die(err) // an empty request: a chunk never goes aside
	}
	it.In = input
	ctx := l.begin(seq)
	restore := l.limitCall(&l.info)
	finished := false
	defer func() {
		if !finished { // Goexit, as in serve
			l.end(ctx)
			restore()
			l.answerItems(seq, it, nil)
			go l.run()
		}
	}()
	err = l.callee.Items(ctx, it)
	finished = true
	l.end(ctx)
	restore()
	l.answerItems(seq, it, err)
}

func (l *lane) beginItem(i int, _ []byte) bool { return l.ring.Begin(i) }

// answerItems answers a chunk. err is why the item that was begun last was not
// started. Its outcome, or one that does not fit, goes through the socket.
func (l *lane) answerItems(seq uint32, it *Items, err error) {
	defer l.worker.done()
	kind := wire.Result
	if err != nil {
		kind, it.Over = wire.Unrun, Root.Outcome(nil, err)
	}
	if it.Over == nil {
		l.ring.Done(it.Out)
		return
	}
	l.ring.DoneAside(it.Out)
	l.post(kind, seq, append(wire.Room(nil), it.Over...), &it.Handles)
}
