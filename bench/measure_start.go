//go:build linux

package main

import (
	"time"

	"github.com/tandem-go/tandem/bench/internal/drive"
)

// starts: a process from nothing to its first byte (of an RPC server: its first
// reply), and until it is gone; and one that waits already, to its result.
func starts(l *lab) {
	cold(l)
	standbys(l)
}

func standbys(l *lab) {
	es := l.enter(l.able(drive.Standby), 0)
	defer l.leave(es)
	for _, c := range []struct {
		name  string
		n     int
		pause time.Duration
	}{{caseStandbyHot, 4 * standbyBurst, 0}, {caseStandbyIdle, standbyBurst, 20 * time.Millisecond}} {
		l.gather(es, c.name, 0, unitTime, func(e *entrant, _ bool) ([]float64, error) {
			r, err := e.Do(drive.Order{Do: drive.Standby, N: c.n, Nanos: int64(c.pause)})
			return floats(r.Samples), err
		})
	}
}

func cold(l *lab) {
	es := l.enter(l.able(drive.Start), 0)
	defer l.leave(es)
	join := map[*entrant][]float64{}
	l.gather(es, caseFirst, 0, unitTime, func(e *entrant, warm bool) ([]float64, error) {
		r, err := l.block(e, drive.Order{Do: drive.Start}, 2)
		if !warm {
			join[e] = append(join[e], floats(r.Joins)...)
		}
		return floats(r.Samples), err
	})
	for _, e := range es {
		if !e.out && len(join[e]) > 0 {
			l.give(e, caseJoin, 0, unitTime, figures(join[e]))
		}
	}
}
