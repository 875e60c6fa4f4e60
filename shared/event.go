package shared

import (
	"context"

	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/monitor"
)

// Event is a flag that processes wait for. It is made by NewEvent; the zero Event is
// closed. Its methods are safe for concurrent use by all processes. It must not be
// copied: pass the pointer. As a field of a task's argument or result it becomes a
// handle of the same event on the other side.
//
// What was written before Set is seen after the Wait that it ended, and after an
// IsSet that reported true. A process that dies leaves the flag as it was.
type Event struct {
	handle[event, *event]
}

// NewEvent makes an event that is not set. It costs some system calls and 12 KiB of
// memory.
func NewEvent() (*Event, error) {
	e := new(Event)
	if err := e.make(0); err != nil {
		return nil, err
	}
	return e, nil
}

// Set sets the flag and ends the waiting of all who wait now, even if a Clear
// follows at once.
func (e *Event) Set() error { return e.turn(true) }

// Clear takes the flag back.
func (e *Event) Clear() error { return e.turn(false) }

func (e *Event) turn(set bool) error {
	v, err := e.enter(context.Background())
	if err != nil {
		return err
	}
	if now := v.Word(0); isSet(now) != set {
		v.SetWord(0, now+1)
		v.WakeAll()
	}
	return e.error(v.Leave())
}

// IsSet reports whether the flag is set. A closed Event is not. It costs a look at
// memory, and many may look at once.
func (e *Event) IsSet() bool {
	v := e.at.Load()
	return v != nil && isSet(v.Look(0))
}

// Wait waits until the flag is set: it returns at once if it is, without a look at
// ctx. Else it returns nil after a Set, the cause of ctx, or an error that wraps
// tandem.ErrClosed.
func (e *Event) Wait(ctx context.Context) error {
	v, err := e.enter(ctx)
	if err != nil {
		return err
	}
	came := v.Word(0)
	if isSet(came) {
		return e.error(v.Leave())
	}
	return e.error(v.Await(ctx, 0, func() (bool, error) { return v.Word(0) != came, nil }, func() {}))
}

// event is an Event as one process sees it. Its word counts the changes of the flag:
// it is odd when the flag is set, and who waits for another number than the one
// that it saw misses no Set.
type event struct{ watch }

func isSet(changes uint64) bool { return changes%2 == 1 }

func (*event) kind() (mem.Kind, string) { return mem.KindEvent, "Event" }

func (v *event) begin(m *monitor.Monitor) error { v.Monitor = m; return nil }

func (*event) Gone(place, pid int) {}

func (*event) Settle() {}
