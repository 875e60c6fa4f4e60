package tandem_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/tandem-go/tandem"
)

type (
	holderError struct{ Ready chan int }
	netLike     interface{ error }
	lateError   struct{ error }
)

func (*holderError) Error() string { return "holds a channel" }

func localOne() string {
	type local struct{ error }
	return panicOf(func() { tandem.RegisterErrorType[*local]() })
}

func localTwo() string {
	type local struct{ error }
	return panicOf(func() { tandem.RegisterErrorType[*local]() })
}

var errOnce = errors.New("once")

// registrations were tried while this package's variables were made.
var registrations = []struct{ what, got, want string }{
	{"a sentinel", panicOf(func() { tandem.RegisterError("tandem_test.errOnce", errOnce) }), ""},
	{"it again", panicOf(func() { tandem.RegisterError("tandem_test.other", errOnce) }), "registered already"},
	{"its name again", panicOf(func() { tandem.RegisterError("tandem_test.errOnce", errors.New("x")) }), "registered already"},
	{"one of the library", panicOf(func() { tandem.RegisterError("eof", io.EOF) }), "registered already"},
	{"nil", panicOf(func() { tandem.RegisterError("nil", nil) }), "not nil"},
	{"what cannot be compared", panicOf(func() { tandem.RegisterError("slice", errSlice{}) }), "comparable"},
	{"an interface", panicOf(tandem.RegisterErrorType[netLike]), "an interface is no type of errors"},
	{"a type with a channel", panicOf(tandem.RegisterErrorType[*holderError]), "Ready: chan int cannot travel"},
	{"a type", panicOf(tandem.RegisterErrorType[errSlice]), ""},
	{"it again", panicOf(tandem.RegisterErrorType[errSlice]), "registered already"},
	{"a type of a function", localOne(), ""},
	{"another of the same name", localTwo(), "another one called"},
}

type errSlice []string

func (e errSlice) Error() string { return strings.Join(e, ",") }

func TestRegister(t *testing.T) {
	for _, c := range registrations {
		if (c.want == "") != (c.got == "") || !strings.Contains(c.got, c.want) {
			t.Errorf("%s: panic %q, want %q", c.what, c.got, c.want)
		}
	}
	for _, late := range []string{
		panicOf(func() { tandem.RegisterError("late", errors.New("late")) }),
		panicOf(tandem.RegisterErrorType[lateError]),
	} {
		if !strings.Contains(late, "after Init") {
			t.Errorf("after Init: panic %q", late)
		}
	}
}

// capture is a place that keeps what it would ship.
type capture struct {
	spec   tandem.Spec
	input  []byte
	answer []byte
}

// Width is 1.
func (*capture) Width() int { return 1 }

// Run answers with what it was told to.
func (c *capture) Run(_ context.Context, j *tandem.Job) (err error) {
	c.spec = j.Spec()
	n, exact := j.InputSize()
	if c.input, err = j.AppendInput([]byte("kept"), nil); err != nil {
		return err
	}
	c.input = c.input[len("kept"):]
	if exact && n != len(c.input) || n > len(c.input) {
		return errors.New("InputSize promised another size")
	}
	return j.SetOutput(c.answer, nil)
}

var texts = tandem.NewTask("texts", func(_ context.Context, in []string) (string, error) {
	if len(in) == 0 {
		return "", io.ErrNoProgress
	}
	return strings.Join(in, "+"), nil
})

// TestExecute: the far side of a transport of one's own.
func TestExecute(t *testing.T) {
	c := &capture{}
	texts.On(c).Call(t.Context(), []string{"a", "b"})
	out, err := tandem.Execute(t.Context(), c.spec, c.input, nil, []byte("before"))
	if err != nil || !strings.HasPrefix(string(out), "before") {
		t.Fatalf("got %q, %v", out, err)
	}
	c.answer = out[len("before"):]
	if got, err := texts.On(c).Call(t.Context(), []string{"a", "b"}); got != "a+b" || err != nil {
		t.Errorf("the outcome reads %q, %v", got, err)
	}

	refused := func(what, want string, s tandem.Spec, input []byte) {
		t.Helper()
		out, err := tandem.Execute(t.Context(), s, input, nil, []byte("before"))
		if err == nil || !strings.Contains(err.Error(), want) || string(out) != "before" {
			t.Errorf("%s: got %q, %v; want an error that says %q", what, out, err, want)
		}
	}
	unknown, other := c.spec, c.spec
	unknown.Name = "nobody.knows"
	other.Schema++
	refused("an unknown task", "no such task", unknown, c.input)
	refused("another structure", "another structure", other, c.input)
	refused("half an argument", "argument", c.spec, c.input[:len(c.input)/2])
	refused("more than an argument", "argument", c.spec, append(c.input[:len(c.input):len(c.input)], 0))
}

// FuzzSetOutput: what comes back from a transport is an outcome or an error, and
// never both a value and an error.
func FuzzSetOutput(f *testing.F) {
	c := &capture{}
	texts.On(c).Call(context.Background(), []string{"a"})
	for _, in := range [][]string{{"a"}, nil} {
		texts.On(c).Call(context.Background(), in)
		out, err := tandem.Execute(context.Background(), c.spec, c.input, nil, nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(out)
	}
	f.Add([]byte{})
	f.Add([]byte{0})
	f.Fuzz(func(t *testing.T, answer []byte) {
		c := &capture{answer: answer}
		got, err := texts.On(c).Call(context.Background(), nil)
		if err != nil && got != "" {
			t.Errorf("both %q and %v", got, err)
		}
		if len(answer) == 0 && !errors.Is(err, tandem.ErrMalformed) {
			t.Errorf("no bytes at all: %v, want ErrMalformed", err)
		}
	})
}
