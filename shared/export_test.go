package shared

import (
	"context"

	"github.com/tandem-go/tandem/internal/monitor"
)

// Waiting is how many wait, in all processes together.
func (h *handle[S, M]) Waiting() (n int) {
	own, err := h.enter(context.Background())
	if err != nil {
		return -1
	}
	m := own.monitor()
	defer m.Leave()
	for i := range m.Used() {
		for q := range monitor.Queues {
			n += m.Waiting(i, q)
		}
	}
	return n
}

// Segment is the memory in which it lies, for tests that scribble.
func (h *handle[S, M]) Segment() []byte {
	s := M(h.at.Load()).monitor().Segment()
	return s.Bytes(0, s.Len())
}
