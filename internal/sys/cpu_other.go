//go:build !linux

package sys

// CPUQuota is the processor time granted to this process; other systems than
// Linux have no such quota.
func CPUQuota() (cpus float64, ok bool) { return 0, false }
