package tandem

import (
	"context"

	"github.com/tandem-go/tandem/internal/codec"
)

// Runner is a place where tasks run. Its implementations are Inline,
// Goroutines, thread.Pool, process.Pool, and yours: package tandemtest has the
// suite that every Runner passes. A Runner is safe for concurrent use.
type Runner interface {
	// Run runs j and returns when j no longer runs; it keeps nothing of j.
	// It returns nil after Job.Invoke or Job.SetOutput returned nil, and
	// otherwise the call's error, which those two return too.
	// When ctx ends, the task is asked to stop, and the error is its cause
	// unless the task still ended with a value.
	Run(ctx context.Context, j *Job) error

	// Width is how many jobs run at once, at least 1.
	Width() int
}

// Admitter is what a Runner may offer besides, for Go: calls are then accepted in
// the order in which they were made, and one that was made before the place was
// shut down is finished.
type Admitter interface {
	Runner

	// Admit accepts j, in the goroutine that calls Go and without blocking. Run
	// follows, in another one, and finds the ticket in Job.Ticket. On an error, the
	// call's, Run does not follow.
	Admit(ctx context.Context, j *Job) (ticket any, err error)
}

// BatchRunner is what a Runner may offer besides, for Map, Unordered and All:
// it pulls inputs when it has room for them.
type BatchRunner interface {
	Runner

	// RunBatch takes inputs with Batch.Next until there are none, settles each
	// item of each Chunk, and returns when all it took are settled.
	RunBatch(ctx context.Context, b *Batch)
}

// Handles is the bounded list of descriptors that travels beside encoded bytes.
// Its methods: Add on the encoding side, Take on the decoding side; a transport
// calls Files to send and Receive on arrival, and Close in the end. A type of
// your own travels with descriptors when it has the methods
//
//	AppendHandles(dst []byte, h *tandem.Handles) ([]byte, error)
//	SetHandles(src []byte, h *tandem.Handles) error
type Handles = codec.Handles

// Spec is what is known of a job without its types.
type Spec struct {
	Name       string // full name: import path of the package, a dot, the task's name
	Schema     uint64 // hash of the structure of its argument and result
	Limits     Limits
	Idempotent bool // may run again if a worker died in it
	Meta       Meta

	id uint64
}

// ID is a hash of Name. It stands for the name between two processes of one program,
// where 8 bytes travel faster.
func (s Spec) ID() uint64 { return s.id }

// Job is one call with its types hidden, made by Placed and handed to a Runner.
// It is used by one goroutine at a time.
type Job struct {
	spec   Spec
	ticket any
	erased
}

// erased is the typed half of a Job: *call[In, Out].
type erased interface {
	size() (int, bool)
	appendInput(dst []byte, h *Handles) ([]byte, error)
	setOutput(src []byte, h *Handles) error
	invoke(ctx context.Context) error
}

// Spec describes the job.
func (j *Job) Spec() Spec { return j.spec }

// Ticket is what the place's Admit returned for the job, nil if it was not asked.
func (j *Job) Ticket() any { return j.ticket }

// InputSize is the number of bytes that AppendInput appends where nothing large travels
// beside them; if exact is false, it is a lower estimate.
func (j *Job) InputSize() (n int, exact bool) { return j.size() }

// AppendInput appends the encoded argument to dst and its descriptors to h. It
// may be called again, for a second attempt. An error is the caller's to
// return: the argument could not be encoded, and the job has not run.
func (j *Job) AppendInput(dst []byte, h *Handles) ([]byte, error) { return j.appendInput(dst, h) }

// SetOutput settles the job with the outcome that Execute returned on the far
// side. Its error is the call's: the task's own, or one that wraps ErrMalformed
// when src is not an outcome of this task.
func (j *Job) SetOutput(src []byte, h *Handles) error { return j.setOutput(src, h) }

// Invoke runs the task here, in the caller's goroutine, and settles the job. A
// panic or runtime.Goexit in the task becomes a *PanicError; Goexit still ends
// the goroutine. Its error is the call's.
func (j *Job) Invoke(ctx context.Context) error { return j.invoke(ctx) }
