//go:build race

package lock

import "sync"

// shadow is a mutex on the heap, taken just after the shared lock and released
// just before it, so never waited for. The race detector does not see shared
// memory; through the shadow it sees which goroutines of this process the lock
// puts in order, and does not report what the lock protects.
type shadow struct{ mu sync.Mutex }

func (s *shadow) acquire() { s.mu.Lock() }
func (s *shadow) release() { s.mu.Unlock() }

// Shadowed: this build has shadows, which the race detector sees; shared memory it
// does not.
const Shadowed = true
