//go:build linux

package main

import (
	"iter"
	"math/rand/v2"
	"slices"
	"time"
)

// event is one disturbance: after a pause, what, and a number for its own choices.
type event struct {
	pause time.Duration
	what  string
	dice  uint64
}

// kinds are the disturbances, each as often as it stands here.
var kinds = []string{
	"kill", "kill", "kill", "kill", "kill", "kill",
	"stop", "stop", "stop", "freeze",
	"memory", "descriptors", "disk", "flood", "spin", "overflow", "exit", "segfault", "panic",
	"scribble", "scribble", "birth", "starve", "crowd",
}

// names are the kinds, each once.
var names = func() []string {
	list := slices.Clone(kinds)
	slices.SortStableFunc(list, func(a, b string) int { return slices.Index(kinds, a) - slices.Index(kinds, b) })
	return slices.Compact(list)
}()

// schedule is the endless sequence that belongs to a seed.
func schedule(seed uint64) iter.Seq[event] {
	r := rand.New(rand.NewPCG(seed, 1))
	return func(yield func(event) bool) {
		for yield(event{20*time.Millisecond + time.Duration(r.IntN(180))*time.Millisecond, kinds[r.IntN(len(kinds))], r.Uint64()}) {
		}
	}
}
