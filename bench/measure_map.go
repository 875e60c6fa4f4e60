//go:build linux

package main

import (
	"time"

	"github.com/tandem-go/tandem/bench/internal/drive"
)

// mapping: items of int → int that cost nothing, on two workers, nothing tuned.
func mapping(l *lab) {
	es := l.enter(l.able(drive.Map), poolWorkers)
	defer l.leave(es)
	l.gather(es, caseMap, 0, unitItems, func(e *entrant, warm bool) (rate []float64, err error) {
		if warm {
			e.ask, err = l.grow(e, drive.Order{Do: drive.Map, N: 256})
			return nil, err
		}
		r, err := e.Do(e.ask)
		return []float64{float64(e.ask.N) * 1e9 / float64(max(1, r.Nanos))}, err
	})
}

// speedup: how much sooner the same items are done by two workers than by a
// plain loop of the same language, over the time that one item takes.
func speedup(l *lab) {
	es := l.enter(l.able(drive.Map), poolWorkers)
	defer l.leave(es)
	for _, length := range []time.Duration{time.Microsecond, 10 * time.Microsecond, 100 * time.Microsecond} {
		name := human(float64(length), unitTime) + " tasks"
		l.gather(es, name, float64(length)/1e3, unitRatio, func(e *entrant, warm bool) (ratio []float64, err error) {
			if warm {
				e.ask = drive.Order{Do: drive.Map, N: 100}
				if e.ask.Turns, err = turns(e, length); err == nil {
					e.ask, err = l.grow(e, e.ask)
				}
				return nil, err
			}
			r, err := speed(e, e.ask)
			return []float64{r}, err
		})
	}
}

// speed is the time of the plain loop over that of the workers.
func speed(e *entrant, o drive.Order) (float64, error) {
	together, err := e.Do(o)
	if err != nil {
		return 0, err
	}
	o.Do = drive.Serial
	alone, err := e.Do(o)
	return float64(alone.Nanos) / float64(max(1, together.Nanos)), err
}

// turns finds how many turns of its loop take a time, in an entrant's language.
// Each figure is the least of three: the work must not depend on a neighbour.
func turns(e *entrant, length time.Duration) (int, error) {
	const few, many, n = 1, 101, 500
	var took [2]float64
	for i, turns := range []int{few, many} {
		for range 3 {
			r, err := e.Do(drive.Order{Do: drive.Serial, N: n, Turns: turns})
			if err != nil {
				return 0, err
			}
			if t := float64(r.Nanos) / n; took[i] == 0 || t < took[i] {
				took[i] = t
			}
		}
	}
	turn := max(0.1, (took[1]-took[0])/(many-few))
	return max(few, int((float64(length)-took[0])/turn)), nil
}
