package sys

// cpuInstructions is what CPUID says of this processor, the quickest first. The
// segment comes last and is tried on each: some virtual machines have a kernel that
// cannot use the others, although the processor has them.
func cpuInstructions() []CPUSource {
	var s []CPUSource
	if _, ecx, _ := cpuid(7, 0); ecx&(1<<22) != 0 {
		s = append(s, cpuByRDPID)
	}
	if _, _, edx := cpuid(0x80000001, 0); edx&(1<<27) != 0 {
		s = append(s, cpuByRDTSCP)
	}
	return append(s, cpuBySegment)
}

func cpuByInstruction(s CPUSource) int {
	// The kernel keeps the number in the lowest 12 bits, the node above.
	switch s {
	case cpuByRDPID:
		return int(rdpid() & 0xfff)
	case cpuByRDTSCP:
		return int(rdtscp() & 0xfff)
	}
	return int(segment() & 0xfff)
}

//go:noescape
func rdpid() uint32

//go:noescape
func rdtscp() uint32

// segment is the limit of the segment in which the kernel keeps the number for its
// own getcpu in the vDSO (arch/x86/include/asm/segment.h, GDT_ENTRY_CPUNODE).
//
//go:noescape
func segment() uint32

//go:noescape
func cpuid(leaf, sub uint32) (ebx, ecx, edx uint32)
