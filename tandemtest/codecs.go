package tandemtest

import (
	"context"
	"errors"
	"strings"

	"github.com/tandem-go/tandem"
)

// brittle breaks on its way, as its text says.
type brittle struct{ text string }

var errBrittle = sentinel("tandemtest.errBrittle", "it broke")

// MarshalBinary fails for "encode" and panics for "encode panic".
func (b brittle) MarshalBinary() ([]byte, error) {
	switch b.text {
	case "encode":
		return nil, errBrittle
	case "encode panic":
		panic(errBrittle)
	}
	return []byte(b.text), nil
}

// UnmarshalBinary fails for "decode" and panics for "decode panic".
func (b *brittle) UnmarshalBinary(text []byte) error {
	switch string(text) {
	case "decode":
		return errBrittle
	case "decode panic":
		panic(errBrittle)
	}
	b.text = string(text)
	return nil
}

var (
	accept  = tandem.NewTask("accept", func(_ context.Context, b brittle) (string, error) { return b.text, nil })
	produce = tandem.NewTask("produce", func(_ context.Context, text string) (brittle, error) { return brittle{text}, nil })
)

var codecCases = []testCase{
	{"argument", func(s *suite) {
		s.breaks(func(ctx context.Context, text string) (string, error) {
			return accept.On(s.place).Call(ctx, brittle{text})
		})
	}},
	{"result", func(s *suite) {
		s.breaks(func(ctx context.Context, text string) (string, error) {
			b, err := produce.On(s.place).Call(ctx, text)
			return b.text, err
		})
	}},
	{"in a loop", func(s *suite) {
		in := []brittle{{"a"}, {"encode"}, {"b"}, {"decode"}, {"c"}}
		outs, err := accept.On(s.place).All(s.context(), in)
		want := "a encode b decode c"
		if s.copies() {
			want = "a  b  c"
		}
		if got := strings.Join(outs, " "); got != want || s.copies() != errors.Is(err, errBrittle) {
			s.Errorf("got %q, %v; want %q", got, err, want)
		}
	}},
}

// breaks calls with each way to break. It costs that call only, with the codec's
// own error; where nothing is encoded, nothing breaks.
func (s *suite) breaks(call func(ctx context.Context, text string) (string, error)) {
	s.Helper()
	for _, text := range []string{"encode", "encode panic", "decode", "decode panic", "well"} {
		got, err := call(s.context(), text)
		switch fails := s.copies() && text != "well"; {
		case fails && (!errors.Is(err, errBrittle) || got != ""):
			s.Errorf("%s: got %q, %v; want the codec's error", text, got, err)
		case !fails && (got != text || err != nil):
			s.Errorf("%s: got %q, %v", text, got, err)
		}
		var crash *tandem.CrashError
		if errors.As(err, &crash) {
			s.Errorf("%s: it cost the worker: %v", text, err)
		}
		s.alive()
	}
}
