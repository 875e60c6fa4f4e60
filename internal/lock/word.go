package lock

import "encoding/binary"

// The state, the first half of the word; README.md has it as a table.
const (
	free       = uint32(0)
	ownerMask  = uint32(1<<30 - 1)
	ownerDied  = uint32(1 << 30)
	hasSleeper = uint32(1 << 31)

	poisoned = ownerMask     // no thread has this id: the kernel's largest is 1<<22
	buried   = ownerMask - 1 // closed; only in a tomb
)

// Size is what a lock takes in a segment: a cache line of its own.
const Size = 64

// Offsets in it. State and signature are one 64-bit word, so that a lock is taken
// and signed in one instruction; the kernel looks at the state alone.
const (
	stateAt     = 0
	heirAt      = 8
	namespaceAt = 16
)

// word is state and signature as they lie in memory, whatever the byte order.
func word(state uint32, s signature) uint64 {
	var b [8]byte
	binary.NativeEndian.PutUint32(b[:], state)
	binary.NativeEndian.PutUint32(b[4:], uint32(s))
	return binary.NativeEndian.Uint64(b[:])
}

// split is the inverse of word.
func split(w uint64) (state uint32, s signature) {
	var b [8]byte
	binary.NativeEndian.PutUint64(b[:], w)
	return binary.NativeEndian.Uint32(b[:]), signature(binary.NativeEndian.Uint32(b[4:]))
}

// signature tells who holds: 22 bits of process id, which is all that Linux has,
// and 10 bits that tell apart those who ever had that id.
type signature uint32

const (
	pidBits = 22
	// alive in the upper bits: the process lives and gave the lock up, nobody has to
	// wait for its end.
	alive = 0
)

func sign(pid int, generation uint32) signature {
	return signature(uint32(pid)&(1<<pidBits-1) | generation<<pidBits)
}

func (s signature) pid() int           { return int(s & (1<<pidBits - 1)) }
func (s signature) generation() uint32 { return uint32(s) >> pidBits }

// generation maps the start time of a process to 1…1023.
func generation(start uint64) uint32 { return uint32(start%1023) + 1 }
