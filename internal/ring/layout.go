package ring

import (
	"fmt"
	"math"
	"math/bits"
	"sync/atomic"

	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/wire"
)

// layoutVersion changes with anything in this file.
const layoutVersion = 5

// line is a cache line.
const line = 64

// Inline is how many bytes a slot holds. Larger payloads lie in a room of the lane or go
// another way, and the slot says so. A slot is 63 lines: an odd number, so that the slots spread over the
// sets of a cache.
const Inline = slotSize - 16 - 8

// Most lanes of a worker, and slots of a lane.
const (
	MaxLanes = 1024
	MaxSlots = 4096
)

// slot is where a call lies, the answer in the place of the question. A short
// one shares the cache line of its word, so that a line moved is a message moved.
type slot struct {
	word atomic.Uint64
	// Where either side ran when it last wrote here. A hint, and written before
	// the word, so plain stores do: an atomic one would be as dear as the word's.
	parentCPU uint32 // and whether it has a crowd
	workerCPU uint32
	inline    [Inline]byte
	// Far from word: who waits looks at that, and must not take this line from a
	// worker that goes through a chunk. A plain call never touches it.
	progress atomic.Uint64
}

const slotSize = 63 * line

// crowd is the bit beside parentCPU which says that other calls were with the worker
// already.
const crowd = 1 << 31

// head is the first line of the users' part, written by the parent before the
// worker has it.
type head struct {
	lanes, slots uint32
	cpus         uint32 // how to ask for the CPU
}

// plan says where things are in a segment.
type plan struct{ lanes, slots int }

const (
	headAt  = mem.HeaderSize
	bellAt  = headAt + line
	lanesAt = bellAt + line
)

func (p plan) check() error {
	if p.lanes < 1 || p.lanes > MaxLanes || p.slots < 2 || p.slots > MaxSlots || bits.OnesCount(uint(p.slots)) != 1 {
		return fmt.Errorf("tandem: ring: %d lanes of %d slots: want 1 to %d lanes, and a power of two from 2 to %d", p.lanes, p.slots, MaxLanes, MaxSlots)
	}
	return nil
}

func (p plan) laneSize() int        { return line + p.slots*slotSize }
func (p plan) sleepAt(i int) int    { return lanesAt + i*p.laneSize() }
func (p plan) untilAt(i int) int    { return p.sleepAt(i) + 4 }
func (p plan) takenAt(i, k int) int { return p.sleepAt(i) + 8 + 4*k }
func (p plan) slotAt(i, j int) int  { return p.sleepAt(i) + line + j*slotSize }

// The rooms come behind all lanes, where they are in nobody's way.
func (p plan) roomAt(i, k int) int { return p.sleepAt(p.lanes) + (i*rooms+k)*roomSize }
func (p plan) size() int           { return p.roomAt(p.lanes, 0) - mem.HeaderSize }

// slotsOf lists the slots of lane i.
func (p plan) slotsOf(v mem.View, i int) []*slot {
	list := make([]*slot, p.slots)
	for j := range list {
		list[j] = mem.At[slot](v, p.slotAt(i, j))
	}
	return list
}

// lay prepares a new segment. The slots are left alone: zero memory says unused,
// and memory that nobody has touched costs nothing.
func (p plan) lay(v mem.View, cpus uint32) {
	*mem.At[head](v, headAt) = head{lanes: uint32(p.lanes), slots: uint32(p.slots), cpus: cpus}
}

// planOf reads what lay wrote.
func planOf(v mem.View) (plan, uint32, error) {
	h := *mem.At[head](v, headAt)
	if h.lanes > math.MaxInt32 || h.slots > math.MaxInt32 {
		return plan{}, 0, fmt.Errorf("tandem: ring: %w: its head says %d lanes of %d slots", wire.ErrProtocol, h.lanes, h.slots)
	}
	p := plan{int(h.lanes), int(h.slots)}
	if err := p.check(); err != nil {
		return p, 0, err
	}
	if p.size() > v.Len()-mem.HeaderSize {
		return p, 0, fmt.Errorf("tandem: ring: %w: a segment of %d bytes is too small for %d lanes of %d slots", wire.ErrProtocol, v.Len(), p.lanes, p.slots)
	}
	return p, h.cpus, nil
}
