package tandem

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/tandem-go/tandem/internal/codec"
)

// Chunk is a run of consecutive inputs that a place has taken from a Batch. Each
// of its items is to be settled once, by SetOutputs or Settle; a second time
// panics. It is used by one goroutine at a time, and not after the last item.
type Chunk struct {
	spec  *Spec
	n     int
	left  int    // not settled
	twice []bool // race builds: which are
	chunk
}

// chunk is the typed half of a Chunk: *run[In, Out].
type chunk interface {
	job(i int) *Job
	appendInputs(from, most, room int, dst []byte) ([]byte, int)
	setOutputs(from, n int, src []byte) (int, []byte, error)
	stopped(i int, src []byte, cause error) ([]byte, error)
	split(n int) *Chunk
	fail(i int, err error)
	failures(from, n int) int
	deliver(from, to int)
}

// Len is the number of items.
func (c *Chunk) Len() int { return c.n }

// Spec describes the call of each item.
func (c *Chunk) Spec() Spec { return *c.spec }

// Split cuts c: it keeps its first n items, the others, of which none is settled, are
// the result's. Two goroutines may use the two.
func (c *Chunk) Split(n int) *Chunk {
	rest := c.split(n)
	c.left -= rest.n
	c.n = n
	return rest
}

// Job makes a call of item i alone, for what does not go with others: its value
// goes to the item, which Settle settles. It is not to be used after that.
func (c *Chunk) Job(i int) *Job { return c.job(i) }

// AppendInputs appends the encoded inputs of items from, from+1 … to dst, back to
// back as ExecuteItems wants them: n items, at most most, in at most room bytes.
// It stops before one that does not fit, has descriptors, or cannot be encoded;
// n may be 0. Such an item goes by Job, which tells its error too. If dst has
// capacity for room bytes more, they are written in place.
func (c *Chunk) AppendInputs(from, most, room int, dst []byte) (out []byte, n int) {
	return c.appendInputs(from, most, room, dst)
}

// SetOutputs settles items from … from+n-1 by the outcomes at the front of src,
// which ExecuteItems has written, and returns what follows them. src must be
// private memory; its content is not trusted. An error wraps ErrMalformed: the
// bytes of item from+settled are no outcome of this task. Those before it are
// settled, failed of them with an error; it and those after it are not.
func (c *Chunk) SetOutputs(from, n int, src []byte) (settled, failed int, rest []byte, err error) {
	settled, rest, err = c.setOutputs(from, n, src)
	failed = c.failures(from, settled)
	c.settle(from, settled)
	return settled, failed, rest, err
}

// Stopped is SetOutputs for one item that was asked to stop: if its outcome is an
// error, cause takes its place. With a nil cause it was not asked.
func (c *Chunk) Stopped(i int, src []byte, cause error) (failed bool, err error) {
	if _, err = c.stopped(i, src, cause); err == nil {
		failed = c.failures(i, 1) > 0
		c.settle(i, 1)
	}
	return failed, err
}

// Settle ends item i: err is what the Run of its Job returned, or why it did not run.
func (c *Chunk) Settle(i int, err error) {
	if err != nil {
		c.fail(i, err)
	}
	c.settle(i, 1)
}

// settle hands n outcomes to the loop, at once.
func (c *Chunk) settle(from, n int) {
	if n == 0 {
		return
	}
	if c.left -= n; c.left < 0 {
		panic("tandem: a chunk has more settlements than items")
	}
	if roundTrip {
		c.mark(from, n)
	}
	c.deliver(from, from+n)
}

func (c *Chunk) mark(from, n int) {
	if c.twice == nil {
		c.twice = make([]bool, c.n)
	}
	for i := from; i < from+n; i++ {
		if c.twice[i] {
			panic(fmt.Sprintf("tandem: item %d of a chunk was settled twice", i))
		}
		c.twice[i] = true
	}
}

// run is a Chunk with its types: a part of a block. One allocation holds all of it.
type run[In, Out any] struct {
	Chunk
	stream *stream[In, Out]
	block  *block[In, Out]
	first  int // index of item 0 in the whole batch
	ins    []In
	outs   []Out
	errs   []error // nil while nothing has failed
}

func (r *run[In, Out]) job(i int) *Job {
	c := newCall(r.stream.task, *r.spec, r.ins[i])
	c.dest = &r.outs[i]
	return &c.Job
}

func (r *run[In, Out]) split(n int) *Chunk {
	rest := &run[In, Out]{stream: r.stream, block: r.block, first: r.first + n, ins: r.ins[n:], outs: r.outs[n:]}
	rest.spec, rest.n, rest.left, rest.chunk = r.spec, r.n-n, r.n-n, rest
	return &rest.Chunk // r's slices stay: the loop may be reading what was settled
}

func (r *run[In, Out]) fail(i int, err error) {
	if r.errs == nil {
		r.errs = make([]error, r.n)
	}
	r.errs[i] = err
}

func (r *run[In, Out]) failures(from, n int) (failed int) {
	if r.errs != nil {
		for _, err := range r.errs[from : from+n] {
			if err != nil {
				failed++
			}
		}
	}
	return failed
}

func (r *run[In, Out]) deliver(from, to int) {
	r.stream.settled.put(span[In, Out]{r, from, to, r.errs})
}

func (r *run[In, Out]) appendInputs(from, most, room int, dst []byte) ([]byte, int) {
	ins := r.ins[from:]
	ins = ins[:min(most, len(ins))]
	in := r.stream.task.in.get()
	if size, plain := in.Plain(); plain {
		ins = ins[:min(len(ins), room/max(1, size))]
		return codec.AppendPlain(dst, ins), len(ins)
	}
	end := len(dst) + room
	for i := range ins {
		if least, _ := in.Size(&ins[i]); least > end-len(dst) {
			return dst, i
		}
		longer, err := in.Append(dst, &ins[i], nil)
		if err != nil || len(longer) > end {
			return dst, i
		}
		dst = longer
	}
	return dst, len(ins)
}

// setOutputs reads outcomes as executeItems writes them: a byte and a value, or
// a byte, a length and an error's tree.
func (r *run[In, Out]) setOutputs(from, n int, src []byte) (int, []byte, error) {
	outs := r.outs[from : from+n]
	size, plain := r.stream.task.out.get().Plain()
	for i := range outs {
		if plain && len(src) > size && src[0] == outcomeValue {
			outs[i] = codec.LoadPlain[Out](src[1:])
			src = src[1+size:]
			continue
		}
		failure, rest, err := r.setOutput(from+i, src)
		if err != nil {
			return i, src, err
		}
		if src = rest; failure != nil {
			r.fail(from+i, failure)
		}
	}
	return n, src, nil
}

func (r *run[In, Out]) stopped(i int, src []byte, cause error) ([]byte, error) {
	failure, rest, err := r.setOutput(i, src)
	if failure != nil && cause != nil {
		failure = cause
	}
	if failure != nil {
		r.fail(i, failure)
	}
	return rest, err
}

// setOutput takes one outcome from the front of src. err says that there is none.
func (r *run[In, Out]) setOutput(i int, src []byte) (failure error, rest []byte, err error) {
	kind, body, err := splitOutcome(src)
	if err == nil {
		if kind == outcomeValue {
			rest, err = r.stream.task.out.get().DecodeNext(body, &r.outs[i])
		} else {
			var tree []byte
			if tree, rest, err = splitTree(body); err == nil {
				failure, err = decodeError(tree)
			}
		}
	}
	if err != nil {
		return nil, src, fmt.Errorf("tandem: %s: %w: %w", r.spec.Name, ErrMalformed, err)
	}
	return failure, rest, nil
}

// splitTree takes a length and so many bytes from the front of src.
func splitTree(src []byte) (tree, rest []byte, err error) {
	n, k := binary.Uvarint(src)
	if k <= 0 || n > uint64(len(src)-k) {
		return nil, src, errors.New("an error longer than what came")
	}
	return src[k : k+int(n)], src[k+int(n):], nil
}
