package drive

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Local obeys orders by functions of this process. A nil function is an order
// that it cannot obey.
type Local struct {
	Echo    func(Bytes) (Bytes, error)
	Record  func(Struct) (Struct, error)
	Next    func(int) (int, error)              // i → i+1, safe for concurrent use
	Each    func(out []int, turns int) error    // out[i] = Item(Pack(i, turns)), on all workers
	Blob    func([]byte) (int, error)           // Probe of the bytes
	Start   func() (first, join int64, _ error) // one process from start to end
	Standby func(n int, pause time.Duration) ([]int64, error)
	Crowd   func(n int) (disperse func() error, _ error)
	Lock    func(n, owners int) (time.Duration, error)
	Codec   func(Struct) (Struct, error) // encodes and decodes
	Theirs  func() (uint64, error)       // how many objects the worker has allocated so far
	Collect func(of string, n int) ([]int64, error)
	Closer  func() error // nil: nothing to close

	disperse func() error
	out      []int
	blob     []byte
}

// Do obeys an order.
func (l *Local) Do(o Order) (r Reply, err error) {
	switch {
	case o.Do == Echo && l.Echo != nil:
		r.Samples, err = l.echo(o.N)
	case o.Do == Record && l.Record != nil:
		r.Samples, err = l.record(o.N)
	case o.Do == Calls && l.Next != nil:
		err = l.calls(o, &r)
	case o.Do == Map && l.Each != nil:
		r.Nanos, err = l.items(o, l.Each)
	case o.Do == Serial:
		r.Nanos, err = l.items(o, serial)
	case o.Do == Payload && l.Blob != nil:
		r.Samples, err = l.payload(o)
	case o.Do == Start && l.Start != nil:
		err = l.start(o.N, &r)
	case o.Do == Standby && l.Standby != nil:
		r.Samples, err = l.Standby(o.N, time.Duration(o.Nanos))
	case o.Do == Crowd && l.Crowd != nil:
		begin := time.Now()
		l.disperse, err = l.Crowd(o.N)
		r.Nanos = int64(time.Since(begin))
	case o.Do == Disperse && l.disperse != nil:
		err, l.disperse = l.disperse(), nil
	case o.Do == Lock && l.Lock != nil:
		var d time.Duration
		d, err = l.Lock(o.N, o.Callers)
		r.Nanos = int64(d)
	case o.Do == Codec && l.Codec != nil:
		err = l.codec(o.N, &r)
	case o.Do == Allocs && (o.Of == Echo && l.Echo != nil || o.Of == Record && l.Record != nil):
		err = l.allocs(o, &r)
	case o.Do == Collect && l.Collect != nil:
		r.Samples, err = l.Collect(o.Of, o.N)
	default:
		err = fmt.Errorf("the order %q: %w", o.Do, errors.ErrUnsupported)
	}
	return r, err
}

// PID is this process.
func (l *Local) PID() int { return os.Getpid() }

// Close ends what was opened for the session.
func (l *Local) Close() (err error) {
	if l.disperse != nil {
		err = l.disperse()
	}
	if l.Closer != nil {
		err = errors.Join(err, l.Closer())
	}
	return err
}

func (l *Local) echo(n int) ([]int64, error) {
	samples := make([]int64, n)
	var in Bytes
	for i := range samples {
		in[0], in[63] = byte(i), byte(i>>8)
		begin := time.Now()
		out, err := l.Echo(in)
		samples[i] = int64(time.Since(begin))
		if err == nil && out != in {
			err = errors.New("the echo differs")
		}
		if err != nil {
			return nil, err
		}
	}
	return samples, nil
}

func (l *Local) record(n int) ([]int64, error) {
	samples := make([]int64, n)
	for i := range samples {
		in := NewStruct(i)
		begin := time.Now()
		out, err := l.Record(in)
		samples[i] = int64(time.Since(begin))
		if err == nil && !same(in, out) {
			err = errors.New("the struct that came back differs")
		}
		if err != nil {
			return nil, err
		}
	}
	return samples, nil
}

// calls counts what all callers get done until the time is over: each at least
// one call, however late it comes to run.
func (l *Local) calls(o Order, r *Reply) error {
	var (
		group sync.WaitGroup
		total atomic.Int64
		first atomic.Pointer[error]
		over  atomic.Bool
	)
	begin := time.Now()
	timer := time.AfterFunc(time.Duration(o.Nanos), func() { over.Store(true) })
	defer timer.Stop()
	for c := range o.Callers {
		group.Go(func() {
			n := 0
			for i := c; n == 0 || !over.Load(); i++ {
				got, err := l.Next(i)
				if err == nil && got != i+1 {
					err = fmt.Errorf("the successor of %d came back as %d", i, got)
				}
				if err != nil {
					first.CompareAndSwap(nil, &err)
					over.Store(true)
					return
				}
				n++
			}
			total.Add(int64(n))
		})
	}
	group.Wait()
	r.Count, r.Nanos = int(total.Load()), int64(time.Since(begin))
	if err := first.Load(); err != nil {
		return *err
	}
	return nil
}

// items runs a map and checks it outside the time.
func (l *Local) items(o Order, each func([]int, int) error) (int64, error) {
	l.out = slices.Grow(l.out[:0], o.N)[:o.N]
	clear(l.out)
	begin := time.Now()
	err := each(l.out, o.Turns)
	d := time.Since(begin)
	if err == nil {
		err = checkItems(l.out, o.Turns)
	}
	return int64(d), err
}

func serial(out []int, turns int) error {
	for i := range out {
		out[i] = Item(Pack(i, turns))
	}
	return nil
}

func (l *Local) payload(o Order) ([]int64, error) {
	if len(l.blob) != o.Size {
		l.blob = make([]byte, o.Size)
		for i := range l.blob {
			l.blob[i] = byte(i) // also the first touch of its pages
		}
	}
	samples := make([]int64, o.N)
	for i := range samples {
		Stamp(l.blob, i)
		begin := time.Now()
		got, err := l.Blob(l.blob)
		samples[i] = int64(time.Since(begin))
		if err == nil && got != Probe(l.blob) {
			err = fmt.Errorf("the probe of %d bytes came back as %x, want %x", o.Size, got, Probe(l.blob))
		}
		if err != nil {
			return nil, err
		}
	}
	return samples, nil
}

func (l *Local) start(n int, r *Reply) error {
	for range n {
		first, join, err := l.Start()
		if err != nil {
			return err
		}
		r.Samples, r.Joins = append(r.Samples, first), append(r.Joins, join)
	}
	return nil
}
