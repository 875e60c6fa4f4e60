package process_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// scribbling writes random bytes over all memory that its process shares with its
// parent, in random order, and goes on with it when it has returned. C code with a
// wild pointer does the same.
var scribbling = tandem.NewTask("scribbling", func(_ context.Context, seed uint64) (int, error) {
	r := rand.New(rand.NewPCG(seed, 3))
	if r.IntN(2) == 0 {
		go scribble(rand.New(rand.NewPCG(seed, 4)), 1000)
	} else {
		scribble(r, 1+r.IntN(20))
	}
	if r.IntN(4) == 0 {
		os.Exit(0)
	}
	return int(seed), nil
})

func scribble(r *rand.Rand, times int) {
	var files []*os.File
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		path := "/proc/self/fd/" + e.Name()
		if target, _ := os.Readlink(path); strings.HasPrefix(target, "/memfd:tandem") {
			if f, err := os.OpenFile(path, os.O_WRONLY, 0); err == nil {
				files = append(files, f)
			}
		}
	}
	garbage := make([]byte, 4096)
	for range times {
		for _, f := range files {
			info, err := f.Stat()
			if err != nil {
				continue
			}
			n := 1 + r.IntN(len(garbage))
			for i := range n {
				garbage[i] = byte(r.Uint32())
			}
			f.WriteAt(garbage[:n], r.Int64N(info.Size()))
			if r.IntN(3) == 0 { // all of it
				for at := int64(0); at < info.Size(); at += int64(len(garbage)) {
					f.WriteAt(garbage[:min(int64(len(garbage)), info.Size()-at)], at)
				}
			}
		}
	}
}

// TestScribblingWorkers: what a worker writes over the memory that it shares can fail
// the calls that are in it, and nothing else: each of them settles once, another
// pool of the same program does not notice, nothing hangs, nothing stays.
func TestScribblingWorkers(t *testing.T) {
	leaveNothing(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	good := &process.Pool{Workers: 1}
	closing(t, good)
	bad := &process.Pool{Workers: 2, Limits: tandem.Limits{Time: 100 * time.Millisecond, Grace: 10 * time.Millisecond}, Config: process.Config{Stderr: io.Discard}}
	defer bad.Close() // its error is the workers'; the test is about the calls

	stop := make(chan struct{})
	var others sync.WaitGroup
	var served atomic.Int64
	others.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			if got, err := double.On(good).Call(context.Background(), n); err != nil || got != 2*n {
				t.Errorf("another pool's double of %d: %d, %v", n, got, err)
				return
			}
			served.Add(1)
		}
	})
	var all sync.WaitGroup
	var failed atomic.Int64
	for caller := range uint64(4) {
		all.Go(func() {
			for i := range uint64(scribblers / 4) {
				own := seed + caller*scribblers + i
				_, err := scribbling.On(bad).Call(context.Background(), own) // its value may be scribbled too
				var crash *tandem.CrashError
				switch {
				case err == nil:
				case errors.As(err, &crash), errors.Is(err, tandem.ErrMalformed), errors.Is(err, tandem.ErrTimeout):
					failed.Add(1)
				default:
					t.Errorf("a scribbling call: %v", err)
				}
			}
		})
	}
	all.Wait()
	close(stop)
	others.Wait()
	t.Logf("%d of %d calls failed, %d workers were lost, %d calls of another pool served", failed.Load(), scribblers, bad.Stats().Ended, served.Load())
	if bad.Stats().Ended == 0 || served.Load() == 0 {
		t.Errorf("nothing was tested: %+v, %d served", bad.Stats(), served.Load())
	}
}
