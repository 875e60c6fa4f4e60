package tandem_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tandem-go/tandem"
)

// crowd is a place whose pullers take and settle in all ways at once.
type crowd struct {
	tandem.Runner
	pullers int
	reach   int
}

func (p crowd) RunBatch(ctx context.Context, b *tandem.Batch) {
	var wg sync.WaitGroup
	for k := range p.pullers {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(k), 1))
			for {
				b.Reach(r.IntN(p.reach))
				c := b.TryNext(1 + r.IntN(50))
				if c == nil {
					c = b.Next(1 + r.IntN(50))
				}
				if c == nil {
					return
				}
				p.settle(ctx, c, r)
			}
		})
	}
	wg.Wait()
}

func (p crowd) settle(ctx context.Context, c *tandem.Chunk, r *rand.Rand) {
	for from := 0; from < c.Len(); {
		if r.IntN(4) == 0 {
			c.Settle(from, p.Run(ctx, c.Job(from)))
			from++
			continue
		}
		in, n := c.AppendInputs(from, 1+r.IntN(20), 1<<10, nil)
		it := tandem.Items{N: n, In: in, Out: make([]byte, 0, 1<<10), Begin: always}
		if err := tandem.ExecuteItems(ctx, c.Spec(), &it); err != nil {
			panic(err)
		}
		settled, _, _, err := c.SetOutputs(from, n, it.Out)
		if err != nil {
			panic(err)
		}
		if from += settled; r.IntN(3) == 0 {
			runtime.Gosched()
		}
	}
}

// TestCrowd: whatever a place does, each input has one outcome, in order, and no
// more than the window is read ahead.
func TestCrowd(t *testing.T) {
	const n = 20000
	for _, window := range []int{0, 1, 2, 7, 100, 5000} {
		for _, pullers := range []int{1, 2, 5} {
			place := crowd{tandem.Inline, pullers, 200}
			var read atomic.Int64
			seq := func(yield func(int) bool) {
				for i := range n {
					if read.Add(1); !yield(i) {
						return
					}
				}
			}
			ahead := int64(window)
			if window == 0 {
				ahead = 200
			}
			name := fmt.Sprintf("window %d, %d pullers", window, pullers)
			next := 0
			for out, err := range inc.On(place).Window(window).Map(t.Context(), seq) {
				if next++; out != next || err != nil {
					t.Fatalf("%s: result %d is %d, %v", name, next-1, out, err)
				}
				if got := read.Load(); got > int64(next)+ahead {
					t.Fatalf("%s: %d were read when %d were yielded", name, got, next)
				}
			}
			if next != n {
				t.Fatalf("%s: %d results", name, next)
			}
			read.Store(0)
			seen := make([]bool, n)
			for it := range inc.On(place).Window(window).Unordered(t.Context(), seq) {
				if it.In != it.Index || it.Out != it.In+1 || seen[it.Index] {
					t.Fatalf("%s: item %+v, seen: %v", name, it, seen[it.Index])
				}
				seen[it.Index] = true
				if next++; next%97 == 0 && rand.IntN(40) == 0 {
					break
				}
			}
		}
	}
}

// TestReachIsBounded: a place cannot make an automatic window endless, nor widen
// one that the caller has set.
func TestReachIsBounded(t *testing.T) {
	for window, most := range map[int]int64{0: tandem.MaxWindow, 10: 10} {
		var read atomic.Int64
		full := make(chan struct{})
		place := reaching{tandem.Inline, full}
		yielded := int64(0)
		for range inc.On(place).Window(window).Map(t.Context(), func(yield func(int) bool) {
			for i := range 3 * tandem.MaxWindow {
				if read.Add(1) == most {
					close(full)
				}
				if !yield(i) {
					return
				}
			}
		}) {
			if yielded++; read.Load() > yielded+most {
				t.Fatalf("window %d: %d inputs read when %d were yielded, want at most %d ahead", window, read.Load(), yielded, most)
			}
		}
		if yielded != 3*tandem.MaxWindow {
			t.Errorf("window %d: %d outcomes", window, yielded)
		}
	}
}

// reaching runs nothing before as many inputs are read as it can get.
type reaching struct {
	tandem.Runner
	full chan struct{}
}

func (p reaching) RunBatch(ctx context.Context, b *tandem.Batch) {
	b.Reach(1 << 40)
	<-p.full
	loopback{p.Runner, 100}.RunBatch(ctx, b)
}

// TestMapAllocations: a long Map over a place that batches does not allocate for
// each item.
func TestMapAllocations(t *testing.T) {
	const n = 50000
	place := loopback{tandem.Inline, 512}
	per := testing.AllocsPerRun(3, func() {
		for range inc.On(place).Map(context.Background(), upTo(n)) {
		}
	}) / n
	if per > 0.1 {
		t.Errorf("%.3f allocations for an item, want at most 0.1", per)
	}
}

// resting is a place that looks at Rest before and after the end of the sequence.
type resting struct {
	tandem.Runner
	rests []int
	early bool // it was told of an end before there was one
}

func (p *resting) RunBatch(ctx context.Context, b *tandem.Batch) {
	c := b.Next(1)
	_, p.early = b.Rest() // the sequence waits until this item is settled
	for ; c != nil; c = b.Next(1) {
		c.Settle(0, p.Run(ctx, c.Job(0)))
		p.look(b)
	}
	p.look(b) // Next has seen the end
}

func (p *resting) look(b *tandem.Batch) {
	if n, ok := b.Rest(); ok {
		p.rests = append(p.rests, n)
	}
}

// TestRest: while the sequence may bring more nobody knows what is left; then it is what
// was read and not taken.
func TestRest(t *testing.T) {
	p := &resting{Runner: tandem.Inline}
	first := make(chan struct{})
	seq := func(yield func(int) bool) {
		for i := range 5 {
			if i == 1 {
				<-first
			}
			if !yield(i) {
				return
			}
		}
	}
	for v, err := range inc.On(p).Window(100).Map(t.Context(), seq) {
		if err != nil {
			t.Fatal(err)
		}
		if v == 1 {
			close(first)
		}
	}
	if p.early || len(p.rests) == 0 || p.rests[len(p.rests)-1] != 0 || !slices.IsSortedFunc(p.rests, func(a, b int) int { return b - a }) {
		t.Errorf("told of an end too early: %v; rests %v, want them to fall to 0", p.early, p.rests)
	}
}
