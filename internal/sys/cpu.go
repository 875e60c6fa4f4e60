package sys

import "runtime"

// UsableCPUs is min(affinity, ceil(quota)), at least 1.
func UsableCPUs() int {
	n := runtime.NumCPU() // the affinity mask at program start
	if mask, err := Affinity(0); err == nil && len(mask) > 0 {
		n = len(mask)
	}
	if q, ok := CPUQuota(); ok {
		n = min(n, int(q+0.999))
	}
	return max(n, 1)
}
