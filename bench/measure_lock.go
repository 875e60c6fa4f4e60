//go:build linux

package main

import (
	"errors"

	"github.com/tandem-go/tandem/bench/internal/drive"
)

// lock: lock, count, unlock; by one owner, and by two at once (processes, or
// goroutines for sync.Mutex).
func lock(l *lab) {
	es := l.enter(l.able(drive.Lock), 0)
	defer l.leave(es)
	for _, owners := range []int{1, 2} {
		name := plural(owners, "owner")
		able := es[:0:0]
		for _, e := range es {
			if _, err := e.Do(drive.Order{Do: drive.Lock, N: 1, Callers: owners}); !errors.Is(err, errors.ErrUnsupported) {
				able = append(able, e)
			}
		}
		l.gather(able, name, float64(owners), unitTime, func(e *entrant, warm bool) (ns []float64, err error) {
			if warm {
				e.ask, err = l.grow(e, drive.Order{Do: drive.Lock, N: 1000, Callers: owners})
				return nil, err
			}
			r, err := e.Do(e.ask)
			return []float64{float64(r.Nanos) / float64(e.ask.N*owners)}, err
		})
	}
}
