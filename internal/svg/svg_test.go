package svg

import (
	"encoding/xml"
	"io"
	"slices"
	"strings"
	"testing"
)

func TestLinearAxis(t *testing.T) {
	for _, c := range []struct {
		most float64
		want []float64
	}{
		{0, []float64{0, 0.5, 1}}, {1, []float64{0, 0.5, 1}}, {1.1, []float64{0, 1, 2}},
		{31, []float64{0, 20, 40}}, {99, []float64{0, 50, 100}}, {7300, []float64{0, 5000, 10000}},
	} {
		a := LinearAxis(100, 20, c.most, 2)
		if got := a.Ticks(); !slices.Equal(got, c.want) {
			t.Errorf("ticks up to %v: %v, want %v", c.most, got, c.want)
		}
		if a.At(0) != 100 || a.At(a.Top) != 20 || a.At(c.most) < 20 {
			t.Errorf("up to %v: 0 lies at %v, the top at %v", c.most, a.At(0), a.At(a.Top))
		}
	}
}

func TestLogAxis(t *testing.T) {
	a := LogAxis(100, 400, []float64{20, 5000})
	for v, want := range map[float64]float64{10: 100, 100: 200, 10000: 400} {
		if got := a.At(v); got < want-1e-6 || got > want+1e-6 {
			t.Errorf("%v is at %v, want %v", v, got, want)
		}
	}
	if n := len(a.Ticks()); n != 4 {
		t.Errorf("%d ticks, want 4", n)
	}
}

// TestDocument: what is written is well-formed, whatever the texts hold.
func TestDocument(t *testing.T) {
	var c Canvas
	c.Text(1, 2, "end", `class="ink"`, `<a> & "b"`)
	c.Line(0, 0, 1, 1, `stroke="#000"`)
	for _, style := range []string{"", ".ground{fill:#000}\n"} {
		text := c.Document(10, 20, "a < b", style)
		var words []string
		for d := xml.NewDecoder(strings.NewReader(text)); ; {
			token, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%v in\n%s", err, text)
			}
			if data, ok := token.(xml.CharData); ok {
				words = append(words, string(data))
			}
		}
		if !slices.Contains(words, `<a> & "b"`) || !slices.Contains(words, "a < b") {
			t.Errorf("the texts are %q", words)
		}
	}
}
