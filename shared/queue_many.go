package shared

import (
	"context"
	"io"
	"iter"
)

// PutAll puts all items, in their order, and waits for room as often as needed. It
// returns how many it put; fewer than all only with an error, one of those of Put.
// Some 32 KiB at a time come into the queue at once, which is what makes it faster
// than Put; between these, items of others may come.
func (q *Queue[T]) PutAll(ctx context.Context, items []T) (n int, err error) {
	p := q.parcel()
	defer q.back(p)
	for n < len(items) && err == nil {
		var v *queue
		run := 0
		for p.raw = p.raw[:0]; n+run < len(items) && (run == 0 || len(p.raw) < runBytes); run++ {
			if v, err = q.pack(p, &items[n+run]); err != nil {
				break
			}
		}
		if run == 0 {
			break
		}
		if v = q.at.Load(); v == nil {
			return n, closed("Queue")
		}
		sent, e := v.send(ctx, p.raw, run)
		n += sent
		if e != nil {
			err = q.error(e)
		}
	}
	return n, err
}

// GetSome waits for the first item, as Get does, and takes with it what is there and
// has room in into, about 32 KiB at most. It returns how many it took: at least one,
// or an error of Get.
func (q *Queue[T]) GetSome(ctx context.Context, into []T) (n int, err error) {
	p := q.parcel()
	defer q.back(p)
	v := q.at.Load()
	switch {
	case v == nil:
		return 0, closed("Queue")
	case len(into) == 0:
		return 0, nil
	}
	raw, items, err := v.receive(ctx, p.raw, len(into))
	p.raw = raw
	for n < items && err == nil {
		size := prefix // the lengths may be others than those that were added up
		if v.size != differs || len(raw) >= prefix {
			size = v.first(raw)
		}
		if size > len(raw) {
			return n, errScribbled
		}
		if err = q.unpack(raw[:size:size], &into[n]); err == nil {
			n++
		}
		raw = raw[size:]
	}
	return n, q.error(err)
}

// All are the items as they come, until the queue is empty and CloseSend was called.
// Each is taken when the loop asks for it, so leaving the loop loses none. An error of
// Get other than io.EOF is the last element.
func (q *Queue[T]) All(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			item, err := q.Get(ctx)
			if err == io.EOF || !yield(item, err) || err != nil {
				return
			}
		}
	}
}

// Chan is a channel of the items, for select. A goroutine takes them, one in advance;
// it ends, and closes the channel, when Get fails: with ctx, after CloseSend, or with
// the handle. Get says which. If ctx ends while nobody has received the one that it
// has, it puts it back in front of all others, or, in a queue that is full, when there
// is room. A process that dies loses the one that it has.
func (q *Queue[T]) Chan(ctx context.Context) <-chan T {
	ch := make(chan T)
	go func() {
		left := q.pass(ctx, ch)
		close(ch)
		if v := q.at.Load(); v != nil && left != nil {
			v.returned(left)
		}
	}()
	return ch
}

// pass hands items over until it cannot, and returns what is left in its hands.
func (q *Queue[T]) pass(ctx context.Context, ch chan<- T) (left []byte) {
	var raw []byte
	for ctx.Err() == nil {
		v := q.at.Load()
		if v == nil {
			return nil
		}
		var item T
		var err error
		if raw, _, err = v.receive(ctx, raw[:0], 1); err != nil {
			return nil
		}
		if q.unpack(raw, &item) != nil {
			return nil
		}
		select {
		case ch <- item:
		case <-ctx.Done():
			return raw
		}
	}
	return nil
}
