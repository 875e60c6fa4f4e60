package bench

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// firstByte writes into a pipe that it inherits, as the bare child does: what is
// measured is the way to the first result, not the end of the process.
var firstByte = tandem.NewTask("first byte", func(context.Context, struct{}) (struct{}, error) {
	_, err := os.NewFile(3, "ready").Write([]byte{1})
	return struct{}{}, err
})

// startTandem is a process to the first byte of its task.
func startTandem(ctx context.Context) (func(time.Duration) ([]float64, error), func() error, error) {
	return starts(func() (func() error, error) {
		r, w, err := os.Pipe()
		if err != nil {
			return nil, err
		}
		defer r.Close()
		h, err := process.Start(ctx, process.Config{ExtraFiles: []*os.File{w}}, firstByte, struct{}{})
		w.Close()
		if err != nil {
			return nil, err
		}
		join := func() error { _, err := h.Wait(ctx); return err }
		if _, err := io.ReadFull(r, make([]byte, 1)); err != nil {
			return nil, errors.Join(err, join())
		}
		return join, nil
	}), nothing, nil
}

// starts makes a round of starts. Their ends are waited for outside the clock.
func starts(start func() (join func() error, err error)) func(time.Duration) ([]float64, error) {
	return func(d time.Duration) ([]float64, error) {
		var took []float64
		for begin := time.Now(); len(took) == 0 || time.Since(begin) < d; {
			begun := time.Now()
			join, err := start()
			took = append(took, float64(time.Since(begun)))
			if err == nil {
				err = join()
			}
			if err != nil {
				return nil, err
			}
		}
		return []float64{quantile(took, 0.5)}, nil
	}
}
