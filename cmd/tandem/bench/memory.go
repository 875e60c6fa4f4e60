package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

var pid = tandem.NewTask("pid", func(context.Context, struct{}) (int, error) { return os.Getpid(), nil })

// idleWorker is the memory of a worker that has run one call.
func idleWorker(ctx context.Context) (func(time.Duration) ([]float64, error), func() error, error) {
	pool := &process.Pool{Workers: 1}
	id, err := pid.On(pool).Call(ctx, struct{}{})
	if err != nil {
		pool.Close()
		return nil, nil, err
	}
	return weigh(id), pool.Close, nil
}

// idleChild is that of a bare child of the same binary that has run none.
func idleChild(ctx context.Context) (func(time.Duration) ([]float64, error), func() error, error) {
	p, err := startPeer(ctx)
	if err != nil {
		return nil, nil, err
	}
	return weigh(p.cmd.Process.Pid), p.Close, nil
}

func weigh(pid int) func(time.Duration) ([]float64, error) {
	return func(time.Duration) ([]float64, error) {
		n, err := proportional(pid)
		return []float64{float64(n)}, err
	}
}

// proportional is the proportional set size (PSS) of a process in bytes: pages
// that several map are divided among them.
func proportional(pid int) (bytes int64, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if errors.Is(err, os.ErrNotExist) {
		return 0, fmt.Errorf("no PSS: %w", errors.ErrUnsupported)
	}
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "Pss:"); ok {
			_, err := fmt.Sscan(value, &bytes)
			return bytes << 10, err
		}
	}
	return 0, fmt.Errorf("no PSS of process %d", pid)
}
