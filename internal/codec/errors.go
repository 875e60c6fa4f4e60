package codec

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// at puts a step of the way (".field", "[3]") in front of the error of what is
// there. It runs on the way back from the depth, only when something failed.
func at(step string, err error) error {
	if place, ok := err.(*placeError); ok {
		if len(place.path) < 120 { // enough to find it; a cycle would give thousands
			place.path = step + place.path
		}
		return place
	}
	return &placeError{step, err}
}

func atIndex(i int, err error) error { return at("["+strconv.Itoa(i)+"]", err) }

// placeError is an error and where in the value it happened.
type placeError struct {
	path string
	err  error
}

func (e *placeError) Error() string { return e.path + ": " + e.err.Error() }
func (e *placeError) Unwrap() error { return e.err }

// explain is err as it leaves the package: with the place in words.
func explain(t reflect.Type, err error) error {
	place, ok := err.(*placeError)
	if !ok {
		return fmt.Errorf("type %s: %w", shortName(t), err)
	}
	switch {
	case place.path == "":
		return fmt.Errorf("type %w", place.err)
	case strings.Contains(place.path, "."):
		return fmt.Errorf("field %s%s: %w", shortName(t), place.path, place.err)
	}
	return fmt.Errorf("element %s of %s: %w", place.path, shortName(t), place.err)
}

// shortName is how the owner of t calls it: without the package, if it has a name.
func shortName(t reflect.Type) string {
	if name := t.Name(); name != "" {
		return name
	}
	return t.String()
}
