//go:build tandemdebug || race

package coroutine

import (
	"fmt"
	"sync/atomic"
)

// checked says that this build has the checks below.
const checked = true

// A twin checks what the production build takes on trust. Its other self, with
// the same methods and nothing in them, is in twin_off.go.
type twin struct{ goroutine atomic.Uint64 }

// bind makes the calling goroutine the owner.
func (w *twin) bind() { w.goroutine.Store(goroutineID()) }

// check panics unless the caller is the owner.
func (w *twin) check() {
	if id := goroutineID(); id != w.goroutine.Load() {
		panic(fmt.Sprintf("tandem: coroutine: goroutine %d used what belongs to the coroutine on goroutine %d; yield and wait only on the coroutine's own goroutine", id, w.goroutine.Load()))
	}
}

// A turnstile counts who is inside a loop.
type turnstile struct{ inside atomic.Int32 }

func (s *turnstile) enter() {
	if n := s.inside.Add(1); n != 1 {
		panic(fmt.Sprintf("tandem: loop: %d coroutines are inside at once", n))
	}
}

func (s *turnstile) leave() { s.inside.Add(-1) }
