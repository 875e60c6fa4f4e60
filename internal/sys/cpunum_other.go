//go:build !linux

package sys

// CPUSource is a way to ask on which CPU the caller runs.
type CPUSource uint32

// CPU is -1: other systems than Linux do not say.
func (CPUSource) CPU() int { return -1 }

// FindCPUSource finds nothing.
func FindCPUSource() CPUSource { return 0 }
