//go:build linux && !amd64

package sys

// Other processors keep the number where only the kernel can read it.

func cpuInstructions() []CPUSource { return nil }

func cpuByInstruction(CPUSource) int { return cpuAsked() }
