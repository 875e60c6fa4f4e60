package drive

import (
	"errors"
	"runtime"
	"slices"
	"time"
)

// allocations is how many objects this process has allocated so far.
func allocations() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

// codec encodes and decodes one struct again and again.
func (l *Local) codec(n int, r *Reply) error {
	in := NewStruct(n)
	if err := repeat(1, in, l.Codec, same); err != nil { // and what is made at the first use
		return err
	}
	before := allocations()
	begin := time.Now()
	err := repeat(n, in, l.Codec, func(a, b Struct) bool { return a.ID == b.ID && len(a.Data) == len(b.Data) })
	r.Nanos = int64(time.Since(begin))
	r.Allocs = allocations() - before
	return err
}

// allocs makes calls and tells what they allocated, here and, where it is known,
// in the worker. What it allocates itself is the same for any number of calls.
func (l *Local) allocs(o Order, r *Reply) (err error) {
	var theirs uint64
	if l.Theirs != nil {
		if theirs, err = l.Theirs(); err != nil {
			return err
		}
	}
	before := allocations()
	if o.Of == Echo {
		err = repeat(o.N, Bytes{1}, l.Echo, func(a, b Bytes) bool { return a == b })
	} else {
		err = repeat(o.N, NewStruct(1), l.Record, same)
	}
	if err != nil {
		return err
	}
	r.Allocs = allocations() - before
	if l.Theirs != nil {
		after, err := l.Theirs()
		if err != nil {
			return err
		}
		after -= theirs
		r.Theirs = &after
	}
	return nil
}

// repeat makes the same call n times. It allocates nothing itself.
func repeat[T any](n int, in T, call func(T) (T, error), same func(a, b T) bool) error {
	for range n {
		out, err := call(in)
		if err == nil && !same(in, out) {
			err = errors.New("what came back differs")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func same(a, b Struct) bool { return a.ID == b.ID && a.Name == b.Name && slices.Equal(a.Data, b.Data) }
