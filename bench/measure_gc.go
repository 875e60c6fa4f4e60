//go:build linux

package main

import "github.com/tandem-go/tandem/bench/internal/drive"

// gc: a garbage collection beside somebody who waits for the other process, of
// whom it must not have to wait. The two processors are taken where one side
// works and the other waits awake, so a collection has less of them then.
func gc(l *lab) {
	es := l.enter(l.able(drive.Collect), 0)
	defer l.leave(es)
	for _, of := range []string{gcHere, gcHereWaits, gcHereSpins, gcThere, gcThereSpins} {
		l.gather(es, of, 0, unitTime, func(e *entrant, _ bool) ([]float64, error) {
			r, err := e.Do(drive.Order{Do: drive.Collect, Of: of, N: 100})
			return floats(r.Samples), err
		})
	}
}
