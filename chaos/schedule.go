//go:build linux

package main

import (
	"iter"
	"math/rand/v2"
	"time"
)

// event is one disturbance: after a pause, what, and a number for its own choices.
type event struct {
	pause time.Duration
	what  string
	dice  uint64
}

// kinds are the disturbances, and how often each comes among all.
var kinds = []struct {
	what   string
	weight int
}{
	{"kill", 60}, {"stop", 30}, {"freeze", 10}, {"suspend", 1}, {"clocks", 10},
	{"memory", 10}, {"descriptors", 10}, {"disk", 5}, {"full disk", 5}, {"flood", 10}, {"spin", 10},
	{"overflow", 10}, {"exit", 10}, {"segfault", 10}, {"panic", 10},
	{"scribble", 20}, {"birth", 10}, {"starve", 10}, {"crowd", 10},
}

// names are the kinds.
var names = func() (list []string) {
	for _, k := range kinds {
		list = append(list, k.what)
	}
	return list
}()

// pick is the kind at a place among all weights.
func pick(place int) string {
	for _, k := range kinds {
		if place -= k.weight; place < 0 {
			return k.what
		}
	}
	panic("chaos: a place beyond all weights")
}

// schedule is the endless sequence that belongs to a seed.
func schedule(seed uint64) iter.Seq[event] {
	r := rand.New(rand.NewPCG(seed, 1))
	weights := 0
	for _, k := range kinds {
		weights += k.weight
	}
	return func(yield func(event) bool) {
		for yield(event{20*time.Millisecond + time.Duration(r.IntN(180))*time.Millisecond, pick(r.IntN(weights)), r.Uint64()}) {
		}
	}
}
