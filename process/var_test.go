package process_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

var (
	num   = tandem.NewVar("num", 100)
	plain = 100
)

type globals struct{ Child, Grandchild, Plain, PlainGrandchild int }

// countUp is the course's program: add one, then start a child that does the same.
var countUp = tandem.NewTask("countUp", func(ctx context.Context, depth int) (g globals, err error) {
	if depth > 0 {
		num.Set(num.Get() + 1)
		plain++
	}
	g.Child, g.Plain = num.Get(), plain
	if depth == 1 {
		h, err := process.Start(ctx, process.Config{}, countUp2, 0)
		if err != nil {
			return g, err
		}
		got, err := h.Wait(ctx)
		g.Grandchild, g.PlainGrandchild = got.Child, got.Plain
		return g, err
	}
	return g, nil
})

var countUp2 = tandem.NewTask("countUp2", func(context.Context, int) (globals, error) {
	return globals{Child: num.Get(), Plain: plain}, nil
})

// TestVar: a child starts with the parent's present value, a grandchild with the
// child's, and nothing comes back. An ordinary variable begins anew everywhere.
func TestVar(t *testing.T) {
	leaveNothing(t)
	defer num.Set(100)
	h, err := process.Start(t.Context(), process.Config{}, countUp, 1)
	if err != nil {
		t.Fatal(err)
	}
	num.Set(num.Get() + 2) // after the start: the child does not see it
	got, err := h.Wait(t.Context())
	if want := (globals{101, 101, 101, 100}); got != want || err != nil || num.Get() != 102 || plain != 100 {
		t.Errorf("got %+v, %v, and here %d and %d; want %+v, and here 102 and 100", got, err, num.Get(), plain, want)
	}
	h, err = process.Start(t.Context(), process.Config{}, countUp, 1)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := h.Wait(t.Context()); got.Child != 103 || got.Grandchild != 103 || got.Plain != 101 || err != nil {
		t.Errorf("the next start: %+v, %v; want 103 for the child and its child", got, err)
	}
}

var numOf = tandem.NewTask("numOf", func(_ context.Context, die bool) (n int, _ error) {
	if die {
		os.Exit(1)
	}
	num.Set(num.Get() + 1)
	return num.Get(), nil
})

// TestVarInPool: the copy is taken once, so that a replaced worker sees what the
// first one saw; a worker keeps what it sets.
func TestVarInPool(t *testing.T) {
	leaveNothing(t)
	defer num.Set(100)
	pool := &process.Pool{Workers: 1}
	closing(t, pool)
	num.Set(200)
	call := func(die bool) string {
		n, err := numOf.On(pool).Call(t.Context(), die)
		return fmt.Sprint(n, err == nil)
	}
	first := call(false)
	num.Set(300)
	got := []string{first, call(false), call(true), call(false)}
	if want := "[201 true 202 true 0 false 201 true]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

// big is more than a socket holds before anybody reads.
var big = tandem.NewVar("big", []byte(nil))

var bigSize = tandem.NewTask("bigSize", func(context.Context, int) (int, error) { return len(big.Get()), nil })

func TestBigVar(t *testing.T) {
	leaveNothing(t)
	defer big.Set(nil)
	big.Set(make([]byte, 8<<20))
	h, err := process.Start(t.Context(), process.Config{}, bigSize, 0)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := h.Wait(t.Context()); n != 8<<20 || err != nil {
		t.Errorf("got %d, %v; want 8 MiB", n, err)
	}
}
