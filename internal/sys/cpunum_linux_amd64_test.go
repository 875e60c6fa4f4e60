package sys

import (
	"runtime"
	"testing"
)

// TestCPUSegment: the way that is tried last is right on each CPU if it is on one, and so
// is the one that was found.
func TestCPUSegment(t *testing.T) {
	runtime.LockOSThread() // and never unlocked: the thread ends with its affinity
	mask, err := Affinity(0)
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range []CPUSource{cpuBySegment, FindCPUSource()} {
		usable := source.agrees()
		t.Logf("source %d is usable: %v", source, usable)
		for _, cpu := range mask {
			if err := SetAffinity(0, []int{cpu}); err != nil {
				t.Fatal(err)
			}
			if said := source.CPU(); usable && said != cpu {
				t.Errorf("source %d says CPU %d on %d", source, said, cpu)
			}
		}
		if err := SetAffinity(0, mask); err != nil {
			t.Fatal(err)
		}
	}
}
