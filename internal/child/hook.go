package child

import (
	"context"

	"github.com/tandem-go/tandem/internal/codec"
	"github.com/tandem-go/tandem/internal/wire"
)

// Hook is a bound call; without a task there is none.
type Hook struct {
	Info  wire.CallInfo
	Input []byte
}

// Run runs the hook, in a worker or what stands for one, and returns the encoded outcome
// of one that failed.
func (k *Hook) Run(ctx context.Context) (failure []byte) {
	if k.Info.Task == 0 {
		return nil
	}
	done := make(chan struct{})
	failure = Root.Outcome(nil, Root.Goexit)
	go func() { // a goroutine of its own: Goexit must not take the caller along
		defer close(done)
		var out []byte
		var failed bool
		callee, err := Root.Find(&k.Info)
		if err == nil {
			out, failed, err = callee.Call(ctx, k.Input, new(codec.Handles), nil)
		}
		switch {
		case err != nil:
			failure = Root.Outcome(nil, err)
		case failed:
			failure = out
		default:
			failure = nil
		}
	}()
	<-done
	return failure
}
