package tandem

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/tandem-go/tandem/internal/codec"
)

// The outcomes of a chunk lie back to back: a byte and a value, which ends by
// itself, or a byte, a length and an error's tree. One that goes alone, in
// Items.Over, is as execute writes it.

// executeItems is execute for the calls of a chunk. A panic ends one round of them,
// and the next one goes on behind it: so many calls share one deferred function.
func (t *Task[In, Out]) executeItems(ctx context.Context, s Spec, it *Items) (err error) {
	for more := true; more && err == nil; {
		more, err = t.executeRound(ctx, &s, it)
	}
	return err
}

// executeRound runs calls to the end, or to a panic: then there may be more. What
// is plain memory comes and goes without a call to its codec.
func (t *Task[In, Out]) executeRound(ctx context.Context, s *Spec, it *Items) (more bool, err error) {
	in, out := t.in.get(), t.out.get()
	inSize, inPlain := in.Plain()
	outSize, outPlain := out.Plain()
	outPlain = outPlain && s.Limits.Output == 0
	// One for all calls, where the codec needs an address: the function gets a copy.
	var arg *In
	var result *Out

	// Places and not slices: the deferred function makes them live in memory.
	src, room := it.In, it.Out[:cap(it.Out)]
	i, read, written := it.Done, 0, len(it.Out)
	running := false
	defer func() {
		it.In, it.Out, it.Done = src[read:], room[:written], i
		if running {
			failure := &PanicError{Value: goexit}
			if v := recover(); v != nil {
				failure = newPanicError(v)
			}
			more = appendFailure(it, failure)
		}
	}()
	for i < it.N && it.Begin(i, room[:written]) {
		var v In
		if inPlain && len(src)-read >= inSize {
			v = codec.LoadPlain[In](src[read:])
			read += inSize
		} else {
			if arg == nil {
				arg = new(In)
			}
			rest, err := in.DecodeNext(src[read:], arg)
			if err != nil {
				return false, fmt.Errorf("tandem: %s: argument: %w", t.def.name, err)
			}
			v, read = *arg, len(src)-len(rest)
		}
		running = true
		w, failure := t.fn(ctx, v)
		running = false
		if end := written + 1 + outSize; failure == nil && outPlain && end <= len(room) {
			room[written] = outcomeValue
			codec.StorePlain(room[written+1:], w)
			written = end
			i++
			continue
		}
		if result == nil {
			result = new(Out)
		}
		it.Out, it.Done, *result = room[:written], i, w
		fits := t.appendOutcome(s, it, result, failure)
		if written, i = len(it.Out), it.Done; !fits {
			break
		}
	}
	return false, nil
}

// appendOutcome adds the outcome of call it.Done and reports whether it fits. One
// with descriptors does not: it needs a way of its own.
func (t *Task[In, Out]) appendOutcome(s *Spec, it *Items, result *Out, failure error) (fits bool) {
	if failure == nil {
		start := len(it.Out)
		longer, err := t.out.get().Append(append(it.Out, outcomeValue), result, &it.Handles)
		if err == nil {
			err = s.tooLarge(len(longer) - start - 1)
		} else {
			err = fmt.Errorf("tandem: %s: result: %w", t.def.name, err)
		}
		if err == nil {
			if it.Done++; len(longer) > cap(it.Out) || it.Handles.Len() > 0 {
				it.Over = longer[start:]
				return false
			}
			it.Out = longer
			return true
		}
		it.Handles = Handles{} // what the result lent before it failed
		failure = err
	}
	return appendFailure(it, failure)
}

func appendFailure(it *Items, err error) (fits bool) {
	alone := appendError([]byte{outcomeError}, err)
	it.Done++
	longer := append(binary.AppendUvarint(append(it.Out, outcomeError), uint64(len(alone)-1)), alone[1:]...)
	if len(longer) > cap(it.Out) {
		it.Over = alone
		return false
	}
	it.Out = longer
	return true
}
