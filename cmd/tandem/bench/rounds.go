package bench

import (
	"context"
	"errors"
	"slices"
	"time"
)

// contender gets ready and returns how it works: round works for about d, or
// once if that takes longer, and returns one or more figures; end gives back
// what was made, also where err is not nil and end neither. A contender that this
// system does not have answers errors.ErrUnsupported, at once or in its first
// round.
type contender func(ctx context.Context) (round func(d time.Duration) ([]float64, error), end func() error, err error)

// rounds is how many rounds count; one more, before them, warms up.
const rounds = 9

// turns lets the contenders work in turns, so that a busy neighbour meets all
// of them, and returns the median of each figure of each contender. One that is
// not supported has none.
func turns(ctx context.Context, budget time.Duration, all []contender) (medians [][]float64, err error) {
	medians = make([][]float64, len(all))
	work := make([]func(time.Duration) ([]float64, error), len(all))
	for i, c := range all {
		round, end, e := c(ctx)
		if end != nil {
			defer func() {
				if e := end(); err == nil {
					err = e
				}
			}()
		}
		switch {
		case e == nil:
			work[i] = round
		case !errors.Is(e, errors.ErrUnsupported):
			return nil, e
		}
	}
	slice := budget / time.Duration((rounds+1)*len(all))
	seen := make([][][]float64, len(all)) // of each contender: its figures, each over the rounds
	for n := range rounds + 1 {
		for i, round := range work {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			if round == nil {
				continue
			}
			figures, err := round(slice)
			if n == 0 && errors.Is(err, errors.ErrUnsupported) {
				work[i] = nil
				continue
			}
			if err != nil {
				return nil, err
			}
			if n == 0 {
				seen[i] = make([][]float64, len(figures))
				continue
			}
			for k, v := range figures {
				seen[i][k] = append(seen[i][k], v)
			}
		}
	}
	for i := range seen {
		for _, over := range seen[i] {
			medians[i] = append(medians[i], quantile(over, 0.5))
		}
	}
	return medians, nil
}

// quantile sorts list and returns the value below which a part q of it lies.
func quantile(list []float64, q float64) float64 {
	slices.Sort(list)
	return list[min(len(list)-1, int(q*float64(len(list))))]
}

// repeat times f again and again until d has passed, at least once.
func repeat(d time.Duration, f func() error) (took []float64, err error) {
	for begin, now := time.Now(), time.Duration(0); now < d || len(took) == 0; {
		if err := f(); err != nil {
			return nil, err
		}
		then := time.Since(begin)
		took = append(took, float64(then-now))
		now = then
	}
	return took, nil
}

// median makes a round of repeated f.
func median(f func() error) func(time.Duration) ([]float64, error) {
	return func(d time.Duration) ([]float64, error) {
		took, err := repeat(d, f)
		if err != nil {
			return nil, err
		}
		return []float64{quantile(took, 0.5)}, nil
	}
}

// nothing is what ends a contender that holds nothing.
func nothing() error { return nil }
