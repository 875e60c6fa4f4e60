//go:build linux

package main

import "github.com/tandem-go/tandem/bench/internal/drive"

// page is a payload that is too long for a slot of a ring, and not for a room.
const page = 4 << 10

// payload: bytes in, their length and a probe of them out.
func payload(l *lab) {
	sizes := []int{64, page, 64 << 10, 1 << 20, 16 << 20, 64 << 20}
	es := l.enter(l.able(drive.Payload), 1)
	for _, size := range sizes {
		if size <= l.Largest {
			l.bytes(es, size)
		}
	}
	l.leave(es)
	// Everyone at once would not fit into memory with more, and a call takes seconds.
	if l.Largest > sizes[len(sizes)-1] && l.Placement == placeBoth {
		l.Rounds = 1
		for _, c := range l.able(drive.Payload) {
			es := l.enter([]*contender{c}, 1)
			l.bytes(es, l.Largest)
			l.leave(es)
		}
	}
}

func (l *lab) bytes(es []*entrant, size int) {
	for _, e := range es {
		e.per = 0 // that of another size says nothing
	}
	l.gather(es, human(float64(size), unitBytes), float64(size), unitTime, func(e *entrant, _ bool) ([]float64, error) {
		r, err := l.block(e, drive.Order{Do: drive.Payload, Size: size}, 1)
		return floats(r.Samples), err
	})
}
