package child

import "github.com/tandem-go/tandem/internal/codec"

// Items is a run of calls of one task. The inputs lie back to back in In, the
// outcomes are appended to Out. It says how far the run has come whenever nobody
// works on it: also in a deferred function of the goroutine that a task has ended.
type Items struct {
	N    int    // how many calls
	In   []byte // inputs of those from Done on
	Out  []byte // outcomes of those before Done; its capacity is the caller's and kept
	Done int    // calls that have an outcome

	// Over is the outcome of call Done-1 if it does not fit behind the others or has
	// descriptors, which are in Handles: it is not in Out, and the run has stopped. It
	// is an outcome as of a single call.
	Over    []byte
	Handles codec.Handles

	// Begin is called before call i is decoded and run, with the outcomes of those
	// before it, which it may look at. If it returns false, the run stops.
	Begin func(i int, out []byte) bool
}
