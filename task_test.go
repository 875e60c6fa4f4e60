package tandem_test

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/tandem-go/tandem"
)

func same[T any](_ context.Context, v T) (T, error) { return v, nil }

var twin = tandem.NewTask("twin", same[int])

type locked struct {
	Name string
	Deep []struct{ Mu sync.Mutex }
}

// refusedTasks panicked while this package's variables were made.
var refusedTasks = map[string]struct{ got, want string }{
	"the same name": {
		panicOf(func() { tandem.NewTask("twin", same[string]) }),
		`NewTask("twin") at .*task_test.go:.*: package github.com/tandem-go/tandem_test has a task of that name already, made at .*task_test.go:`,
	},
	"no name": {
		panicOf(func() { tandem.NewTask("", same[int]) }),
		`the name is empty`,
	},
	"a name of two lines": {
		panicOf(func() { tandem.NewTask("two\nlines", same[int]) }),
		`control character at byte 3`,
	},
	"no function": {
		panicOf(func() { tandem.NewTask[int, int]("nil", nil) }),
		`NewTask("nil"): the function is nil`,
	},
	"a channel": {
		panicOf(func() { tandem.NewTask("c", same[struct{ Ready chan int }]) }),
		`argument: field .*.Ready: chan int cannot travel; a channel stays in its process`,
	},
	"a function as result": {
		panicOf(func() {
			tandem.NewTask("f", func(context.Context, int) (f func(), _ error) { return nil, nil })
		}),
		`result: type func() cannot travel; code is not copied`,
	},
	"a lock, deep": {
		panicOf(func() { tandem.NewTask("l", same[*locked]) }),
		`argument: .*Deep[].Mu.* use shared.Mutex`,
	},
	"an interface": {
		panicOf(func() { tandem.NewTask("i", same[map[string]context.Context]) }),
		`argument: .*context.Context cannot travel`,
	},
}

func TestNewTaskRefuses(t *testing.T) {
	for name, c := range refusedTasks {
		if !matches(c.got, c.want) {
			t.Errorf("%s: panic\n\t%q\nwant\n\t%q", name, c.got, c.want)
		}
	}
	late := panicOf(func() { tandem.NewTask("late", same[int]) })
	if !matches(late, `NewTask("late") at .*task_test.go:.* was called after Init.* make it a package-level variable`) {
		t.Errorf("after Init: panic %q", late)
	}
}

// matches reports whether the parts of want between ".*" come in got, in order.
func matches(got, want string) bool {
	for part := range strings.SplitSeq(want, ".*") {
		i := strings.Index(got, part)
		if i < 0 {
			return false
		}
		got = got[i+len(part):]
	}
	return true
}

func TestNames(t *testing.T) {
	if twin.Name() != "twin" || twin.FullName() != "github.com/tandem-go/tandem_test.twin" {
		t.Errorf("names %q and %q", twin.Name(), twin.FullName())
	}
	inner := func() string { return made.FullName() }
	if inner() != "github.com/tandem-go/tandem_test.made 中文" {
		t.Errorf("a task made by a helper is called %q", made.FullName())
	}
}

// made is made in a function literal of a package-level variable, which changes
// nothing about its name.
var made = func() *tandem.Task[int, int] { return tandem.NewTask("made 中文", same[int]) }()

func TestZeroPlaced(t *testing.T) {
	var p tandem.Placed[int, int]
	if _, err := p.Call(t.Context(), 1); err == nil || !strings.Contains(err.Error(), "zero Placed") {
		t.Errorf("Call: %v", err)
	}
	if _, err := p.Go(t.Context(), 1).Wait(t.Context()); err == nil || !strings.Contains(err.Error(), "zero Placed") {
		t.Errorf("Go: %v", err)
	}
	if _, err := p.All(t.Context(), []int{1}); err == nil || !strings.Contains(err.Error(), "zero Placed") {
		t.Errorf("All: %v", err)
	}
}

func TestNilPlaceIsInline(t *testing.T) {
	if got, err := twin.On(nil).Call(t.Context(), 3); got != 3 || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
}

var bound = tandem.NewTask("bound", same[[]string])
var holder = tandem.NewTask("holder", same[*os.File])

func TestBound(t *testing.T) {
	if !(tandem.Bound{}).IsZero() || bound.With(nil).IsZero() {
		t.Error("the zero Bound is no call, every other is one")
	}
	in := []string{"then"}
	b := bound.With(in)
	in[0] = "now"
	spec, encoded, err := b.Encoded()
	if err != nil {
		t.Fatal(err)
	}
	out, err := tandem.Execute(t.Context(), spec, encoded, nil, nil)
	if err != nil || !strings.Contains(string(out), "then") || spec.Name != bound.FullName() {
		t.Errorf("a bound call of %s returned %q, %v; want the argument as it was when it was bound", spec.Name, out, err)
	}
	if _, _, err := holder.With(os.Stdin).Encoded(); err == nil || !strings.Contains(err.Error(), "descriptors") {
		t.Errorf("a bound file: %v, want an error that says descriptors", err)
	}
}
