package process_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

var megabytes = tandem.NewTask("megabytes", func(_ context.Context, n int) ([]byte, error) { return make([]byte, n<<20), nil })

// TestKept: who keeps the Handle of a process that is gone, or what describes it, keeps
// its value and not what the library had for it.
func TestKept(t *testing.T) {
	leaveNothing(t)
	const processes, size = 16, 2
	pool := &process.Pool{Workers: 1, MaxTasks: 1, Transport: process.Sockets} // whose results come into a buffer of the worker's
	closing(t, pool)
	var kept []*process.Process
	var handles []*process.Handle[[]byte]
	alive := func() uint64 {
		runtime.GC()
		runtime.GC() // what pools keep for one collection more
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := alive()
	for range processes {
		h, err := process.Start(t.Context(), process.Config{}, megabytes, size)
		if err != nil {
			t.Fatal(err)
		}
		handles = append(handles, h)
		if _, err := h.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := pool.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		kept = append(kept, process.Children()...)
		if _, err := megabytes.On(pool).Call(t.Context(), size); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "all but the last are gone", func() bool { return len(process.Children()) <= 1 })
	if after := alive(); after > before+processes*3/2*size<<20 {
		t.Errorf("%d bytes are alive, %d before: with %d results of %d MiB kept, and as many gone", after, before, processes, size)
	}
	runtime.KeepAlive(kept)
	runtime.KeepAlive(handles)
}
