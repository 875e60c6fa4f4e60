package child

import (
	"fmt"
	"os"
	"runtime/debug"

	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/ring"
	"github.com/tandem-go/tandem/internal/slab"
	"github.com/tandem-go/tandem/internal/spawn"
	"github.com/tandem-go/tandem/internal/sys"
	"github.com/tandem-go/tandem/internal/wire"
)

// take unpacks the descriptors of the Start frame: the page, the registrations if
// there is a warden, the rings, the lanes.
func (w *worker) take(fds []int) error {
	lanes := max(w.hello.Lanes, 1)
	if w.hello.Direct() {
		lanes = 0
		w.lanes = []*lane{{worker: w, conn: w.control}}
	}
	want := 1 + lanes
	if w.hello.Warden {
		want++
	}
	if w.hello.Rings {
		want += w.hello.ringFiles()
	}
	if w.hello.Log {
		want++
	}
	if len(fds) != want {
		return fmt.Errorf("tandem: worker: start frame with %d descriptors, want %d", len(fds), want)
	}
	if err := w.openPage(fds[0]); err != nil {
		return err
	}
	if w.hello.Warden {
		spawn.ChildOf(fds[1])
	}
	first := want - lanes
	for i, fd := range fds[first:] {
		w.lanes = append(w.lanes, &lane{index: i, worker: w, conn: wire.NewBlocking(fd)})
	}
	if w.hello.Log {
		first--
		Instruments.Log(wire.NewBlocking(fds[first]), w.hello.LogLevel, w.taskOf)
	}
	if w.hello.Rings {
		return w.openRings(fds[first-w.hello.ringFiles() : first])
	}
	return nil
}

// RingFiles is how many descriptors the rings take: memory, bell, spinners. A worker with
// a single lane that has more than one call gets an alarm besides.
const RingFiles = 3

func (h *Hello) ringFiles() int {
	if h.Lanes > 1 || h.Single {
		return RingFiles
	}
	return RingFiles + 1
}

// Spinners are those of the tree of processes that this worker belongs to, nil if
// it has no rings. Pools of this process share them.
var Spinners *ring.Spinners

func (w *worker) openRings(fds []int) error {
	files := make([]*os.File, RingFiles+1) // without an alarm the last is nil
	for i := range fds {
		f, err := sys.File(fds[i], "ring", i == RingFiles)
		if err != nil {
			return err
		}
		files[i] = f
	}
	// Another worker may have scribbled over the page in this very moment: then this
	// one never spins.
	Spinners, _ = ring.OpenSpinners(files[2])
	r, err := ring.Open(files[0], files[1], files[RingFiles], Spinners)
	if err != nil {
		return err
	}
	if len(r.Lanes()) != len(w.lanes) {
		return fmt.Errorf("tandem: worker: %d rings for %d lanes", len(r.Lanes()), len(w.lanes))
	}
	w.results = slab.NewPool(mem.KindResult, w.hello.Memory) // of a result, memory holds one copy already
	for i, l := range w.lanes {
		l.ring = r.Lanes()[i]
		l.large = slab.Exchange{Pool: w.results, Reader: &w.arguments}
	}
	return nil
}

// openPage maps the page and lets the Go runtime write its crash report behind it.
func (w *worker) openPage(fd int) (err error) {
	f, err := sys.File(fd, "page", false)
	if err != nil {
		return err
	}
	defer f.Close()
	if w.page, err = sys.NewPage(f); err != nil {
		return err
	}
	// SetCrashOutput duplicates the descriptor, which shares the offset.
	if _, err = f.Seek(ReportAt, 0); err == nil {
		err = debug.SetCrashOutput(f, debug.CrashOptions{})
	}
	if err != nil {
		return fmt.Errorf("tandem: worker: crash output: %w", err)
	}
	return nil
}
