//go:build linux

package deadlock

import (
	"math"
	"os"
	"reflect"
	"testing"
)

var sample = Record{
	Number: 3, Goroutine: 7, Since: 1, Checked: 2, What: Thing{Off: 64, Shares: 1}, Wants: 1,
	Holds: []hold{{Thing{Off: 128, Shares: 2}, 1}}, Peers: []int32{4}, Task: "task", At: "file.go:1",
}

// TestPage: one process reads what another wrote, and nothing after it was taken back.
func TestPage(t *testing.T) {
	p := page{records: []Record{sample}}
	p.write()
	defer p.file.Close()
	want := sample
	want.pid = os.Getpid()
	if got := Read(os.Getpid()); len(got) != 1 || !reflect.DeepEqual(*got[0], want) {
		t.Errorf("read %+v", got)
	}
	if !p.forget(sample.Holds[0].Thing) || p.forget(sample.Holds[0].Thing) {
		t.Error("what is held is not forgotten once")
	}
	if !p.remove(3) || p.remove(3) {
		t.Error("a record is not removed once")
	}
	p.write()
	if got := Read(os.Getpid()); len(got) != 0 {
		t.Errorf("read %+v after the last was removed", got)
	}
}

// TestPageLies: numbers that make sums overflow are refused.
func TestPageLies(t *testing.T) {
	for _, lie := range []func(r *Record){
		func(r *Record) { r.Wants = 0 },
		func(r *Record) { r.Wants = math.MaxInt },
		func(r *Record) { r.What.Shares = -1 },
		func(r *Record) { r.What.Shares = math.MaxInt },
		func(r *Record) { r.Holds[0].Has = math.MaxInt },
		func(r *Record) { r.Holds[0].Has = -1 },
	} {
		r := sample
		r.Holds = []hold{sample.Holds[0]}
		lie(&r)
		if r.sound() {
			t.Errorf("%+v is taken for sound", r)
		}
	}
	if !sample.sound() {
		t.Error("the sample is not")
	}
}

// FuzzParse: no text makes it panic, and what it yields can be worked with.
func FuzzParse(f *testing.F) {
	c, err := records()
	if err != nil {
		f.Fatal(err)
	}
	text, err := c.Append(nil, &[]Record{sample, sample}, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, text []byte) {
		all := stuck(parse(text, 1))
		for _, r := range all {
			r.chosen(r.reach(all), all)
			r.circle(all)
			clean(r.At)
		}
	})
}
