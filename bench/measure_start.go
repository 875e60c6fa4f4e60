//go:build linux

package main

import "github.com/tandem-go/tandem/bench/internal/drive"

// starts: a process from nothing to its first byte (of an RPC server: its first
// reply), and until it is gone.
func starts(l *lab) {
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
