package shared

import (
	"context"
	"errors"
	"fmt"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/lock"
	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/monitor"
)

// handle is what everything on a monitor has in common: how it is made, travels and
// is closed. S is the machine, of which there is one in each process.
type handle[S any, M machine[S]] struct {
	at grip[S]
}

// machine is the meaning that a type gives to its monitor. kind and its name are
// known without one.
type machine[S any] interface {
	*S
	monitor.Machine
	kind() (mem.Kind, string)
	// begin makes the machine for this process. What the words say may be a hostile
	// process's: it checks them.
	begin(m *monitor.Monitor) error
	monitor() *monitor.Monitor
}

// watch is the part of a machine that all have.
type watch struct{ *monitor.Monitor }

func (w watch) monitor() *monitor.Monitor { return w.Monitor }

// quit leaves the monitor; err is what to answer, unless leaving fails.
func (w watch) quit(err error) error {
	if e := w.Leave(); err == nil {
		return e
	}
	return err
}

// make puts a new thing into shared memory and opens it.
func (h *handle[S, M]) make(words ...uint64) error { return h.makeWith(0, 0, words...) }

// makeWith is make for what has size bytes of its own behind the monitor, of a
// structure that both sides must know.
func (h *handle[S, M]) makeWith(schema uint64, size int, words ...uint64) error {
	kind, name := M(nil).kind()
	s, err := mem.Create(kind, schema, monitor.Size+size)
	if err != nil {
		return err
	}
	if err := monitor.Init(s, words...); err != nil {
		s.Release()
		return fmt.Errorf("tandem: shared.%s: %w", name, err)
	}
	return h.open(s)
}

// open makes h a handle of what is in s, and takes the reference to s.
func (h *handle[S, M]) open(s *mem.Segment) error {
	_, name := M(nil).kind()
	m, err := monitor.Open(s, func(m *monitor.Monitor) (monitor.Machine, error) {
		own := M(new(S))
		return own, own.begin(m)
	})
	if err != nil {
		s.Release()
		return err
	}
	return h.at.open(name, m.Machine().(M), s)
}

// segment is where a machine lies.
func (*handle[S, M]) segment(own *S) *mem.Segment { return M(own).monitor().Segment() }

// enter returns the machine, inside its monitor.
func (h *handle[S, M]) enter(ctx context.Context) (M, error) {
	own := M(h.at.Load())
	if own == nil {
		return nil, h.error(lock.ErrClosed)
	}
	if err := own.monitor().Enter(ctx); err != nil {
		return nil, h.error(err)
	}
	return own, nil
}

// error turns an error of a monitor into one of this package.
func (h *handle[S, M]) error(err error) error {
	if err == nil {
		return nil
	}
	_, name := M(nil).kind()
	return public(name, err)
}

// Close gives this handle back; other handles, here and in other processes, stay.
// With the last handle of this process everything that the process holds is free
// for others, as after its death, and who waits here gets an error that wraps
// tandem.ErrClosed. Close may be called again.
func (h *handle[S, M]) Close() error { return h.at.close(h.segment) }

// AppendHandles and SetHandles let it travel as a field of a task's argument or
// result.
func (h *handle[S, M]) AppendHandles(dst []byte, handles *tandem.Handles) ([]byte, error) {
	_, name := M(nil).kind()
	return h.at.lend(name, dst, handles, h.segment)
}

// SetHandles makes it a handle of what was sent.
func (h *handle[S, M]) SetHandles(src []byte, handles *tandem.Handles) error {
	return h.take(src, handles, 0)
}

// take is SetHandles for what has a structure of its own.
func (h *handle[S, M]) take(src []byte, handles *tandem.Handles, schema uint64) error {
	kind, _ := M(nil).kind()
	s, err := takeSegment(src, handles, kind, schema)
	if err != nil {
		return err
	}
	if s.Len() < mem.HeaderSize+monitor.Size {
		s.Release()
		return errors.New("tandem: shared: the segment that came is too small")
	}
	return h.open(s)
}

// misused reports whether a method that gives something back was called where there
// is nothing to give. What else goes wrong there is a hostile process's doing, and
// not worth a panic.
func misused(err error) bool {
	return errors.Is(err, lock.ErrNotHeld) || errors.Is(err, tandem.ErrClosed)
}

// misuse is the text of a panic.
func misuse(subject, method string, err error) string {
	if errors.Is(err, lock.ErrNotHeld) {
		return fmt.Sprintf("tandem: shared.%s: %s of what this process does not hold; each %s belongs to one call that took it", subject, method, method)
	}
	return fmt.Sprintf("tandem: shared.%s: %s: %v", subject, method, err)
}
