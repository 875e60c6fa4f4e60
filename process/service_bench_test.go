//go:build unix

package process_test

import (
	"context"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

var times = tandem.NewTask("times", func(ctx context.Context, v visit) (n int, err error) {
	for range v.N {
		if n, err = add.On(v.Svc).Call(ctx, 1); err != nil {
			return n, err
		}
	}
	return n, nil
})

// BenchmarkService is one call of a method: by the process that holds the service, and
// by a worker; beside it a task of a pool.
func BenchmarkService(b *testing.B) {
	svc := &process.Service[*counter]{New: newCounter.With(0)}
	defer svc.Close()
	pool := &process.Pool{Workers: 1}
	defer pool.Close()
	ctx := b.Context()
	bench := func(name string, f func(n int) error) {
		b.Run(name, func(b *testing.B) {
			if err := f(1); err != nil {
				b.Fatal(err)
			}
			b.ResetTimer()
			if err := f(b.N); err != nil {
				b.Fatal(err)
			}
		})
	}
	bench("pool", func(n int) (err error) {
		for range n {
			if _, err = double.On(pool).Call(ctx, 1); err != nil {
				return err
			}
		}
		return nil
	})
	bench("holder", func(n int) (err error) {
		for range n {
			if _, err = add.On(svc).Call(ctx, 1); err != nil {
				return err
			}
		}
		return nil
	})
	bench("worker", func(n int) error {
		_, err := times.On(pool).Call(ctx, visit{Svc: svc, N: n})
		return err
	})
}
