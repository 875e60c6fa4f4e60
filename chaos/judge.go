//go:build linux

package main

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// judge collects what is broken, and counts what was seen.
type judge struct {
	out     io.Writer
	settled atomic.Int64 // tasks of all kinds
	failed  atomic.Int64 // of which by an error that is explained

	mu     sync.Mutex
	broken []string
	count  int
}

// violated notes that an invariant does not hold. A thousand cases of one are as bad as a few.
func (j *judge) violated(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.count++; j.count > 20 {
		return
	}
	what := fmt.Sprintf(format, args...)
	j.broken = append(j.broken, what)
	if j.out == nil {
		return
	}
	fmt.Fprintf(j.out, "BROKEN: %s\n", what)
}

func (j *judge) verdict() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.broken
}

// patience is how long anything may take that is not to take long. Only a hang
// exceeds it.
const patience = 60 * time.Second
