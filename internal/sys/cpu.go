package sys

import (
	"os"
	"runtime"
	"sync"
)

// quota is read once: walking the cgroups costs a tenth of a millisecond, as much
// as the parent's whole share of starting a process.
var quota = sync.OnceValues(CPUQuota)

// UsableCPUs is min(affinity, ceil(quota)), at least 1. The affinity is
// that of the main thread, since a thread may be pinned for itself, and is asked
// for each time; the quota once.
func UsableCPUs() int {
	n := runtime.NumCPU() // the affinity mask at program start
	if mask, err := Affinity(os.Getpid()); err == nil && len(mask) > 0 {
		n = len(mask)
	}
	if q, ok := quota(); ok {
		n = min(n, int(q+0.999))
	}
	return max(n, 1)
}
