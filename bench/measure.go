//go:build linux

package main

import "github.com/tandem-go/tandem/bench/internal/drive"

// measure is one question to all contenders who can answer it.
type measure struct {
	name       string
	placements []string
	run        func(*lab)
}

var measures = []measure{
	{"latency", []string{placeOne, placeApart, placeBoth}, latency},
	{"calls", []string{placeOne, placeBoth}, calls},
	{"map", []string{placeOne, placeApart, placeBoth}, mapping},
	{"speedup", []string{placeBoth}, speedup},
	{"payload", []string{placeOne, placeBoth}, payload},
	{"start", []string{placeOne, placeBoth}, starts},
	{"memory", []string{placeBoth}, memory},
	{"lock", []string{placeBoth}, lock},
	{"codec", []string{placeBoth}, codecs},
	{"allocations", []string{placeBoth}, allocations},
	{"gc", []string{placeBoth}, gc},
}

// poolWorkers is how many workers everyone has, but where one caller makes one
// call at a time.
const poolWorkers = 2

// latency: one call at a time, one worker.
func latency(l *lab) {
	for _, c := range []struct{ order, name string }{{drive.Echo, caseEcho}, {drive.Record, caseRecord}} {
		es := l.enter(l.able(c.order), 1)
		l.gather(es, c.name, 0, unitTime, func(e *entrant, _ bool) ([]float64, error) {
			r, err := l.block(e, drive.Order{Do: c.order}, 50)
			return floats(r.Samples), err
		})
		l.leave(es)
	}
}
