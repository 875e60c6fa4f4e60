package tandemtest

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"reflect"
	"sync"
	"time"

	"github.com/tandem-go/tandem"
)

var (
	double   = tandem.NewTask("double", func(_ context.Context, n int) (int, error) { return 2 * n, nil })
	echo     = tandem.NewTask("echo", func(_ context.Context, v everything) (everything, error) { return v, nil })
	reverse  = tandem.NewTask("reverse", func(_ context.Context, b []byte) ([]byte, error) { return reversed(b), nil })
	nothing  = tandem.NewTask("nothing", func(context.Context, struct{}) (struct{}, error) { return struct{}{}, nil })
	scribble = tandem.NewTask("scribble", func(_ context.Context, p *[]int) (int, error) {
		(*p)[0] = 99
		return os.Getpid(), nil
	})
	count = tandem.NewTask("count", func(context.Context, int) (int, error) {
		counter++
		return counter, nil
	})
)

// counter is an ordinary package variable: shared where memory is.
var counter int

// everything has a field of each sort that travels, unexported ones too.
type everything struct {
	Bool    bool
	Int     int
	Small   int8
	Large   uint64
	Float   float64
	Complex complex128
	Text    string
	Bytes   []byte
	Nil     []byte
	Empty   []string
	Array   [3]int16
	Map     map[string][]float32
	Pointer *everything
	Time    time.Time
	Err     error
	Any     any
	hidden  string
}

func reversed(b []byte) []byte {
	r := make([]byte, len(b))
	for i, c := range b {
		r[len(b)-1-i] = c
	}
	return r
}

var valueCases = []testCase{
	{"all kinds", func(s *suite) {
		in := everything{
			Bool: true, Int: math.MinInt64, Small: -1, Large: math.MaxUint64, Float: math.Inf(-1), Complex: 1 - 2i,
			Text: "中文 \x00\xff", Bytes: []byte{0, 1}, Empty: []string{}, Array: [3]int16{1, -2, 3},
			Map: map[string][]float32{"": nil, "a": {1.5}}, Pointer: &everything{hidden: "below"},
			Time: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), Err: errSentinel, Any: int16(7), hidden: "here",
		}
		got, err := echo.On(s.place).Call(s.context(), in)
		if err != nil {
			s.Fatal(err)
		}
		if !got.Time.Equal(in.Time) {
			s.Errorf("time: got %v, want %v", got.Time, in.Time)
		}
		got.Time = in.Time
		if !reflect.DeepEqual(got, in) {
			s.Errorf("got  %#v\nwant %#v", got, in)
		}
	}},
	{"zero values", func(s *suite) {
		got, err := echo.On(s.place).Call(s.context(), everything{})
		if err != nil || !reflect.DeepEqual(got, everything{}) {
			s.Errorf("got %#v, %v; want the zero value", got, err)
		}
		if _, err := nothing.On(s.place).Call(s.context(), struct{}{}); err != nil {
			s.Error(err)
		}
	}},
	{"big values", func(s *suite) {
		for _, size := range []int{0, 1, 4 << 10, 64<<10 - 1, 1 << 20, 16 << 20} {
			in := make([]byte, size)
			for i := range in {
				in[i] = byte(i * 7 >> 3)
			}
			got, err := reverse.On(s.place).Call(s.context(), in)
			if err != nil || !bytes.Equal(got, reversed(in)) {
				s.Errorf("%d bytes: got %d bytes, %v", size, len(got), err)
			}
		}
		s.alive()
	}},
	{"many at once", func(s *suite) {
		const calls = 200
		var all sync.WaitGroup
		for i := range calls {
			all.Go(func() {
				if got, err := double.On(s.place).Call(s.context(), i); got != 2*i || err != nil {
					s.Errorf("double(%d) = %d, %v", i, got, err)
				}
			})
		}
		all.Wait()
	}},
	{"copies", func(s *suite) {
		in := []int{1, 2}
		pid, err := scribble.On(s.place).Call(s.context(), &in)
		if err != nil {
			s.Fatal(err)
		}
		want := 99 // the task was given what the caller has
		if s.copies() {
			want = 1
		}
		if in[0] != want {
			s.Errorf("a task that changes its argument left %d with the caller, want %d", in[0], want)
		}
		if here := pid == os.Getpid(); here == s.has.OwnMemory {
			s.Errorf("the task ran in process %d, this is %d, and OwnMemory is %v", pid, os.Getpid(), s.has.OwnMemory)
		}
	}},
	{"package variables", func(s *suite) {
		counter = 1000
		got, err := count.On(s.place).Call(s.context(), 0)
		want, left := 1001, 1001
		if s.has.OwnMemory {
			want, left = 1, 1000
		}
		if got != want || counter != left || err != nil {
			s.Errorf("the task counted to %d, and here the counter is %d (%v); want %d and %d", got, counter, err, want, left)
		}
	}},
	{"names", func(s *suite) {
		if got, want := double.FullName(), "github.com/tandem-go/tandem/tandemtest.double"; got != want {
			s.Errorf("full name %q, want %q", got, want)
		}
		_, err := failing.On(s.place).Call(s.context(), "plain")
		if want := "plain failure"; fmt.Sprint(err) != want {
			s.Errorf("a task's own error: %q, want %q without any addition", err, want)
		}
	}},
}
