package process

import (
	"testing"

	"github.com/tandem-go/tandem"
)

// TestKillersAreBounded: of more arguments than a pool remembers it forgets the oldest,
// and what is forgotten leaves nothing.
func TestKillersAreBounded(t *testing.T) {
	k := newKillers(2)
	crash := new(tandem.CrashError)
	for i := range 3 * mostKillers {
		if n := k.record(killer{uint64(i % 7), uint64(i)}, crash); n != 1 {
			t.Fatalf("argument %d has killed %d workers", i, n)
		}
	}
	if len(k.args) != mostKillers || len(k.order) != mostKillers || k.known.Load() != mostKillers {
		t.Errorf("%d, %d and %d arguments are known, want %d", len(k.args), len(k.order), k.known.Load(), mostKillers)
	}
	last := uint64(3*mostKillers - 1)
	if n := k.record(killer{last % 7, last}, crash); n != 2 {
		t.Errorf("the youngest has killed %d, want 2", n)
	}
	for len(k.order) > 0 {
		k.forget(k.order[0])
	}
	if len(k.args)+len(k.tasks) != 0 || k.known.Load() != 0 || k.suspects(1) {
		t.Errorf("all is forgotten, and left are %d arguments of %d tasks", len(k.args), len(k.tasks))
	}
}
