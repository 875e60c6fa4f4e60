package bench

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/tandem-go/tandem/course"
)

func TestShow(t *testing.T) {
	for _, c := range []struct {
		v    float64
		unit Unit
		want string
	}{
		{0.5, Nanoseconds, "0.50 ns"}, {12.34, Nanoseconds, "12.3 ns"}, {2512, Nanoseconds, "2.51 us"},
		{95_000, Nanoseconds, "95.0 us"}, {999_900, Nanoseconds, "1000 us"}, {3.2e9, Nanoseconds, "3.20 s"},
		{20, PerSecond, "20.0 /s"}, {412_345, PerSecond, "412 k/s"}, {12_300_000, PerSecond, "12.3 M/s"},
		{512, Bytes, "512 B"}, {2.5 * (1 << 20), Bytes, "2.50 MiB"},
	} {
		if got := show(&c.v, c.unit); got != c.want {
			t.Errorf("%v %s: %q, want %q", c.v, c.unit, got, c.want)
		}
	}
	for v, want := range map[float64]string{0: "0", 0.00186: "0.0019", 0.034: "0.034", 0.1: "0.10", 0.52: "0.52", 1: "1.00", 8.85: "8.85", 125: "125"} {
		if got := digits(v); got != want {
			t.Errorf("%v: %q, want %q", v, got, want)
		}
	}
}

// TestRow: a ratio is of costs, and what is not here has no value.
func TestRow(t *testing.T) {
	results := [][]float64{{10, 40}, {20}, nil}
	for _, c := range []struct {
		row  Row
		want string
	}{
		{Row{Name: "call", Unit: Nanoseconds, Rival: "pipes", theirs: figure{1, 0}}, "call                               10.0 ns   pipes               20.0 ns    0.50\n"},
		{Row{Name: "tail", Unit: Nanoseconds, Rival: "pipes", ours: figure{0, 1}, theirs: figure{1, 0}}, "tail                               40.0 ns   pipes               20.0 ns    2.00\n"},
		{Row{Name: "calls", Unit: PerSecond, Rival: "pipes", theirs: figure{1, 0}}, "calls                              10.0 /s   pipes               20.0 /s    2.00\n"},
		{Row{Name: "none", Unit: Bytes, Rival: "pipes", ours: figure{2, 0}, theirs: figure{1, 0}}, "none                              not here   pipes                20.0 B       -\n"},
	} {
		c.row.fill(results)
		if got := c.row.String(); got != c.want {
			t.Errorf("got\n%swant\n%s", got, c.want)
		}
	}
	for _, m := range measures {
		for _, r := range m.rows {
			if n := course.Width(strings.TrimSuffix(r.String(), "\n")); n > columns {
				t.Errorf("%s has %d columns", r.Name, n)
			}
		}
	}
}

// TestTurns: the median of the rounds after the first; who is not supported has
// none, and what was made is given back.
func TestTurns(t *testing.T) {
	ended := 0
	end := func() error { ended++; return nil }
	counting := func(context.Context) (func(time.Duration) ([]float64, error), func() error, error) {
		n := 100.0 // the round that warms up
		return func(time.Duration) ([]float64, error) {
			v := n
			if n++; n > 100 {
				n = 1
			}
			return []float64{v, -v}, nil
		}, end, nil
	}
	absent := func(context.Context) (func(time.Duration) ([]float64, error), func() error, error) {
		return nil, end, errors.ErrUnsupported
	}
	later := func(context.Context) (func(time.Duration) ([]float64, error), func() error, error) {
		return func(time.Duration) ([]float64, error) { return nil, errors.ErrUnsupported }, end, nil
	}
	got, err := turns(t.Context(), time.Second, []contender{absent, counting, later})
	if err != nil || got[0] != nil || got[2] != nil || len(got[1]) != 2 || ended != 3 {
		t.Fatalf("%v, %v, %d ended", got, err, ended)
	}
	broken := func(context.Context) (func(time.Duration) ([]float64, error), func() error, error) {
		return func(time.Duration) ([]float64, error) { return nil, errWrong }, end, nil
	}
	if _, err := turns(t.Context(), time.Second, []contender{counting, broken}); !errors.Is(err, errWrong) || ended != 5 {
		t.Errorf("%v, %d ended, want %v and 5", err, ended, errWrong)
	}
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if _, err := turns(ctx, time.Second, []contender{counting}); !errors.Is(err, why) || ended != 6 {
		t.Errorf("%v, %d ended, want %v and 6", err, ended, why)
	}
}

// TestAnswer: the bare child adds one to a number and looks at a message.
func TestAnswer(t *testing.T) {
	fromParent, in := io.Pipe()
	out, toParent := io.Pipe()
	go func() { answer(fromParent, toParent); toParent.Close() }()
	p := &peer{in: in, out: out}
	for n := range uint64(3) {
		if got, err := p.next(n); got != n+1 || err != nil {
			t.Errorf("next of %d: %d, %v", n, got, err)
		}
	}
	b := make([]byte, 1000)
	for n := range uint64(3) {
		binary.LittleEndian.PutUint64(b, n)
		b[500], b[999] = 7, byte(n)
		if got, err := p.send(b); got != 7+2*n || err != nil {
			t.Errorf("send of %d: %d, %v", n, got, err)
		}
	}
	in.Close()
	if _, err := p.result(); err != io.EOF {
		t.Errorf("it goes on without a parent: %v", err)
	}
}
