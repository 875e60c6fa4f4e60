package process_test

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
	"github.com/tandem-go/tandem/shared"
)

var words = process.NewMapType[string, int]("words")

var count = process.NewMethod("words.count", func(ctx context.Context, t *process.Table[string, int], word string) (int, error) {
	return t.Update(word, func(n int, found bool) int { return n + 1 }), nil
})

var die = process.NewMethod("words.die", func(context.Context, *process.Table[string, int], struct{}) (int, error) {
	os.Exit(3)
	return 0, nil
})

func makeWords(t *testing.T) *process.Map[string, int] {
	t.Helper()
	leaveNothing(t)
	m := words.New()
	m.Config.Stderr = io.Discard
	closing(t, m)
	return m
}

// TestMap: what every dictionary does.
func TestMap(t *testing.T) {
	m, ctx := makeWords(t), t.Context()
	for i, k := range []string{"c", "a", "b", "a"} {
		if err := m.Set(ctx, k, i); err != nil {
			t.Fatal(err)
		}
	}
	if v, ok, err := m.Get(ctx, "a"); v != 3 || !ok || err != nil {
		t.Errorf(`Get("a"): %d, %v, %v`, v, ok, err)
	}
	if v, ok, err := m.Get(ctx, "x"); v != 0 || ok || err != nil {
		t.Errorf(`Get("x"): %d, %v, %v`, v, ok, err)
	}
	if n, err := count.On(m).Call(ctx, "a"); n != 4 || err != nil {
		t.Errorf("count: %d, %v", n, err)
	}
	if was, err := m.Delete(ctx, "b"); !was || err != nil {
		t.Errorf("Delete: %v, %v", was, err)
	}
	if was, err := m.Delete(ctx, "b"); was || err != nil {
		t.Errorf("second Delete: %v, %v", was, err)
	}
	if n, err := m.Len(ctx); n != 2 || err != nil {
		t.Errorf("Len: %d, %v", n, err)
	}
	var all []string
	for e, err := range m.All(ctx) {
		all = append(all, e.Key)
		if err != nil || e.Value != map[string]int{"c": 0, "a": 4}[e.Key] {
			t.Errorf("All: %+v, %v", e, err)
		}
	}
	if strings.Join(all, "") != "ca" {
		t.Errorf("All is in the order %q", all)
	}
}

// TestMapUpdate: no increment is lost, whoever else is at it.
func TestMapUpdate(t *testing.T) {
	m := makeWords(t)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 50 {
				if _, err := count.On(m).Call(t.Context(), "the"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n, _, err := m.Get(t.Context(), "the"); n != 200 || err != nil {
		t.Errorf("200 increments make %d, %v", n, err)
	}
}

// TestMapPages: a loop over more than comes at once, one that is left, and one whose
// map dies in it.
func TestMapPages(t *testing.T) {
	m, ctx := makeWords(t), t.Context()
	const many = 3000
	keys := make([]process.Entry[string, int], many)
	for i := range keys {
		keys[i] = process.Entry[string, int]{Key: strings.Repeat("k", i%7) + string(rune('0'+i)), Value: i}
	}
	for _, e := range keys {
		if err := m.Set(ctx, e.Key, e.Value); err != nil {
			t.Fatal(err)
		}
	}
	i := 0
	for k, err := range m.Keys(ctx) {
		if err != nil || k != keys[i].Key {
			t.Fatalf("key %d: %q, %v", i, k, err)
		}
		i++
	}
	if i != many {
		t.Errorf("%d keys came of %d", i, many)
	}
	for range m.All(ctx) {
		break
	}
	i = 0
	var last error
	for _, err := range m.All(ctx) {
		if i++; i == 1 {
			die.On(m).Call(ctx, struct{}{})
		}
		last = err
	}
	var crash *tandem.CrashError
	if i >= many || !errors.As(last, &crash) {
		t.Errorf("the map died and %d entries came, then: %v", i, last)
	}
	if err := m.Set(ctx, "a", 1); !errors.As(err, &crash) {
		t.Errorf("Set on a map that is lost: %v", err)
	}
}

// TestMapRestarted: one that may begin anew does not mix a loop over the old.
func TestMapRestarted(t *testing.T) {
	m, ctx := makeWords(t), t.Context()
	m.Restart = process.Restart{}
	for i := range 2000 {
		if err := m.Set(ctx, string(rune('0'+i)), i); err != nil {
			t.Fatal(err)
		}
	}
	var last error
	i := 0
	for _, err := range m.All(ctx) {
		if i++; i == 1 {
			die.On(m).Call(ctx, struct{}{})
		}
		last = err
	}
	if i >= 2000 || last == nil || !strings.Contains(last.Error(), "restarted during the loop") {
		t.Errorf("%d entries, then %v", i, last)
	}
	if n, err := m.Len(ctx); n != 0 || err != nil {
		t.Errorf("Len of the new one: %d, %v", n, err)
	}
}

func TestMapMisuse(t *testing.T) {
	m := words.New()
	m.Threads = 2
	var zero process.Map[string, int]
	for want, m := range map[string]*process.Map[string, int]{"Threads": m, "MapType.New": &zero} {
		_, _, get := m.Get(t.Context(), "a")
		_, call := count.On(m).Call(t.Context(), "a")
		for _, err := range []error{get, call, m.Set(t.Context(), "a", 1)} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want an error about %s", err, want)
			}
		}
	}
	defer func() {
		if v, _ := recover().(string); !strings.Contains(v, "cannot hold shared.Mutex") {
			t.Errorf("a map of locks: %v", v)
		}
	}()
	process.NewMapType[string, []struct{ L *shared.Mutex }]("locks")
}
