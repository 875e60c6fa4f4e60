//go:build ignore

// Reads what `tandem tour --all --json` prints and checks it: go run .ci/tour.go <FILE.
// A file outside every package, so that the checks need no other tool than Go.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// lesson is one line of the tour.
type lesson struct {
	ID      string
	OK      bool
	Skipped string
	Facts   map[string]json.RawMessage
	MS      *float64
}

// globals are the numbers of L05: the child and the grandchild see what they
// inherited, the parent its own, the plain variable begins anew.
var globals = map[string]string{"child": "101", "grandchild": "101", "parent": "102", "plain_grandchild": "100"}

const lessons = 16

func main() {
	if err := check(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "tour:", err)
		os.Exit(1)
	}
}

func check(r io.Reader) error {
	d := json.NewDecoder(r)
	for i := 1; ; i++ {
		var l lesson
		switch err := d.Decode(&l); {
		case err == io.EOF && i == lessons+1:
			return nil
		case err == io.EOF:
			return fmt.Errorf("%d lessons, want %d", i-1, lessons)
		case err != nil:
			return fmt.Errorf("object %d: %w", i, err)
		case i > lessons:
			return fmt.Errorf("more than %d lessons: %s", lessons, l.ID)
		}
		if want := fmt.Sprintf("L%02d", i); l.ID != want {
			return fmt.Errorf("lesson %d is %q, want %q", i, l.ID, want)
		}
		if !l.OK && l.Skipped == "" {
			return fmt.Errorf("%s: its law does not hold", l.ID)
		}
		if len(l.Facts) == 0 && l.Skipped == "" || l.MS == nil {
			return fmt.Errorf("%s: no facts, or no time", l.ID)
		}
		if l.ID == "L05" {
			for name, want := range globals {
				if got := string(l.Facts[name]); got != want {
					return fmt.Errorf("L05: %s = %s, want %s", name, got, want)
				}
			}
		}
		fmt.Printf("%s ok=%-5v %5.0f ms  %s\n", l.ID, l.OK, *l.MS, l.Skipped)
	}
}
