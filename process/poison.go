package process

import (
	"fmt"
	"hash/fnv"
	"hash/maphash"
	"sync"
	"sync/atomic"

	"github.com/tandem-go/tandem"
)

// tries is how many workers the call of an idempotent task may cost, where the pool
// says nothing else.
const tries = 3

// mostKillers is how many arguments a pool remembers, so that its memory is bounded
// whatever is sent to it. The oldest is forgotten.
const mostKillers = 1024

// largestInput is the largest argument, in encoded bytes, that is looked at: it is
// encoded for that once more.
const largestInput = 16 << 20

// killers is what a pool remembers of the arguments that its workers died of.
type killers struct {
	after int // deaths that are enough; 0: nothing is remembered
	seed  maphash.Seed
	given atomic.Uint64 // calls that were given up

	known atomic.Int64 // arguments remembered, so that a healthy pool's calls look no further
	mu    sync.Mutex
	tasks map[uint64]int // arguments of each task
	args  map[killer]*deeds
	order []killer // oldest first
}

// killer is a task with an argument. Its hash has a seed of this process: nobody can
// make an argument for which that of another is refused.
type killer struct{ task, input uint64 }

// deeds are the deaths of one killer, without a success between them.
type deeds struct {
	deaths int
	last   *tandem.CrashError
}

func newKillers(after int) *killers {
	k := &killers{after: max(after, 0), seed: maphash.MakeSeed()}
	k.tasks, k.args = map[uint64]int{}, map[killer]*deeds{}
	return k
}

// most is how many workers one call may cost, if its task is idempotent.
func (k *killers) most() int {
	if k.after > 0 {
		return k.after
	}
	return tries
}

// refuse is the error of a call that is not to run: too many workers died of its like.
func (k *killers) refuse(j *tandem.Job) error {
	d := k.find(j)
	if d == nil || d.deaths < k.after {
		return nil
	}
	k.given.Add(1)
	return poison(d.deaths, d.last)
}

// find is a copy of what is known of the argument of j, nil if nothing is.
func (k *killers) find(j *tandem.Job) *deeds {
	if k.known.Load() == 0 || !k.suspects(j.Spec().ID()) { // a Spec is large to copy for every call
		return nil
	}
	key, ok := k.key(j)
	k.mu.Lock()
	defer k.mu.Unlock()
	if d := k.args[key]; ok && d != nil {
		found := *d
		return &found
	}
	return nil
}

// suspects reports whether a task has killed with some argument.
func (k *killers) suspects(task uint64) bool {
	if k.known.Load() == 0 {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.tasks[task] > 0
}

// died notes a death and returns the error of the call, which has cost so many workers
// itself: crash, or that it is given up.
func (k *killers) died(j *tandem.Job, crash *tandem.CrashError, outside bool) error {
	if outside || crash.Collateral {
		return crash // it may be nobody's fault
	}
	deaths := crash.Attempt
	if k.after > 0 {
		deaths = max(deaths, k.note(j, crash))
	}
	if deaths < k.most() {
		return crash
	}
	k.given.Add(1)
	return poison(deaths, crash)
}

// note counts one more death.
func (k *killers) note(j *tandem.Job, crash *tandem.CrashError) int {
	key, ok := k.key(j)
	if !ok {
		return 1
	}
	return k.record(key, crash)
}

func (k *killers) record(key killer, crash *tandem.CrashError) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	d := k.args[key]
	if d == nil {
		if len(k.order) == mostKillers {
			k.forget(k.order[0])
		}
		d = new(deeds)
		k.args[key] = d
		k.order = append(k.order, key)
		k.tasks[key.task]++
		k.known.Add(1)
	}
	d.deaths++
	d.last = crash
	return d.deaths
}

// survived clears the argument of j: a worker has lived through it.
func (k *killers) survived(j *tandem.Job) {
	if k.find(j) == nil {
		return
	}
	key, _ := k.key(j)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.args[key] != nil {
		k.forget(key)
	}
}

func (k *killers) forget(key killer) {
	delete(k.args, key)
	for i, other := range k.order {
		if other == key {
			k.order = append(k.order[:i], k.order[i+1:]...)
			break
		}
	}
	if k.tasks[key.task]--; k.tasks[key.task] == 0 {
		delete(k.tasks, key.task)
	}
	k.known.Add(-1)
}

func (k *killers) key(j *tandem.Job) (key killer, ok bool) {
	in, ok := inputOf(j)
	return killer{j.Spec().ID(), maphash.Bytes(k.seed, in)}, ok
}

func poison(deaths int, last *tandem.CrashError) error {
	return fmt.Errorf("tandem: %s: the argument with fingerprint %s has killed %d workers and is %w; the last death: %w", last.Task, last.Input, deaths, tandem.ErrPoison, last)
}

// inputOf is the argument of j, encoded once more. ok is false if it is too large for
// that, or cannot be encoded any more.
func inputOf(j *tandem.Job) (in []byte, ok bool) {
	if n, _ := j.InputSize(); n > largestInput {
		return nil, false
	}
	var h tandem.Handles
	defer h.Close()
	in, err := j.AppendInput(nil, &h)
	return in, err == nil
}

// fingerprint is the name of an argument in errors and logs: the same argument has the
// same in each run of the program. It hides nothing and resists no attack.
func fingerprint(j *tandem.Job) string {
	in, ok := inputOf(j)
	if !ok {
		return ""
	}
	h := fnv.New64a()
	h.Write(in)
	return fmt.Sprintf("%016x", h.Sum64())
}
