package codec_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/tandem-go/tandem/internal/codec"
)

type (
	// binary has every pair at once, and says which was used.
	everything struct{ by string }
	appender   struct{ by string }
	proto      struct{ ch chan string }
	secret     struct{ word string } // redacts itself as text
	texted     struct {
		f    func()
		word string
	}
	stamped struct { // embeds methods that know nothing of Note
		time.Time
		Note string
	}
	overriding struct {
		time.Time
		note string
	}
	faulty struct{ mode string }
)

func (e everything) MarshalBinary() ([]byte, error) { return []byte("binary"), nil }
func (e everything) GobEncode() ([]byte, error)     { return []byte("gob"), nil }
func (e everything) Marshal() ([]byte, error)       { return []byte("proto"), nil }
func (e everything) MarshalText() ([]byte, error)   { return []byte("text"), nil }
func (e everything) AppendHandles(dst []byte, _ *codec.Handles) ([]byte, error) {
	return append(dst, "handles"...), nil
}
func (e *everything) UnmarshalBinary(b []byte) error              { e.by = string(b); return nil }
func (e *everything) GobDecode(b []byte) error                    { e.by = string(b); return nil }
func (e *everything) Unmarshal(b []byte) error                    { e.by = string(b); return nil }
func (e *everything) UnmarshalText(b []byte) error                { e.by = string(b); return nil }
func (e *everything) SetHandles(b []byte, _ *codec.Handles) error { e.by = string(b); return nil }
func (a *appender) AppendBinary(dst []byte) ([]byte, error)       { return append(dst, "append"...), nil }
func (a *appender) MarshalBinary() ([]byte, error)                { return []byte("marshal"), nil }
func (a *appender) UnmarshalBinary(b []byte) error                { a.by = string(b); return nil }
func (p *proto) Marshal() ([]byte, error)                         { return []byte(<-p.ch), nil }
func (p *proto) Unmarshal(b []byte) error                         { p.ch = make(chan string, 1); p.ch <- string(b); return nil }
func (s secret) MarshalText() ([]byte, error)                     { return []byte("***"), nil }
func (s *secret) UnmarshalText(b []byte) error                    { s.word = string(b); return nil }
func (x texted) MarshalText() ([]byte, error)                     { return []byte(x.word), nil }
func (x *texted) UnmarshalText(b []byte) error                    { x.word = string(b); return nil }
func (o overriding) MarshalBinary() ([]byte, error)               { return []byte(o.note), nil }
func (o overriding) AppendBinary(dst []byte) ([]byte, error)      { return append(dst, o.note...), nil }
func (o *overriding) UnmarshalBinary(b []byte) error              { o.note = "own " + string(b); return nil }

func (f faulty) AppendBinary(dst []byte) ([]byte, error) {
	switch f.mode {
	case "out error":
		return nil, errors.New("will not")
	case "out panic":
		panic("out of paper")
	case "shrink":
		return dst[:0], nil
	}
	return append(dst, f.mode...), nil
}

func (f *faulty) UnmarshalBinary(b []byte) error {
	switch string(b) {
	case "in error":
		return errors.New("cannot read")
	case "in panic":
		panic(errFaulty)
	}
	f.mode = string(b)
	return nil
}

var errFaulty = errors.New("faulty value")

func TestDoorOrder(t *testing.T) {
	if got := send(t, everything{}).by; got != "handles" {
		t.Errorf("of every pair, %q was used, want handles", got)
	}
	if got := send(t, appender{}).by; got != "append" {
		t.Errorf("of AppendBinary and MarshalBinary, %q was used, want append", got)
	}
	p := proto{make(chan string, 1)}
	p.ch <- "message"
	if got := <-send(t, p).ch; got != "message" {
		t.Errorf("protobuf shape: got %q, want message", got)
	}
	if got := send(t, secret{"word"}).word; got != "word" {
		t.Errorf("a type that redacts its text arrived as %q, want its value", got)
	}
	if got := send(t, []texted{{word: "word"}})[0].word; got != "word" {
		t.Errorf("text: got %q, want word", got)
	}
	if got := send(t, struct{ F *big.Float }{new(big.Float).SetPrec(200).SetMode(big.ToZero)}); got.F.Mode() != big.ToZero || got.F.Prec() != 200 {
		t.Errorf("big.Float lost its mode or precision: %v %d", got.F.Mode(), got.F.Prec())
	}
}

func TestEmbeddedMethods(t *testing.T) {
	at := time.Unix(1, 0).UTC()
	if got := send(t, stamped{at, "note"}); got.Note != "note" || !got.Equal(at) {
		t.Errorf("promoted methods: got %v, want the note too", got)
	}
	if got := send(t, overriding{at, "x"}); got.note != "own x" {
		t.Errorf("methods of the struct itself: got %q, want them used", got.note)
	}
}

func TestFaultyMethods(t *testing.T) {
	c := must[struct{ In []faulty }](t)
	for _, test := range []struct{ mode, want string }{
		{"out error", "encode: field struct { In []codec_test.faulty }.In[1]: the binary methods of codec_test.faulty: will not"},
		{"out panic", "panicked: out of paper"},
		{"shrink", "it took away what was there before"},
		{"in error", "decode: field struct { In []codec_test.faulty }.In[1]: the binary methods of codec_test.faulty: cannot read"},
		{"in panic", "panicked: faulty value"},
	} {
		v := struct{ In []faulty }{[]faulty{{"fine"}, {test.mode}}}
		before := []byte("before")
		src, err := c.Append(before, &v, nil)
		if !bytes.HasPrefix(src, before) {
			t.Errorf("%s: Append returned %q, want what was there before", test.mode, src)
		}
		if err == nil {
			err = c.Decode(src[len(before):], &v, nil)
			if v.In != nil {
				t.Errorf("%s: half a value is left: %v", test.mode, v)
			}
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", test.mode, err, test.want)
		}
		if test.mode == "in panic" && !errors.Is(err, errFaulty) {
			t.Errorf("%s: the error that was the panic is lost", test.mode)
		}
	}
}

// A frame's length is moved in behind the body when it needs more than one byte.
func TestFrameLengths(t *testing.T) {
	for _, n := range []int{0, 1, 127, 128, 129, 16383, 16384, 100_000} {
		word := strings.Repeat("x", n)
		if got := send(t, []faulty{{word}, {"next"}}); got[0].mode != word || got[1].mode != "next" {
			t.Errorf("a body of %d bytes arrived with %d", n, len(got[0].mode))
		}
	}
}

type opError struct {
	Op  string
	Err error
}

func TestErrors(t *testing.T) {
	setHooks(t)
	if got := send(t, opError{"read", errors.New("broken")}); got.Err == nil || got.Err.Error() != "broken" || got.Op != "read" {
		t.Errorf("got %v, want the error broken", got)
	}
	if got := send(t, opError{"read", nil}); got.Err != nil {
		t.Errorf("got %v, want nil", got.Err)
	}
	c := must[opError](t)
	if _, err := c.Append(nil, &opError{Err: panics{}}, nil); err == nil || !strings.Contains(err.Error(), "panicked") {
		t.Errorf("an error whose Error panics: got %v, want an error that says so", err)
	}
	if err := c.Decode([]byte{0, 1, 3, 'b', 'a', 'd'}, new(opError), nil); err == nil || !strings.Contains(err.Error(), "field opError.Err") {
		t.Errorf("a hook that fails: got %v, want an error with the field", err)
	}
	codec.AppendError, codec.DecodeError = nil, nil
	if _, err := c.Append(nil, &opError{Err: errFaulty}, nil); err == nil {
		t.Error("without a hook an error is encoded")
	}
}

type panics struct{}

func (panics) Error() string { panic("no text") }

// setHooks stands for package tandem: an error is its text.
func setHooks(t testing.TB) {
	codec.AppendError = func(dst []byte, err error) ([]byte, error) { return append(dst, err.Error()...), nil }
	codec.DecodeError = func(src []byte) (error, error) {
		if string(src) == "bad" {
			return nil, fmt.Errorf("not an error's text")
		}
		return errors.New(string(src)), nil
	}
	t.Cleanup(func() { codec.AppendError, codec.DecodeError = nil, nil })
}

// send encodes v and decodes it again.
func send[T any](t *testing.T, v T) (out T) {
	t.Helper()
	c := must[T](t)
	src, err := c.Append(nil, &v, nil)
	if err == nil {
		err = c.Decode(src, &out, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}
