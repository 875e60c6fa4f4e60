package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// convert is the work. Some documents are more than it can take, as with the parsers
// that there are.
var convert = tandem.NewTask("convert", func(_ context.Context, document string) (string, error) {
	switch document {
	case "":
		return "", errEmpty
	case "nested without end":
		return nest(0), nil // the stack overflows: a fatal error, no panic
	case "loops":
		for {
		}
	}
	return strings.ToUpper(document), nil
})

var errEmpty = errors.New("an empty document")

func init() { tandem.RegisterError("adapters.errEmpty", errEmpty) }

func nest(depth int) string { return "(" + nest(depth+1) + ")" }

// executor is what the handlers of all queues share.
type executor struct {
	pool *process.Pool
	keep func(ctx context.Context, result string) error // where results go
}

func newPool(workers int) *process.Pool {
	return &process.Pool{
		Workers:     workers,
		Limits:      tandem.Limits{Time: jobTime, Grace: 100 * time.Millisecond},
		PoisonAfter: 2, // below the attempts of the queue
		Config: process.Config{
			MaxStack: 16 << 20,   // a parser that wants more has gone astray
			Stderr:   io.Discard, // the last lines are in the errors
		},
	}
}

const (
	jobTime   = 2 * time.Second
	queueTime = 5 * jobTime // the queue's own limit for a job, which includes the waiting
	pause     = time.Second // before what has not run is tried again
)

// execute converts a document. The queue's context ends the work, not only the waiting.
func (e *executor) execute(ctx context.Context, document string) error {
	result, err := convert.On(e.pool).Limit(limits(document)).Call(ctx, document)
	if err != nil {
		return err
	}
	return e.keep(ctx, result)
}

// limits gives a large document more time than the pool does, and bounds its result.
func limits(document string) tandem.Limits {
	size := int64(len(document))
	return tandem.Limits{Time: jobTime + time.Duration(size)*time.Microsecond, Output: 2*size + 1<<10}
}
