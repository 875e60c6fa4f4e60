package ring

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/sys"
	"github.com/tandem-go/tandem/internal/wire"
)

// Outcomes of a call other than an answer.
var (
	// ErrTaken says that TakeBack took the call back: it was never started.
	ErrTaken = errors.New("tandem: ring: the call was taken back")
	// ErrUnstarted says that the worker is gone and had not started the call.
	ErrUnstarted = errors.New("tandem: ring: the worker is gone and had not started the call")
	// ErrGone says that the worker is gone and had started the call, or cannot be
	// believed that it had not.
	ErrGone = errors.New("tandem: ring: the worker is gone")
)

// Config describes the rings of one worker.
type Config struct {
	Lanes    int       // at least 1: how many calls the worker runs at once
	Slots    int       // how many calls fit in a lane, a power of two; 0 means 64
	Spinners *Spinners // of the tree of processes; nil: never spin
	Once     bool      // the worker has one call: it is woken as fast as can be, without an alarm
}

// Parent is the parent's side of one worker's rings. Its methods are safe for
// concurrent use, Close excepted.
type Parent struct {
	segment  *mem.Segment
	spinners *Spinners
	cpus     sys.CPUSource
	lanes    []*Outbox
	bell     bell
	alarm    alarm

	mode    atomic.Uint32 // bits reading and failed
	waiters atomic.Int32  // goroutines in Wait that have not seen an outcome
	parked  atomic.Int32  // of them, those that somebody else must wake
	broken  atomic.Bool   // the worker broke a rule

	patience patience // of the one that leads

	mu      sync.Mutex // held to look through lanes, to take back, and to fail
	readers sync.WaitGroup
}

// Bits of Parent.mode.
const (
	reading = 1 << iota // a reader drains for all
	failed              // Fail was called
)

// cpuSource is found once: it costs as much as ten calls.
var cpuSource = sync.OnceValue(sys.FindCPUSource)

// Create makes the rings of a worker. The worker opens what Files lists.
func Create(c Config) (*Parent, error) {
	if c.Slots == 0 {
		c.Slots = defaultSlots
	}
	at := plan{c.Lanes, c.Slots}
	if err := at.check(); err != nil {
		return nil, err
	}
	segment, err := mem.Create(mem.KindRing, layoutVersion, at.size())
	if err != nil {
		return nil, err
	}
	p := &Parent{segment: segment, spinners: c.Spinners, cpus: cpuSource()}
	if err := p.bell.open(flagAt(segment.View, bellAt)); err != nil {
		segment.Release()
		return nil, err
	}
	if at.lanes == 1 && !c.Once {
		if err := p.alarm.open(); err != nil {
			p.bell.file.Close()
			segment.Release()
			return nil, err
		}
	}
	at.lay(segment.View, uint32(p.cpus))
	for i := range at.lanes {
		p.lanes = append(p.lanes, newOutbox(p, at, i))
	}
	return p, nil
}

// Files are the descriptors that the worker needs, in the order that Open takes
// them. They are the Parent's and are closed by Close.
func (p *Parent) Files() []*os.File { return []*os.File{p.segment.File(), p.bell.file} }

// Alarm is one descriptor more for a worker with a single lane, nil for others. It is
// the Parent's too.
func (p *Parent) Alarm() *os.File { return p.alarm.far }

// Lanes lists the lanes.
func (p *Parent) Lanes() []*Outbox { return p.lanes }

// Fail ends all waiting: the worker is gone, or what it wrote cannot be believed.
// What it had answered is still an answer; what it had not started becomes
// ErrUnstarted, everything else ErrGone. It does not block and may be called
// again.
func (p *Parent) Fail() {
	p.mode.Or(failed)
	p.mu.Lock()
	for _, o := range p.lanes {
		for i := range o.entries {
			o.entries[i].notice()
		}
	}
	p.mu.Unlock()
	p.bell.kick()
}

// Close gives the memory and the descriptors back, after Fail. Every Wait must
// have returned.
func (p *Parent) Close() error {
	p.Fail()
	p.readers.Wait()
	err := errors.Join(p.bell.file.Close(), p.alarm.close())
	if e := p.segment.Release(); err == nil {
		err = e
	}
	return err
}

// violated notes that a worker broke a rule: from now on nothing that it says it
// has not started is believed.
func (p *Parent) violated(w word, at position) error {
	p.broken.Store(true)
	return fmt.Errorf("tandem: ring: %w: a slot at position %d says state %d, position %d, %d bytes",
		wire.ErrProtocol, at, w.state(), w.position(), w.length())
}
