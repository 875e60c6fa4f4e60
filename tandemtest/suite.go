// Package tandemtest is the conformance suite of tandem: what every place for
// tasks keeps, so that changing the place never changes the meaning. It is for
// the authors of a [tandem.Runner]; tandem's own places pass it too.
//
//	func TestMain(m *testing.M) { tandem.Init(); os.Exit(m.Run()) }
//
//	func TestMyPlace(t *testing.T) {
//		tandemtest.Run(t, func(t *testing.T) tandem.Runner {
//			p := myplace.New()
//			t.Cleanup(func() { p.Close() })
//			return p
//		}, tandemtest.Capabilities{Handles: true, Bounded: true})
//	}
//
// # Capabilities
//
// Places differ in what they can do: a goroutine cannot be killed. What a place
// can do is said in [Capabilities], and what it cannot is tested too: that it is
// refused with errors.ErrUnsupported, or differs in the one documented way. No
// case is skipped.
//
// # What the suite needs
//
// The place's tasks must run on this machine: those of the suite report to a
// listener on the loopback address, which is how a test knows, without sleeping,
// what runs at any moment and that it has really stopped. Programs that link
// this package, or start its tests' binary again, know its tasks.
package tandemtest

import (
	"context"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
)

// Capabilities says what a place can do beyond running tasks. The zero value is
// the least: tasks run in this process, cannot be stopped, cannot hold files.
type Capabilities struct {
	// Copies: arguments and results pass through their codecs, so that a task cannot
	// change what its caller holds. OwnMemory includes it.
	Copies bool
	// OwnMemory: a task sees copies of its argument and of package variables; what
	// it changes stays with it, and context values do not reach it.
	OwnMemory bool
	// Isolation: a task that ends its process, or breaks it, costs itself only.
	Isolation bool
	// HardStop: Limits.Time is kept, and a task that does not listen is stopped.
	HardStop bool
	// NeighboursSafe: a hard stop costs the tasks beside it nothing. Without it they
	// settle with *tandem.CrashError and Collateral.
	NeighboursSafe bool
	// CallMemory: Limits.Memory of a single call is kept.
	CallMemory bool
	// Handles: an *os.File travels in arguments and results.
	Handles bool
	// Bounded: at most Width tasks run at once; others wait.
	Bounded bool
}

// suite is one case's view: a fresh place.
type suite struct {
	*testing.T
	place tandem.Runner
	has   Capabilities
	gate  *gate
}

// patience bounds every wait for something that must come. It says nothing about
// how fast a place is.
const patience = time.Minute

// Run runs the suite as subtests of t. It calls place for a fresh Runner in each
// of them, which that subtest's Cleanup should end.
func Run(t *testing.T, place func(t *testing.T) tandem.Runner, has Capabilities) {
	t.Helper()
	for _, group := range []struct {
		name  string
		cases []testCase
	}{
		{"Values", valueCases},
		{"Errors", errorCases},
		{"Contexts", contextCases},
		{"Limits", limitCases},
		{"Codecs", codecCases},
		{"Files", fileCases},
		{"Futures", futureCases},
		{"Loops", loopCases},
		{"Order", orderCases},
		{"Deaths", deathCases},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, c := range group.cases {
				t.Run(c.name, func(t *testing.T) {
					s := &suite{T: t, has: has}
					s.gate = newGate(t) // before the place: it must outlive the tasks
					if s.place = place(t); s.place == nil {
						t.Fatal("place returned nil")
					}
					c.run(s)
				})
			}
		})
	}
}

type testCase struct {
	name string
	run  func(*suite)
}

// copies reports whether arguments and results pass through their codecs: at a
// border always, in this process in race builds only.
func (s *suite) copies() bool { return s.has.Copies || s.has.OwnMemory || raceBuild }

// context is for one case. It ends before the place is closed, so that a failed
// case leaves nothing waiting.
func (s *suite) context() context.Context {
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	s.Cleanup(cancel)
	return ctx
}

// width is the place's width, which the suite needs to be sensible.
func (s *suite) width() int {
	w := s.place.Width()
	if w < 1 {
		s.Fatalf("Width() = %d, want at least 1", w)
	}
	return w
}

// alive checks that the place still works, after what the case did to it.
func (s *suite) alive() {
	s.Helper()
	if got, err := double.On(s.place).Call(s.context(), 21); got != 42 || err != nil {
		s.Errorf("the next call: %v, %v; want 42", got, err)
	}
}
