package process

import (
	"testing"

	"github.com/tandem-go/tandem/internal/codec"
	"github.com/tandem-go/tandem/internal/spawn"
)

// TestAbandonUnadmitted: a process that was started and could not be moved into its group
// is ended like any other that comes to nothing.
func TestAbandonUnadmitted(t *testing.T) {
	w := &worker{plan: &plan{sink: newSink(&Config{})}, gone: make(chan struct{})}
	var theirs codec.Handles
	fd, err := pair(&theirs)
	if w.control, err = conn(fd, err); err != nil {
		t.Fatal(err)
	}
	stdio, err := w.open()
	if err != nil {
		t.Fatal(err)
	}
	w.proc, err = spawn.Start(spawn.Command{Stdio: stdio.theirs, Worker: theirs.Files()[0]})
	stdio.closeTheirs()
	theirs.Close()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.output.begin(); err != nil {
		t.Fatal(err)
	}
	w.abandon()
	if w.proc.State() == nil {
		t.Error("the process lives")
	}
	spawn.Rest()
}
