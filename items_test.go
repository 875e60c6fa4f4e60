package tandem_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/tandem-go/tandem"
)

// moody does to its goroutine what its argument says; "word" becomes "WORD".
var moody = tandem.NewTask("moody", func(_ context.Context, s string) (string, error) {
	switch s {
	case "fail":
		return "", os.ErrNotExist
	case "panic":
		panic("moody")
	case "goexit":
		runtime.Goexit()
	}
	return strings.ToUpper(s), nil
})

var opens = tandem.NewTask("opens", func(_ context.Context, name string) (*os.File, error) { return os.Open(name) })

// takes is a place that gives its chunks to a function.
type takes struct {
	tandem.Runner
	most int
	f    func(c *tandem.Chunk)
}

func (p takes) RunBatch(_ context.Context, b *tandem.Batch) {
	for c := b.Next(p.most); c != nil; c = b.Next(p.most) {
		p.f(c)
	}
}

// whole makes a sequence that is read whole before the place begins: its chunks
// have the lengths that the place asks for.
func whole[T any](p takes, list []T) (tandem.Runner, func(func(T) bool)) {
	read := make(chan struct{})
	return gated{p, read}, func(yield func(T) bool) {
		defer close(read)
		for _, v := range list {
			if !yield(v) {
				return
			}
		}
	}
}

type gated struct {
	takes
	read chan struct{}
}

func (p gated) RunBatch(ctx context.Context, b *tandem.Batch) {
	select {
	case <-p.read:
	case <-ctx.Done():
	}
	p.takes.RunBatch(ctx, b)
}

// execute runs items from… of c in a goroutine of its own, which may be ended.
func execute(c *tandem.Chunk, it *tandem.Items) (err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		err = tandem.ExecuteItems(context.Background(), c.Spec(), it)
	}()
	<-done
	return err
}

func always(int, []byte) bool { return true }

// outcomes runs moody over words, in one chunk, as far as f says, and lists what
// became of them.
func outcomes(t *testing.T, words []string, f func(c *tandem.Chunk)) (got []string) {
	t.Helper()
	place, seq := whole(takes{tandem.Inline, len(words), f}, words)
	for out, err := range moody.On(place).Window(len(words)+1).Map(t.Context(), seq) {
		if err != nil {
			out = "error"
			var p *tandem.PanicError
			switch {
			case errors.As(err, &p):
				out = p.Value
			case errors.Is(err, os.ErrNotExist):
				out = "none"
			case errors.Is(err, tandem.ErrTooLarge):
				out = "large"
			}
		}
		got = append(got, out)
	}
	return got
}

func wantAll(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("outcomes\n%q, want\n%q", got, want)
	}
}

// Whatever happens in one item of a chunk is its own outcome.
func TestItemsThatFail(t *testing.T) {
	words := []string{"a", "fail", "b", "panic", "panic", "c", "goexit", "d", "fail"}
	goroutines := 0
	got := outcomes(t, words, func(c *tandem.Chunk) {
		if c.Len() != len(words) {
			t.Errorf("a chunk of %d, want all that was read", c.Len())
		}
		in, n := c.AppendInputs(0, c.Len(), 1<<10, nil)
		it := tandem.Items{N: n, In: in, Out: make([]byte, 0, 64<<10), Begin: always}
		for ; it.Done < n; goroutines++ {
			if err := execute(c, &it); err != nil {
				t.Error(err)
			}
		}
		settled, failed, rest, err := c.SetOutputs(0, n, it.Out)
		if failed != 5 {
			t.Errorf("%d of the items have failed, want 5", failed)
		}
		if settled != n || len(rest) != 0 || err != nil {
			t.Errorf("settled %d of %d, %d bytes left, %v", settled, n, len(rest), err)
		}
	})
	wantAll(t, got, "A", "none", "B", "moody", "moody", "C", "runtime.Goexit called", "D", "none")
	if goroutines != 2 {
		t.Errorf("%d goroutines were needed, want 2: only Goexit ends one", goroutines)
	}
}

// A run stops where it is told to, and where an outcome does not fit; it can go on.
func TestItemsThatStop(t *testing.T) {
	words := []string{"a", "b", strings.Repeat("long", 20), "c", "panic", "d"}
	var stops []string
	got := outcomes(t, words, func(c *tandem.Chunk) {
		in, n := c.AppendInputs(0, c.Len(), 1<<10, nil)
		it := tandem.Items{N: n, In: in}
		told := false
		for from := 0; from < n; from = it.Done {
			it.Out, it.Over = make([]byte, 0, 40), nil
			it.Begin = func(i int, out []byte) bool {
				if i != 1 || told {
					return true
				}
				if told = true; len(out) == 0 {
					t.Error("Begin does not see the outcome of item 0")
				}
				return false
			}
			if err := execute(c, &it); err != nil {
				t.Error(err)
			}
			alone := 0
			if it.Over != nil {
				alone = 1
			}
			if cap(it.Out) != 40 {
				t.Error("the outcomes have moved")
			}
			settled, _, rest, err := c.SetOutputs(from, it.Done-alone-from, it.Out)
			if err != nil || len(rest) > 0 {
				t.Errorf("settled %d, %d bytes left, %v", settled, len(rest), err)
			}
			if alone == 1 {
				i := it.Done - 1
				c.Settle(i, c.Job(i).SetOutput(it.Over, &it.Handles))
			}
			stops = append(stops, fmt.Sprint(settled, "+", alone))
		}
	})
	wantAll(t, got, "A", "B", strings.Repeat("LONG", 20), "C", "moody", "D")
	wantAll(t, stops, "1+0", "1+1", "1+1", "1+0")
}

func TestItemsLimitOutput(t *testing.T) {
	words := []string{"short", "much longer"}
	place, seq := whole(takes{tandem.Inline, 2, func(c *tandem.Chunk) {
		in, n := c.AppendInputs(0, 2, 1<<10, nil)
		it := tandem.Items{N: n, In: in, Out: make([]byte, 0, 1<<10), Begin: always}
		spec := c.Spec() // as it would arrive at the far side
		if err := tandem.ExecuteItems(t.Context(), spec, &it); err != nil {
			t.Error(err)
		}
		c.SetOutputs(0, n, it.Out)
	}}, words)
	var got []string
	for out, err := range moody.On(place).Limit(tandem.Limits{Output: 8}).Window(9).Map(t.Context(), seq) {
		got = append(got, fmt.Sprint(out, errors.Is(err, tandem.ErrTooLarge)))
	}
	wantAll(t, got, "SHORTfalse", "true")
}

// A result with descriptors goes alone.
func TestItemsWithFiles(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no descriptors travel here")
	}
	place, seq := whole(takes{tandem.Inline, 3, func(c *tandem.Chunk) {
		in, n := c.AppendInputs(0, 3, 1<<10, nil)
		it := tandem.Items{N: n, In: in, Out: make([]byte, 0, 1<<10), Begin: always}
		for it.Done < n {
			from := it.Done
			it.Out, it.Over = it.Out[:0], nil
			if err := tandem.ExecuteItems(t.Context(), c.Spec(), &it); err != nil {
				t.Fatal(err)
			}
			if it.Over == nil {
				c.SetOutputs(from, it.Done-from, it.Out)
				continue
			}
			c.SetOutputs(from, it.Done-1-from, it.Out)
			var arrived tandem.Handles
			if err := arrived.Duplicate(&it.Handles); err != nil {
				t.Fatal(err)
			}
			c.Settle(it.Done-1, c.Job(it.Done-1).SetOutput(it.Over, &arrived))
			for _, f := range it.Handles.Files() {
				f.Close() // the task's, which has been sent
			}
			it.Handles.Close()
		}
	}}, []string{os.DevNull, "/not there", os.DevNull})
	var got []string
	for f, err := range opens.On(place).Window(9).Map(t.Context(), seq) {
		got = append(got, fmt.Sprint(f != nil, errors.Is(err, os.ErrNotExist)))
		if f != nil {
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	wantAll(t, got, "true false", "false true", "true false")
}

// Inputs that do not fit are left out; so are those that need a way of their own.
func TestAppendInputs(t *testing.T) {
	words := []string{"123456789", "123456789", strings.Repeat("x", 100), "1"}
	outcomes(t, words, func(c *tandem.Chunk) {
		for _, want := range []struct{ from, most, room, n, bytes int }{
			{0, 4, 1000, 4, 123},
			{0, 4, 20, 2, 20},
			{0, 4, 19, 1, 10},
			{0, 1, 1000, 1, 10},
			{2, 4, 100, 0, 0},
			{3, 4, 2, 1, 2},
			{0, 0, 1000, 0, 0},
		} {
			dst := make([]byte, 3, 3+want.room)
			out, n := c.AppendInputs(want.from, want.most, want.room, dst)
			if n != want.n || len(out) != 3+want.bytes || &out[0] != &dst[0] {
				t.Errorf("%+v: %d items, %d bytes, in place: %v", want, n, len(out)-3, &out[0] == &dst[0])
			}
		}
		for i := range c.Len() {
			c.Settle(i, c.Job(i).Invoke(t.Context()))
		}
	})
	place, seq := whole(takes{tandem.Inline, 3, func(c *tandem.Chunk) {
		if out, n := c.AppendInputs(0, 3, 20, nil); n != 2 || len(out) != 16 {
			t.Errorf("%d numbers in %d bytes, want 2 in 16", n, len(out))
		}
		for i := range c.Len() {
			c.Settle(i, nil)
		}
	}}, []int{1, 2, 3})
	if n := count(inc.On(place).Window(9).Map(t.Context(), seq)); n != 3 {
		t.Errorf("%d outcomes", n)
	}
}

func count(seq func(func(int, error) bool)) (n int) {
	for range seq {
		n++
	}
	return n
}

// What a worker writes settles only what it is an outcome of.
func TestHostileOutputs(t *testing.T) {
	good := func(c *tandem.Chunk) []byte {
		in, n := c.AppendInputs(0, 3, 1<<10, nil)
		it := tandem.Items{N: n, In: in, Out: make([]byte, 0, 1<<10), Begin: always}
		if err := tandem.ExecuteItems(t.Context(), c.Spec(), &it); err != nil {
			t.Fatal(err)
		}
		return it.Out
	}
	for name, spoil := range map[string]func([]byte) []byte{
		"cut":        func(b []byte) []byte { return b[:len(b)-1] },
		"nothing":    func([]byte) []byte { return nil },
		"kind":       func(b []byte) []byte { b[3] = 7; return b },
		"long value": func(b []byte) []byte { b[4] = 200; return b },
		"long error": func(b []byte) []byte {
			return append(b[:3], 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1)
		},
		"no error":     func(b []byte) []byte { return append(b[:3], 2, 1, 0) },
		"endless size": func(b []byte) []byte { return append(b[:3], 2, 0x80) },
	} {
		ran := 0
		outcomes(t, []string{"a", "b", "c"}, func(c *tandem.Chunk) {
			ran++
			settled, _, _, err := c.SetOutputs(0, 3, spoil(good(c)))
			if settled == 3 || !errors.Is(err, tandem.ErrMalformed) {
				t.Errorf("%s: settled %d, %v", name, settled, err)
			}
			for i := settled; i < 3; i++ {
				c.Settle(i, err)
			}
		})
		if ran != 1 {
			t.Errorf("%s: %d chunks", name, ran)
		}
	}
}

// A task that was asked to stop settles with the cause, unless it has a value.
func TestStopped(t *testing.T) {
	cause := errors.New("asked")
	place, seq := whole(takes{tandem.Inline, 1, func(c *tandem.Chunk) {
		in, n := c.AppendInputs(0, 1, 1<<10, nil)
		it := tandem.Items{N: n, In: in, Out: make([]byte, 0, 1<<10), Begin: always}
		if err := tandem.ExecuteItems(t.Context(), c.Spec(), &it); err != nil {
			t.Error(err)
		}
		if failed, err := c.Stopped(0, it.Out, cause); failed != (string(in[1:]) == "fail") || err != nil {
			t.Errorf("%q failed: %v, %v", in[1:], failed, err)
		}
	}}, []string{"a", "fail"})
	var got []string
	for out, err := range moody.On(place).Window(9).Map(t.Context(), seq) {
		got = append(got, fmt.Sprint(out, err == cause))
	}
	wantAll(t, got, "Afalse", "true")
}

// A program that does not know the task, or gets nonsense, starts nothing.
func TestItemsUnstarted(t *testing.T) {
	outcomes(t, []string{"a", "b"}, func(c *tandem.Chunk) {
		in, n := c.AppendInputs(0, 2, 1<<10, nil)
		it := tandem.Items{N: n, In: in[:len(in)-1], Out: make([]byte, 0, 1<<10), Begin: always}
		if err := tandem.ExecuteItems(t.Context(), c.Spec(), &it); err == nil || it.Done != 1 {
			t.Errorf("a cut input: %v, %d done, want an error after the first", err, it.Done)
		}
		c.SetOutputs(0, 1, it.Out)
		c.Settle(1, os.ErrNotExist)
		spec := c.Spec()
		spec.Schema++
		if err := tandem.ExecuteItems(t.Context(), spec, &it); err == nil || it.Done != 1 {
			t.Errorf("another schema: %v, %d done", err, it.Done)
		}
	})
}

func TestSettledTwice(t *testing.T) {
	outcomes(t, []string{"a"}, func(c *tandem.Chunk) {
		c.Settle(0, os.ErrNotExist)
		if text := panicOf(func() { c.Settle(0, nil) }); text == "" {
			t.Error("a second settlement passes")
		}
	})
}

// A place that breaks its promise is found, and does not hang the loop.
func TestPlaceThatLeaves(t *testing.T) {
	for out, err := range moody.On(leaves{tandem.Inline}).Map(t.Context(), slices.Values([]string{"a", "b", "c"})) {
		if err == nil {
			t.Errorf("an input that was not run yields %q", out)
		}
	}
	place, seq := whole(takes{tandem.Inline, 2, func(*tandem.Chunk) {}}, []string{"a", "b"})
	if text := panicOf(func() {
		for range moody.On(place).Window(9).Map(context.Background(), seq) {
		}
	}); !strings.Contains(text, "2 inputs are unsettled") {
		t.Errorf("a place that forgets: panic %q", text)
	}
}

type leaves struct{ tandem.Runner }

func (leaves) RunBatch(context.Context, *tandem.Batch) {}

// Two goroutines settle the two parts of a chunk that was cut, each its own.
func TestSplit(t *testing.T) {
	place, seq := whole(takes{tandem.Inline, 9, func(c *tandem.Chunk) {
		rest := c.Split(2)
		if c.Len() != 2 || rest.Len() != 7 {
			t.Errorf("9 items were cut into %d and %d", c.Len(), rest.Len())
		}
		settled := make(chan struct{})
		go func() {
			defer close(settled)
			for i := range rest.Len() {
				rest.Settle(i, rest.Job(i).Invoke(t.Context()))
			}
		}()
		for i := range c.Len() {
			c.Settle(i, c.Job(i).Invoke(t.Context()))
		}
		<-settled
	}}, []string{"a", "b", "c", "fail", "e", "f", "g", "h", "fail"})
	var got []string
	for out, err := range moody.On(place).Window(99).Map(t.Context(), seq) {
		got = append(got, fmt.Sprint(out, err != nil))
	}
	wantAll(t, got, "Afalse", "Bfalse", "Cfalse", "true", "Efalse", "Ffalse", "Gfalse", "Hfalse", "true")
}

var wide = tandem.NewTask("wide", func(_ context.Context, n int32) (int64, error) { return int64(n), nil })

// fitting is a place that asks how much fits before it takes anything.
type fitting struct {
	gated
	ask func(b *tandem.Batch)
}

func (p fitting) RunBatch(ctx context.Context, b *tandem.Batch) {
	p.ask(b)
	p.gated.RunBatch(ctx, b)
}

// TestFit: what Fit says fits, with what comes of it; where sizes vary it says so.
func TestFit(t *testing.T) {
	numbers := make([]int32, 300)
	for room := 1; room < 2000; room += 97 {
		fit := 0
		place, seq := whole(takes{tandem.Inline, len(numbers), func(c *tandem.Chunk) {
			in, n := c.AppendInputs(0, min(fit, c.Len()), room, nil)
			it := tandem.Items{N: n, In: in, Out: make([]byte, 0, room), Begin: always}
			if err := execute(c, &it); room > 9 && (n < min(fit, c.Len()) || it.Done < n || err != nil || it.Over != nil) {
				t.Errorf("room %d: %d of %d items fit, %d are done, %v", room, n, fit, it.Done, err)
			}
			for i := range c.Len() {
				c.Settle(i, nil)
			}
		}}, numbers)
		place = fitting{place.(gated), func(b *tandem.Batch) { fit = b.Fit(room) }}
		for range wide.On(place).Window(len(numbers)+1).Map(t.Context(), seq) {
		}
		if want := max(1, room/9); fit != want {
			t.Errorf("room %d: %d fit, want %d", room, fit, want)
		}
	}
	words := func(yield func(string) bool) { yield("a") }
	place := fitting{gated{takes{tandem.Inline, 1, func(c *tandem.Chunk) { c.Settle(0, nil) }}, closed()}, func(b *tandem.Batch) {
		if fit := b.Fit(100); fit != math.MaxInt {
			t.Errorf("%d words fit, which have no size", fit)
		}
	}}
	for range moody.On(place).Map(t.Context(), words) {
	}
}

func closed() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}
