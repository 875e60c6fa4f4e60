//go:build linux

package main

import "github.com/tandem-go/tandem/bench/internal/drive"

// callerCounts are how many goroutines (in Python threads) call at once.
var callerCounts = []int{1, 2, 8, 100}

// calls: how many calls int → int settle in a second, over the number of callers.
func calls(l *lab) {
	es := l.enter(l.able(drive.Calls), poolWorkers)
	defer l.leave(es)
	for _, n := range callerCounts {
		l.gather(es, plural(n, "caller"), float64(n), unitCalls, func(e *entrant, _ bool) ([]float64, error) {
			r, err := e.Do(drive.Order{Do: drive.Calls, Callers: n, Nanos: int64(l.Share)})
			return []float64{float64(r.Count) * 1e9 / float64(max(1, r.Nanos))}, err
		})
	}
}
