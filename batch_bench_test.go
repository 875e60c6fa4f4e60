package tandem_test

import (
	"context"
	"iter"
	"sync"
	"testing"

	"github.com/tandem-go/tandem"
)

// loopback is a place that does all that a process pool does for a batch, except
// for the process: it encodes, executes in its own goroutine, and decodes.
type loopback struct {
	tandem.Runner
	most int // items of a chunk
}

func (p loopback) RunBatch(ctx context.Context, b *tandem.Batch) {
	input, output := make([]byte, 0, 64<<10), make([]byte, 0, 64<<10)
	b.Reach(8 * p.most)
	for c := b.Next(p.most); c != nil; c = b.Next(p.most) {
		for from := 0; from < c.Len(); {
			in, n := c.AppendInputs(from, p.most, cap(input), input)
			if n == 0 {
				c.Settle(from, p.Run(ctx, c.Job(from)))
				from++
				continue
			}
			it := tandem.Items{N: n, In: in, Out: output, Begin: func(int, []byte) bool { return true }}
			if err := tandem.ExecuteItems(ctx, c.Spec(), &it); err != nil || it.Done != n {
				panic(err)
			}
			if settled, _, _, err := c.SetOutputs(from, n, it.Out); settled != n {
				panic(err)
			}
			from += n
		}
	}
}

var (
	inc    = tandem.NewTask("inc", func(_ context.Context, n int) (int, error) { return n + 1, nil })
	length = tandem.NewTask("length", func(_ context.Context, s string) (int, error) { return len(s), nil })
)

func upTo(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

// BenchmarkMap is the whole way of a small task but for the process: one operation
// is one item.
func BenchmarkMap(b *testing.B) {
	batches := loopback{tandem.Inline, 512}
	b.Run("int", func(b *testing.B) {
		b.ReportAllocs()
		want := 0
		for out, err := range inc.On(batches).Map(b.Context(), upTo(b.N)) {
			if want++; out != want || err != nil {
				b.Fatal(out, err)
			}
		}
	})
	b.Run("int, unordered", func(b *testing.B) {
		b.ReportAllocs()
		for it := range inc.On(batches).Unordered(b.Context(), upTo(b.N)) {
			if it.Out != it.In+1 {
				b.Fatal(it)
			}
		}
	})
	b.Run("int, all", func(b *testing.B) {
		b.ReportAllocs()
		if _, err := inc.On(batches).All(b.Context(), make([]int, b.N)); err != nil {
			b.Fatal(err)
		}
	})
	b.Run("string", func(b *testing.B) {
		b.ReportAllocs()
		for _, err := range length.On(batches).Map(b.Context(), func(yield func(string) bool) {
			for range b.N {
				if !yield("a short one") {
					return
				}
			}
		}) {
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	// The naive rival: a goroutine that runs, and two channels.
	b.Run("channels", func(b *testing.B) {
		b.ReportAllocs()
		in, out := make(chan int, 1024), make(chan int, 1024)
		var wg sync.WaitGroup
		wg.Go(func() {
			for i := range b.N {
				in <- i
			}
			close(in)
		})
		wg.Go(func() {
			for n := range in {
				out <- n + 1
			}
			close(out)
		})
		for range out {
		}
		wg.Wait()
	})
	b.Run("execute", func(b *testing.B) {
		place, seq := whole(takes{tandem.Inline, 512, func(c *tandem.Chunk) {
			in, n := c.AppendInputs(0, 512, 64<<10, nil)
			it := tandem.Items{Out: make([]byte, 0, 64<<10), Begin: always}
			for left := b.N; left > 0; left -= it.Done {
				it.N, it.In, it.Out, it.Done = min(n, left), in, it.Out[:0], 0
				if err := tandem.ExecuteItems(b.Context(), c.Spec(), &it); err != nil {
					b.Fatal(err)
				}
			}
			for i := range n {
				c.Settle(i, nil)
			}
		}}, make([]int, 512))
		count(inc.On(place).Window(513).Map(b.Context(), seq))
	})
	b.Run("one by one", func(b *testing.B) {
		b.ReportAllocs()
		for _, err := range inc.On(tandem.Inline).Map(b.Context(), upTo(b.N)) {
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}
