//go:build linux

package shared_test

import (
	"context"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/tandem-go/tandem/process"
)

var (
	_ = scene("take many", func(ctx context.Context, c cast) (n int, err error) {
		into := make([]ware, 512)
		for {
			k, err := c.Line.GetSome(ctx, into)
			if err == io.EOF {
				return n, nil
			}
			if err != nil {
				return n, err
			}
			n += k
		}
	})
	_ = scene("take one by one", func(ctx context.Context, c cast) (n int, err error) {
		for _, err := range c.Line.All(ctx) {
			if err != nil {
				return n, err
			}
			n++
		}
		return n, nil
	})
	_ = scene("pass on", func(ctx context.Context, c cast) (n int, err error) {
		for ; ; n++ {
			s, err := c.Words.Get(ctx)
			if err != nil {
				return n, nil
			}
			if err := c.Line.Put(ctx, ware{N: len(s)}); err != nil {
				return n, err
			}
		}
	})
)

// BenchmarkQueue: items of 64 bytes from this process to another. The consumer has
// all of them when the time ends.
func BenchmarkQueue(b *testing.B) {
	run := func(role string, capacity int, f func(c cast, n int)) func(b *testing.B) {
		return func(b *testing.B) {
			b.ReportAllocs()
			c := cast{Role: role, Line: newLine(b, capacity)}
			h, err := process.Start(background, process.Config{}, act, c)
			if err != nil {
				b.Fatal(err)
			}
			f(c, 1)
			for c.Line.Len() > 0 {
			}
			b.ResetTimer()
			f(c, b.N)
			c.Line.CloseSend()
			if n, err := h.Result(background); n != b.N+1 || err != nil {
				b.Fatal(n, err)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "Mitems/s")
		}
	}
	many := make([]ware, 512)
	b.Run("many", run("take many", 8192, func(c cast, n int) {
		for ; n > 0; n -= len(many) {
			if _, err := c.Line.PutAll(background, many[:min(n, len(many))]); err != nil {
				b.Fatal(err)
			}
		}
	}))
	b.Run("one-by-one", run("take one by one", 8192, func(c cast, n int) {
		for range n {
			if err := c.Line.Put(background, many[0]); err != nil {
				b.Fatal(err)
			}
		}
	}))
	b.Run("python", pythonQueue)
	b.Run("there-and-back", func(b *testing.B) {
		b.ReportAllocs()
		c := cast{Role: "pass on", Line: newLine(b, 8), Words: newWords(b, 8, 100)}
		h, err := process.Start(background, process.Config{}, act, c)
		if err != nil {
			b.Fatal(err)
		}
		turn := func() {
			if err := c.Words.Put(background, "x"); err != nil {
				b.Fatal(err)
			}
			if _, err := c.Line.Get(background); err != nil {
				b.Fatal(err)
			}
		}
		turn()
		for b.Loop() {
			turn()
		}
		c.Words.CloseSend()
		<-h.Done()
	})
}

// pythonQueue is the rival: multiprocessing.Queue, items of 64 bytes, two processes.
func pythonQueue(b *testing.B) {
	const program = `
import multiprocessing as mp, sys, time
def consume(q, done):
    while q.get() is not None: pass
    done.put(1)
if __name__ == "__main__":
    n = int(sys.argv[1])
    q, done = mp.Queue(8192), mp.Queue()
    p = mp.get_context("fork").Process(target=consume, args=(q, done)); p.start()
    begun = time.perf_counter()
    for i in range(n): q.put(b"x" * 64)
    q.put(None)
    done.get()
    print(int((time.perf_counter() - begun) * 1e9)); p.join()
`
	const n = 50000 // whatever b.N is: it prints its own time
	out, err := exec.Command("python3", "-c", program, strconv.Itoa(n)).Output()
	if err != nil {
		b.Skip("no python3 here")
	}
	ns, err := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(n/float64(ns)*1e3, "Mitems/s")
}
