package process

import (
	"sync"

	"github.com/tandem-go/tandem/internal/codec"
	"github.com/tandem-go/tandem/internal/wire"
)

// link is the far end of one.
type link struct {
	conn  *wire.Conn
	speak sync.Mutex // held to send

	mu    sync.Mutex
	ended bool
	last  uint32
	calls map[uint32]chan reply // of capacity 1; closed when the link ends
}

type reply struct {
	outcome []byte
	handles *codec.Handles
}

func (l *link) usable() bool {
	if l == nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.ended
}

// begin gives a call its number, and the channel on which its outcome comes.
func (l *link) begin() (uint32, <-chan reply) {
	l.mu.Lock()
	defer l.mu.Unlock()
	got := make(chan reply, 1)
	if l.ended {
		close(got)
		return 0, got
	}
	for l.last++; l.calls[l.last] != nil; l.last++ {
	}
	l.calls[l.last] = got
	return l.last, got
}

// take ends the call with that number; nil if there is none.
func (l *link) take(seq uint32) chan reply {
	l.mu.Lock()
	defer l.mu.Unlock()
	got := l.calls[seq]
	delete(l.calls, seq)
	return got
}

func (l *link) send(kind wire.Kind, seq uint32, frame []byte, h *codec.Handles) error {
	l.speak.Lock()
	defer l.speak.Unlock()
	return l.conn.Send(kind, seq, frame, h)
}

// listen gives each outcome to its call, until the link ends.
func (l *link) listen() {
	defer l.end()
	for {
		h := new(codec.Handles)
		hd, body, err := l.conn.Recv(0, h)
		got := l.take(hd.Seq)
		if err != nil || hd.Kind != wire.Result || got == nil {
			if got != nil {
				close(got)
			}
			h.Close()
			return
		}
		got <- reply{append([]byte(nil), body...), h}
	}
}

// end closes the link; its calls are told that there will be no outcome.
func (l *link) end() {
	l.conn.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	for _, got := range l.calls {
		close(got)
	}
	clear(l.calls)
}
