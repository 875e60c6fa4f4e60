package course

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
)

// Facts are measured values in the order in which they were recorded. The
// zero value is empty and ready. Not safe for concurrent use.
type Facts struct{ list []fact }

type fact struct {
	name  string
	value any
}

// Set records a value; one of the same name is replaced in its place.
func (f *Facts) Set(name string, value any) {
	i := slices.IndexFunc(f.list, func(x fact) bool { return x.name == name })
	if i < 0 {
		f.list = append(f.list, fact{name, value})
		return
	}
	f.list[i].value = value
}

// Get returns the value of a name.
func (f *Facts) Get(name string) (value any, ok bool) {
	for n, v := range f.All() {
		if n == name {
			return v, true
		}
	}
	return nil, false
}

// All ranges over names and values in order.
func (f *Facts) All() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for _, x := range f.list {
			if !yield(x.name, x.value) {
				return
			}
		}
	}
}

// MarshalJSON writes one object whose names stand in order; a Go map would
// sort them.
func (f Facts) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, x := range f.list {
		value, err := json.Marshal(x.value)
		if err != nil {
			return nil, fmt.Errorf("course: fact %s: %w", x.name, err)
		}
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:%s", x.name, value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// JSON returns the result as one object on one line. A lesson of which this
// machine can show nothing is not ok, and skipped says why; a failure has an
// empty skipped. What made the lesson break off is the fact "error".
func (r *Result) JSON(l Lang) ([]byte, error) {
	facts := Facts{list: slices.Clone(r.Facts.list)}
	if r.Err != nil {
		facts.Set("error", r.Err.Error())
	}
	skipped := r.SkipReason().In(l)
	if r.Failed() {
		skipped = ""
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(struct {
		ID      string `json:"id"`
		Heading string `json:"heading"`
		Title   string `json:"title"`
		OK      bool   `json:"ok"`
		Skipped string `json:"skipped"`
		Facts   Facts  `json:"facts"`
		MS      int64  `json:"ms"`
	}{r.Lesson.ID, r.Lesson.Heading, r.Lesson.Title.In(l), r.OK(), skipped, facts, r.Took.Milliseconds()})
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}
