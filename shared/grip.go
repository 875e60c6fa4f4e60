package shared

import (
	"fmt"
	"runtime"
	"sync/atomic"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/leak"
	"github.com/tandem-go/tandem/internal/mem"
)

// grip is how a handle has hold of a thing in shared memory: from the moment when it is
// made or decoded until Close, or until the handle is collected. T is the thing as this
// process sees it.
type grip[T any] struct {
	at      atomic.Pointer[T] // nil: closed; go vet reports a copied one
	cleanup atomic.Pointer[runtime.Cleanup]
	mark    atomic.Pointer[leak.Mark]
}

// Load is the thing, or nil.
func (g *grip[T]) Load() *T { return g.at.Load() }

// open takes hold of the thing, and takes the reference to the segment in which it is.
// The subject is the name of the handle's type.
func (g *grip[T]) open(subject string, thing *T, s *mem.Segment) error {
	if !g.at.CompareAndSwap(nil, thing) {
		s.Release()
		return fmt.Errorf("tandem: shared.%s: a value is decoded into a handle of type %s that is open; close it first", subject, subject)
	}
	c := runtime.AddCleanup(g, func(s *mem.Segment) { s.Release() }, s)
	g.cleanup.Store(&c)
	m := leak.OpenHere("shared." + subject)
	leak.Watch(g, m)
	g.mark.Store(m)
	return nil
}

// close lets go. It may be called again.
func (g *grip[T]) close(segment func(*T) *mem.Segment) error {
	thing := g.at.Swap(nil)
	if thing == nil {
		return nil
	}
	if c := g.cleanup.Swap(nil); c != nil {
		c.Stop()
	}
	g.mark.Swap(nil).Close()
	return segment(thing).Release()
}

// lend lends the segment's descriptor to h, and appends its index.
func (g *grip[T]) lend(subject string, dst []byte, h *tandem.Handles, segment func(*T) *mem.Segment) ([]byte, error) {
	thing := g.at.Load()
	if thing == nil {
		return dst, closed(subject)
	}
	return appendSegment(dst, h, segment(thing))
}
