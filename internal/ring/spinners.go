package ring

import (
	"math"
	"os"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/sys"
)

// Spinners bounds how many goroutines of a whole tree of processes spin at one
// time. The root of the tree makes one for all but one of its CPUs and hands it
// to its workers, and these to theirs. A nil *Spinners lets nobody spin. Its
// methods are safe for concurrent use.
//
// The permits are leases: a word in shared memory holds the time at which it runs
// out. So a spinner that is killed gives its share back, and nobody has to know
// that it had one. A process that scribbles over the words makes others sleep
// sooner, or spin more; neither changes a result.
type Spinners struct {
	segment *mem.Segment
	leases  []*atomic.Int64
	start   time.Time
	offset  int64 // the machine's clock at start
}

// Spins shorter than glance need no lease: a hot answer is there by then, and the
// lease would move one more cache line each way. spinFor bounds every spin; it is
// more than it takes to wake a sleeper, or else two sides that both sleep would
// never meet awake again.
const (
	glance  = 2 * time.Microsecond
	spinFor = 50 * time.Microsecond
	lease   = 2 * spinFor
)

// maxSpinners is how many leases fit a page.
const maxSpinners = 63

// NewSpinners makes the permits of a tree of processes that may use that many
// CPUs: one less, so that whoever is waited for has a CPU.
func NewSpinners(cpus int) (*Spinners, error) {
	n := min(max(cpus-1, 0), maxSpinners)
	segment, err := mem.Create(kindSpinners, layoutVersion, (n+1)*line)
	if err != nil {
		return nil, err
	}
	*segment.Word(mem.HeaderSize) = uint32(n)
	return spinnersOf(segment), nil
}

// OpenSpinners opens what the parent of this process has sent. It takes f.
func OpenSpinners(f *os.File) (*Spinners, error) {
	segment, err := mem.Open(f, kindSpinners, layoutVersion)
	if err != nil {
		return nil, err
	}
	return spinnersOf(segment), nil
}

func spinnersOf(segment *mem.Segment) *Spinners {
	s := &Spinners{segment: segment, start: time.Now(), offset: math.MaxInt64}
	for range 3 { // what comes between the two clocks only makes the difference larger
		since := int64(time.Since(s.start))
		s.offset = min(s.offset, sys.MonotonicNow()-since)
	}
	n := min(int(*segment.Word(mem.HeaderSize)), maxSpinners, (segment.Len()-mem.HeaderSize)/line-1)
	for i := range n {
		s.leases = append(s.leases, mem.At[atomic.Int64](segment.View, mem.HeaderSize+(i+1)*line))
	}
	return s
}

// Mend undoes what a worker may have written over the page's head, for the next one
// that is to open it. A lease that was written over is free after a moment, as
// acquire sees to.
func (s *Spinners) Mend() error {
	*s.segment.Word(mem.HeaderSize) = uint32(len(s.leases))
	return s.segment.Mend(kindSpinners, layoutVersion)
}

// File is the descriptor to send to a worker. It is closed by Close.
func (s *Spinners) File() *os.File { return s.segment.File() }

// Close gives the memory back. Nobody may spin any more.
func (s *Spinners) Close() error { return s.segment.Release() }

func (s *Spinners) now() int64 { return int64(time.Since(s.start)) + s.offset }

// acquire takes a lease, if one is free or has run out. A lease that ends later
// than any can was not written by us.
func (s *Spinners) acquire(now int64) (l *atomic.Int64, until int64) {
	until = now + int64(lease)
	for _, l := range s.leases {
		if v := l.Load(); (v < now || v > until) && l.CompareAndSwap(v, until) {
			return l, until
		}
	}
	return nil, 0
}
