package sys

// cpuInstruction is what CPUID says of this processor.
func cpuInstruction() CPUSource {
	if _, ecx, _ := cpuid(7, 0); ecx&(1<<22) != 0 {
		return cpuByRDPID
	}
	if _, _, edx := cpuid(0x80000001, 0); edx&(1<<27) != 0 {
		return cpuByRDTSCP
	}
	return cpuBySyscall
}

func cpuByInstruction(s CPUSource) int {
	// The kernel keeps the number in the lowest 12 bits, the node above.
	if s == cpuByRDPID {
		return int(rdpid() & 0xfff)
	}
	return int(rdtscp() & 0xfff)
}

//go:noescape
func rdpid() uint32

//go:noescape
func rdtscp() uint32

//go:noescape
func cpuid(leaf, sub uint32) (ebx, ecx, edx uint32)
