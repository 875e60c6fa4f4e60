//go:build linux

package main

import "github.com/tandem-go/tandem/bench/internal/drive"

// codecs: a small struct to bytes and back, without any call.
func codecs(l *lab) {
	es := l.enter(l.able(drive.Codec), 0)
	defer l.leave(es)
	allocs := map[*entrant][]float64{}
	l.gather(es, caseRecord, 0, unitTime, func(e *entrant, warm bool) (ns []float64, err error) {
		if warm {
			e.ask, err = l.grow(e, drive.Order{Do: drive.Codec, N: 100})
			return nil, err
		}
		r, err := e.Do(e.ask)
		if r.Allocs > 0 {
			allocs[e] = append(allocs[e], float64(r.Allocs)/float64(e.ask.N))
		}
		return []float64{float64(r.Nanos) / float64(e.ask.N)}, err
	})
	for _, e := range es {
		if !e.out && len(allocs[e]) > 0 {
			l.give(e, caseAllocs, 0, unitCount, figures(allocs[e]))
		}
	}
}

// allocations: how many objects a call allocates when everything is warm, on the
// caller's side and, where it can be asked, on the worker's.
func allocations(l *lab) {
	const calls = 5000
	for _, of := range []struct{ order, name string }{{drive.Echo, caseEcho}, {drive.Record, caseRecord}} {
		es := l.enter(l.able(drive.Allocs), 1)
		theirs := map[*entrant][]float64{}
		l.gather(es, of.name+", caller", 0, unitCount, func(e *entrant, warm bool) ([]float64, error) {
			r, err := e.Do(drive.Order{Do: drive.Allocs, Of: of.order, N: calls})
			if !warm && r.Theirs != nil {
				theirs[e] = append(theirs[e], float64(*r.Theirs)/calls)
			}
			return []float64{float64(r.Allocs) / calls}, err
		})
		for _, e := range es {
			if !e.out && len(theirs[e]) > 0 {
				l.give(e, of.name+", worker", 0, unitCount, figures(theirs[e]))
			}
		}
		l.leave(es)
	}
}
