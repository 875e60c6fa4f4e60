package ring

// word is the one word that says everything about a slot: who may touch it, for
// which position of the ring, and how much is in it. README.md has it as a table.
//
//	bits  0–2    state
//	bit   3      aside: the bytes, or some of them, went another way
//	bit   4      chunk: several items, counted by the slot's progress
//	bit   5      wide: the bytes are in a room of the lane, and where is inline
//	bits  6–17   length of what is inline
//	bits 18–63   position
type word uint64

type state uint8

const (
	unused  state = iota // the parent's, never written: a lane begins as zero memory
	free                 // the parent's, nothing in it
	queued               // the parent published it; either side may take it
	started              // the worker's
	done                 // the parent's, the answer is in it
	taken                // the parent's again, it took the call back
)

const (
	asideBit   word = 1 << 3
	chunkBit   word = 1 << 4
	wideBit    word = 1 << 5
	lengthAt        = 6
	lengthMask      = 1<<12 - 1
	positionAt      = 18
)

// pack makes a word; bits are asideBit, chunkBit and wideBit.
func pack(p position, s state, length int, bits word) word {
	return word(p)<<positionAt | word(length)<<lengthAt | bits | word(s)
}

func (w word) position() position { return position(w >> positionAt) }
func (w word) state() state       { return state(w & 7) }
func (w word) aside() bool        { return w&asideBit != 0 }
func (w word) chunk() bool        { return w&chunkBit != 0 }
func (w word) wide() bool         { return w&wideBit != 0 }
func (w word) length() int        { return int(w >> lengthAt & lengthMask) }

// in is w with another state and the same rest.
func (w word) in(s state) word { return w&^7 | word(s) }

// pending says that w is a call at p that has no outcome yet.
func (w word) pending(p position) bool {
	s := w.state()
	return w.position() == p && (s == queued || s == started)
}

// position counts the calls of a lane, modulo 1<<46; the slot is position modulo
// the number of slots. A lane begins shortly before the count wraps around, so
// that every test and every program goes through that.
type position uint64

const (
	positionBits = 64 - positionAt
	positionMask = 1<<positionBits - 1
)

func (p position) plus(n int) position { return (p + position(n)) & positionMask }

// behind is how far p lies behind q; negative if ahead.
func (p position) behind(q position) int { return int(int64(q-p) << positionAt >> positionAt) }

// origin is the first position of a lane with n slots.
func origin(n int) position { return position(0).plus(-1 - 2*n) }
