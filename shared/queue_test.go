//go:build linux

package shared_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/shared"
)

// ware is an item of 64 bytes.
type ware struct {
	From, N int
	_       [48]byte
}

func newLine(t testing.TB, n int) *shared.Queue[ware] {
	return open[*shared.Queue[ware]](t)(shared.NewQueue[ware](n))
}

func newWords(t testing.TB, n, bytes int) *shared.Queue[string] {
	return open[*shared.Queue[string]](t)(shared.NewQueueSize[string](n, bytes))
}

// A word of a test names its producer and its number, and is as long as its number
// says.
func word(from, n int) string { return fmt.Sprintf("%d %d %s", from, n, strings.Repeat("x", n%97)) }

var (
	_ = scene("produce", func(ctx context.Context, c cast) (int, error) {
		from := c.N
		var wares []ware
		for n := range 3000 {
			if err := c.Words.Put(ctx, word(from, n)); err != nil {
				return 0, err
			}
			wares = append(wares, ware{From: from, N: n})
			if n%3 == 0 {
				if err := c.Line.Put(ctx, wares[0]); err != nil {
					return 0, err
				}
				if n, err := c.Line.PutAll(ctx, wares[1:]); err != nil || n != len(wares)-1 {
					return 0, fmt.Errorf("%d of %d, %w", n, len(wares)-1, err)
				}
				wares = wares[:0]
			}
		}
		_, err := c.Line.PutAll(ctx, wares)
		return 0, err
	})
	_ = scene("consume wares", func(ctx context.Context, c cast) (n int, err error) {
		last := map[int]int{}
		into := make([]ware, 20)
		for {
			k, err := c.Line.GetSome(ctx, into[:1+n%20])
			if err == io.EOF {
				return n, nil
			}
			if err != nil {
				return n, err
			}
			for _, w := range into[:k] {
				if before, ok := last[w.From]; ok && w.N <= before {
					return n, fmt.Errorf("%d of %d came after %d", w.N, w.From, before)
				}
				last[w.From] = w.N
			}
			n += k
		}
	})
	_ = scene("consume words", func(ctx context.Context, c cast) (n int, err error) {
		last := map[int]int{}
		for s, err := range c.Words.All(ctx) {
			if err != nil {
				return n, err
			}
			var from, k int
			fmt.Sscan(s, &from, &k)
			if before, ok := last[from]; s != word(from, k) || ok && k <= before {
				return n, fmt.Errorf("%q came after %d", s, before)
			}
			last[from] = k
			n++
		}
		return n, nil
	})
)

// TestQueue: of many producers and consumers, everything arrives once, and what one
// producer put in its order.
func TestQueue(t *testing.T) {
	for _, capacity := range []int{1, 7, 1000} {
		t.Run(fmt.Sprint(capacity), func(t *testing.T) {
			everywhere(t, 6, func(t *testing.T, place tandem.Runner) {
				c := cast{Line: newLine(t, capacity), Words: newWords(t, capacity, 256)}
				var producers, wares, words []*tandem.Future[int]
				for i := range 2 {
					c.Role, c.N = "produce", i
					producers = append(producers, act.On(place).Go(soon(t), c))
					c.Role = "consume wares"
					wares = append(wares, act.On(place).Go(soon(t), c))
					c.Role = "consume words"
					words = append(words, act.On(place).Go(soon(t), c))
				}
				waitAll(t, producers)
				c.Line.CloseSend()
				c.Words.CloseSend()
				for what, futures := range map[string][]*tandem.Future[int]{"wares": wares, "words": words} {
					sum := 0
					for _, n := range waitAll(t, futures) {
						sum += n
					}
					if sum != 6000 {
						t.Errorf("6000 %s were put, %d came", what, sum)
					}
				}
			})
		})
	}
}

func TestQueueShape(t *testing.T) {
	q := open[*shared.Queue[string]](t)(shared.NewQueue[string](2))
	ended, cancel := cancelled()
	defer cancel()
	if q.Len() != 0 || q.Cap() != 2 {
		t.Errorf("a new queue has %d of %d", q.Len(), q.Cap())
	}
	if _, ok, err := q.TryGet(); ok || err != nil {
		t.Errorf("TryGet of an empty queue: %v, %v", ok, err)
	}
	if _, err := q.Get(ended); err != errCause {
		t.Errorf("Get with an ended context: %v", err)
	}
	if n, err := q.GetSome(ended, nil); n != 0 || err != nil {
		t.Errorf("GetSome of nothing: %d, %v", n, err)
	}
	if _, err := q.Get(nil); err == nil || !strings.Contains(err.Error(), "context is nil") {
		t.Errorf("Get with a nil context: %v", err)
	}
	other, err := travel(q)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := other.Put(ended, "a"); err != nil {
		t.Errorf("Put where there is room looked at its context: %v", err)
	}
	if ok, err := q.TryPut("b"); !ok || err != nil {
		t.Errorf("TryPut: %v, %v", ok, err)
	}
	if ok, err := q.TryPut("c"); ok || err != nil {
		t.Errorf("TryPut into a full queue: %v, %v", ok, err)
	}
	if err := q.Put(ended, "c"); err != errCause {
		t.Errorf("Put into a full queue with an ended context: %v", err)
	}
	if n, err := q.PutAll(ended, []string{"c", "d"}); n != 0 || err != errCause {
		t.Errorf("PutAll into a full queue: %d, %v", n, err)
	}
	waits := make(chan error)
	go func() { waits <- q.Put(background, "c") }()
	until(t, "one waits", func() bool { return q.Waiting() == 1 })
	if err := errors.Join(other.CloseSend(), q.CloseSend()); err != nil {
		t.Error(err)
	}
	if err := <-waits; err != shared.ErrSendClosed {
		t.Errorf("Put that waited at CloseSend: %v", err)
	}
	if err := q.Put(background, "c"); err != shared.ErrSendClosed {
		t.Errorf("Put after CloseSend: %v", err)
	}
	if s, err := q.Get(ended); s != "a" || err != nil {
		t.Errorf("Get: %q, %v", s, err)
	}
	into := make([]string, 5)
	if n, err := q.GetSome(ended, into); n != 1 || into[0] != "b" || err != nil {
		t.Errorf("GetSome: %d, %q, %v", n, into[0], err)
	}
	if s, err := q.Get(background); s != "" || err != io.EOF {
		t.Errorf("Get at the end: %q, %v", s, err)
	}
	if _, ok, err := other.TryGet(); ok || err != io.EOF {
		t.Errorf("TryGet at the end: %v, %v", ok, err)
	}
	q.Close()
	_, err = q.Get(background)
	for what, err := range map[string]error{"Get": err, "Put": q.Put(background, ""), "Join": q.Join(background), "TaskDone": q.TaskDone(), "CloseSend": q.CloseSend()} {
		if !errors.Is(err, tandem.ErrClosed) {
			t.Errorf("%s of a closed queue: %v", what, err)
		}
	}
}

// TestQueueTypes: what cannot be in a queue is refused when it is made.
func TestQueueTypes(t *testing.T) {
	for name, try := range map[string]struct {
		make func() error
		says string
	}{
		"shared things": {queueOf[struct{ Deep []*shared.Mutex }], "field Deep"},
		"files":         {queueOf[map[string]*os.File], "it has a descriptor"},
		"functions":     {queueOf[func()], "func"},
	} {
		if err := try.make(); err == nil || !strings.Contains(err.Error(), try.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, err := range []error{queueOf[struct{}](), queueOf[[]byte](), queueOf[map[string]any](), queueOf[struct{ B bool }]()} {
		if err != nil {
			t.Error(err)
		}
	}
	for _, n := range []int{0, -1, 1 << 31} {
		if _, err := shared.NewQueue[int](n); err == nil {
			t.Errorf("a queue of %d was made", n)
		}
	}
	if _, err := shared.NewQueueSize[string](1, -1); err == nil {
		t.Error("a queue of -1 bytes was made")
	}
	q := newWords(t, 10, 100)
	if err := q.Put(background, strings.Repeat("x", 200)); err == nil || !strings.Contains(err.Error(), "NewQueueSize") {
		t.Errorf("an item that can never be in it: %v", err)
	}
}

func queueOf[T any]() error {
	q, err := shared.NewQueue[T](3)
	if err != nil {
		return err
	}
	defer q.Close()
	if err := q.Put(background, *new(T)); err != nil {
		return err
	}
	_, err = q.Get(background)
	return err
}

// TestQueueOrder: in a process those who wait are served in their order, and a large
// item is not overtaken by small ones behind it.
func TestQueueOrder(t *testing.T) {
	q := newWords(t, 100, 128)
	q.Put(background, strings.Repeat("a", 100))
	got := make(chan error)
	for i, s := range []string{strings.Repeat("b", 100), "c", "d"} {
		go func() { got <- q.Put(background, s) }()
		until(t, "one more waits", func() bool { return q.Waiting() == i+1 })
	}
	if ok, _ := q.TryPut("e"); ok {
		t.Error("TryPut overtook")
	}
	all := ""
	for range 4 {
		s, err := q.Get(soon(t))
		if err != nil {
			t.Fatal(err)
		}
		all += s[:1]
	}
	for range 3 {
		if err := <-got; err != nil {
			t.Error(err)
		}
	}
	if all != "abcd" {
		t.Errorf("came as %s", all)
	}
}

// TestQueueChan: items come through a channel in their order; the one that nobody
// received when the context ends is in front again.
func TestQueueChan(t *testing.T) {
	q := newLine(t, 3)
	ctx, cancel := context.WithCancel(background)
	ch := q.Chan(ctx)
	put := func(n int) {
		if err := q.Put(soon(t), ware{N: n}); err != nil {
			t.Fatal(err)
		}
	}
	put(0)
	select {
	case w := <-ch:
		if w.N != 0 {
			t.Errorf("got %d", w.N)
		}
	case <-soon(t).Done():
		t.Fatal("nothing came")
	}
	put(1)
	until(t, "it has one in its hands", func() bool { return q.Len() == 0 })
	for n := 2; n < 5; n++ {
		put(n)
	}
	cancel()
	until(t, "the channel is closed", func() bool {
		select {
		case w, open := <-ch:
			if open {
				t.Fatalf("got %d after the end", w.N)
			}
			return true
		default:
			return false
		}
	})
	// The queue is full, so the item waits for room.
	until(t, "it waits for room", func() bool { return q.Waiting() == 1 })
	var came []int
	for i := range 4 {
		w, err := q.Get(soon(t))
		if err != nil {
			t.Fatal(err)
		}
		came = append(came, w.N)
		if i == 0 {
			until(t, "it is back", func() bool { return q.Len() == 3 })
		}
	}
	if want := []int{2, 1, 3, 4}; !slices.Equal(came, want) {
		t.Errorf("came %v, want %v", came, want)
	}
	q.CloseSend()
	if w, open := <-q.Chan(background); open {
		t.Errorf("%v came at the end", w)
	}
}
