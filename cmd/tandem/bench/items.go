package bench

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/tandem-go/tandem/process"
)

// few is how many items one loop has: long against its begin and its end, short
// against a round.
const few = 50_000

// mapItems is Map over items that cost nothing, on a pool of one worker for each
// usable processor: items in a second.
func mapItems(ctx context.Context) (func(time.Duration) ([]float64, error), func() error, error) {
	pool := new(process.Pool)
	place := next.On(pool)
	in := make([]int, few)
	for i := range in {
		in[i] = i
	}
	return rate(func() error {
		want := 0
		for v, err := range place.Map(ctx, slices.Values(in)) {
			want++
			if err != nil {
				return err
			}
			if v != want {
				return errWrong
			}
		}
		if want != few {
			return errWrong
		}
		return nil
	}), pool.Close, pool.Start(ctx)
}

// goItems is what one writes without tandem: a goroutine for each item, and one
// wait. It crosses no border.
func goItems(context.Context) (func(time.Duration) ([]float64, error), func() error, error) {
	out := make([]int, few)
	return rate(func() error {
		var all sync.WaitGroup
		for i := range out {
			all.Go(func() { out[i] = i + 1 })
		}
		all.Wait()
		for i, v := range out {
			if v != i+1 {
				return errWrong
			}
			out[i] = 0
		}
		return nil
	}), nothing, nil
}

// rate makes a round of a loop over few items.
func rate(loop func() error) func(time.Duration) ([]float64, error) {
	return func(d time.Duration) ([]float64, error) {
		took, err := repeat(d, loop)
		if err != nil {
			return nil, err
		}
		return []float64{few * 1e9 / quantile(took, 0.5)}, nil
	}
}
