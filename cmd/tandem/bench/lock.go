package bench

import (
	"context"
	"sync"
	"time"

	"github.com/tandem-go/tandem/shared"
)

// some is how many times a lock is taken between two looks at the clock.
const some = 1000

// lockShared takes and gives back a lock that nobody else wants.
func lockShared(ctx context.Context) (func(time.Duration) ([]float64, error), func() error, error) {
	m, err := shared.NewMutex()
	if err != nil {
		return nil, nil, err
	}
	count := 0
	return locks(func() error {
		for range some {
			if err := m.Lock(ctx); err != nil {
				return err
			}
			count++
			m.Unlock()
		}
		return nil
	}), m.Close, nil
}

func lockSync(context.Context) (func(time.Duration) ([]float64, error), func() error, error) {
	var m sync.Mutex
	count := 0
	return locks(func() error {
		for range some {
			m.Lock()
			count++
			m.Unlock()
		}
		return nil
	}), nothing, nil
}

func locks(f func() error) func(time.Duration) ([]float64, error) {
	return func(d time.Duration) ([]float64, error) {
		took, err := repeat(d, f)
		if err != nil {
			return nil, err
		}
		return []float64{quantile(took, 0.5) / some}, nil
	}
}
