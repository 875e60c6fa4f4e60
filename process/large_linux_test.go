package process_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// parcel has large content and small, of several types, and a descriptor's worth of
// structure around it.
type parcel struct {
	Name  string
	Bytes []byte
	Parts [][]float64
	Flags []bool
	Any   any
}

var (
	mirror = tandem.NewTask("mirror", func(_ context.Context, p parcel) (parcel, error) { return p, nil })
	sum    = tandem.NewTask("sum", func(_ context.Context, b []byte) (int, error) { return total(b), nil })
	spread = tandem.NewTask("spread", func(_ context.Context, n int) ([]byte, error) { return bytes.Repeat([]byte{byte(n)}, n), nil })
	fails  = tandem.NewTask("fails", func(_ context.Context, b []byte) ([]byte, error) { return b, errors.New("for a reason") })
	stays  = tandem.NewTask("stays", func(ctx context.Context, b []byte) ([]byte, error) {
		<-ctx.Done()
		if b[0] == 0 {
			select {} // until killed
		}
		return b, ctx.Err()
	})
)

func total(b []byte) (n int) {
	for _, x := range b {
		n += int(x)
	}
	return n
}

func noise(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func newParcel(r *rand.Rand, most int) parcel {
	p := parcel{Name: fmt.Sprint(r.Uint64()), Bytes: noise(r, r.IntN(most)), Any: noise(r, r.IntN(most)), Flags: make([]bool, r.IntN(most))}
	for i := range p.Flags {
		p.Flags[i] = r.IntN(2) == 1
	}
	for range r.IntN(20) {
		part := make([]float64, r.IntN(most/8))
		for i := range part {
			part[i] = r.Float64()
		}
		p.Parts = append(p.Parts, part)
	}
	return p
}

func same(a, b parcel) bool {
	if a.Name != b.Name || !bytes.Equal(a.Bytes, b.Bytes) || !bytes.Equal(a.Any.([]byte), b.Any.([]byte)) || len(a.Parts) != len(b.Parts) || len(a.Flags) != len(b.Flags) {
		return false
	}
	for i := range a.Flags {
		if a.Flags[i] != b.Flags[i] {
			return false
		}
	}
	for i := range a.Parts {
		if len(a.Parts[i]) != len(b.Parts[i]) {
			return false
		}
		for j := range a.Parts[i] {
			if a.Parts[i][j] != b.Parts[i][j] {
				return false
			}
		}
	}
	return true
}

// Whatever is large comes back as it was, by segments that many calls use in turn,
// and leaves nothing.
func TestLargeThereAndBack(t *testing.T) {
	for _, threads := range []int{1, 3} {
		leaveNothing(t)
		pool := &process.Pool{Workers: 2, Threads: threads, Transport: process.SharedMemory}
		closing(t, pool)
		var all sync.WaitGroup
		for i := range 6 {
			r := rand.New(rand.NewPCG(uint64(threads), uint64(i)))
			all.Go(func() {
				for range 10 {
					in := newParcel(r, 1<<(16+r.IntN(5)))
					out, err := mirror.On(pool).Call(context.Background(), in)
					if err != nil || !same(in, out) {
						t.Errorf("what came back differs; %v", err)
					}
				}
			})
		}
		all.Wait()
	}
}

// Larger than what is copied by one goroutine.
func TestLargeParallel(t *testing.T) {
	leaveNothing(t)
	pool := &process.Pool{Workers: 1}
	closing(t, pool)
	for _, n := range []int{4<<20 - 1, 4 << 20, 9<<20 + 5, 33 << 20} {
		b := noise(rand.New(rand.NewPCG(1, uint64(n))), n)
		if got, err := sum.On(pool).Call(context.Background(), b); err != nil || got != total(b) {
			t.Errorf("%d bytes: their sum there is %d, want %d; %v", n, got, total(b), err)
		}
		if got, err := spread.On(pool).Call(context.Background(), n); err != nil || !bytes.Equal(got, bytes.Repeat([]byte{byte(n)}, n)) {
			t.Errorf("%d bytes come back wrong; %v", n, err)
		}
	}
}

// A limit on the result counts what went aside, and a call that fails with large
// content around it fails as any other.
func TestLargeLimits(t *testing.T) {
	leaveNothing(t)
	pool := &process.Pool{Workers: 1, Limits: tandem.Limits{Output: 1 << 20}}
	closing(t, pool)
	for range 5 {
		if _, err := spread.On(pool).Call(context.Background(), 2<<20); !errors.Is(err, tandem.ErrTooLarge) {
			t.Errorf("2 MiB under a limit of 1: %v", err)
		}
		if got, err := spread.On(pool).Call(context.Background(), 1<<20-10); err != nil || len(got) != 1<<20-10 {
			t.Errorf("under the limit: %d bytes, %v", len(got), err)
		}
		if _, err := fails.On(pool).Call(context.Background(), make([]byte, 1<<20)); err == nil || err.Error() != "for a reason" {
			t.Errorf("the task's own error is %v", err)
		}
	}
}

// Calls that are cancelled, time out or lose their worker give their segments back
// once: nobody else's content is ever seen, and nothing is left.
func TestLargeUnderKills(t *testing.T) {
	leaveNothing(t)
	victims := &victims{serving: map[*process.Process]bool{}}
	pool := &process.Pool{Workers: 2, Limits: tandem.Limits{Grace: -1}, Progress: func(p process.Progress) { victims.add(p.PID) }}
	closing(t, pool)
	killed := victims.hunt(rand.New(rand.NewPCG(7, 7)))
	var all sync.WaitGroup
	for i := range 4 {
		r := rand.New(rand.NewPCG(uint64(i), 3))
		all.Go(func() {
			for n := range 60 {
				if n%3 == 0 {
					ctx, cancel := context.WithCancel(context.Background())
					fut := stays.On(pool).Go(ctx, bytes.Repeat([]byte{byte(n % 2)}, 1<<18+i))
					cancel()
					if _, err := fut.Wait(context.Background()); err == nil {
						t.Error("a cancelled call has a result")
					}
					continue
				}
				in := newParcel(r, 1<<19)
				out, err := mirror.On(pool).Call(context.Background(), in)
				var crash *tandem.CrashError
				switch {
				case err == nil && !same(in, out):
					t.Error("what came back is not what was sent")
				case err != nil && !errors.As(err, &crash):
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	killed()
}
