package mem

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"sync"

	"github.com/tandem-go/tandem/internal/sys"
)

// HeaderSize is where the users' part of a segment begins. It is a multiple of
// every alignment and of a cache line.
const HeaderSize = 64

// magic is the first word of every segment; its last byte is the version of the
// layout.
const magic = uint64(0x74616e64656d6d01)

// maxSize keeps offsets and lengths far from overflow.
const maxSize = int64(min(1<<46, math.MaxInt/2))

// Kind says what a segment holds.
type Kind uint32

// The kinds of segments.
const (
	KindMutex  Kind = 1
	KindValue  Kind = 2
	KindBuffer Kind = 3

	KindSemaphore Kind = 6
	KindEvent     Kind = 7
	KindWaitGroup Kind = 8
	KindOnce      Kind = 9
	KindBarrier   Kind = 10
	KindCond      Kind = 11
	KindRWMutex   Kind = 12
	KindSlice     Kind = 13
	KindAtomic    Kind = 14
	KindQueue     Kind = 15
	KindPipe      Kind = 16

	// Package slab's. Only the process that made one writes into it.
	KindArgument Kind = 4
	KindResult   Kind = 5

	// Package ring's, as its spinners are.
	KindRing     Kind = 0x72
	KindSpinners Kind = 0x73
)

// pinned reports whether memory of this kind is touched under a reference only. Then
// nobody is inside at the last Release, and it needs no tomb, which for a large
// segment would count as data, and might be refused.
func (k Kind) pinned() bool { return k >= KindBuffer && k <= KindResult || k == KindSlice }

// seen reports whether the race detector shall see what is done to memory of this kind.
func (k Kind) seen() bool { return canBeSeen && (k == KindBuffer || k == KindSlice) }

// oneWriter reports whether others than the maker map memory of this kind for
// reading only.
func (k Kind) oneWriter() bool { return k == KindArgument || k == KindResult }

// sparse reports whether memory of this kind, which only a parent makes, is there as
// far as it was used.
func (k Kind) sparse() bool { return k == KindRing }

// Segment is shared memory mapped into this process. Its memory can be used as
// long as the *Segment is reachable, released or not; see the package comment
// for what is in it then.
type Segment struct {
	View
	kind Kind
	id   sys.FileID
	file *os.File
	room room

	// Under table's mutex:
	refs  int
	users map[int]User // by offset
}

// room is the address range of a segment: the private page and the shared part.
type room struct {
	base  View // the private page
	whole []byte
	seen  bool // by the race detector
}

// User is what a process keeps beside the memory at one offset of a segment.
type User interface {
	// Bury writes into tomb what those shall find who still look at the segment
	// after its release.
	Bury(tomb View)
	// Detach ends the use. Nobody in this process can touch the segment at its old
	// address any more; real is the shared memory itself, mostly at another address,
	// for the duration of the call.
	Detach(real View)
}

// table holds the segments mapped in this process. Its mutex is held while a
// segment is made, opened or released, so that nobody opens one that is on its
// way out.
var table = struct {
	sync.Mutex
	byID map[sys.FileID]*Segment
}{byID: make(map[sys.FileID]*Segment)}

// Create makes a segment with room for size bytes behind the header, all zero. Its
// memory is taken now, so that lack of it is an error, except for rings: of theirs
// most is never used, and a page that nobody touches costs nothing; see
// sys.SparseMemfd for the price. The caller holds one reference.
func Create(kind Kind, schema uint64, size int) (*Segment, error) {
	if size < 0 || int64(size) > maxSize {
		return nil, fmt.Errorf("tandem: shared memory: %d bytes is no size", size)
	}
	page := os.Getpagesize()
	total := (HeaderSize + size + page - 1) / page * page
	memfd := sys.Memfd
	if kind.sparse() {
		memfd = sys.SparseMemfd
	}
	f, err := memfd("tandem", int64(total))
	if err != nil {
		return nil, err
	}
	h := header(kind, schema, total)
	if _, err := f.WriteAt(h[:], 0); err != nil {
		f.Close()
		return nil, fmt.Errorf("tandem: shared memory: %w", err)
	}
	return open(f, kind, schema, true)
}

func header(kind Kind, schema uint64, size int) (h [HeaderSize]byte) {
	binary.NativeEndian.PutUint64(h[0:], magic)
	binary.NativeEndian.PutUint32(h[8:], uint32(kind))
	binary.NativeEndian.PutUint64(h[16:], uint64(size))
	binary.NativeEndian.PutUint64(h[24:], schema)
	return h
}

// Open maps the segment behind f, or finds it if this process has it mapped. It
// takes f: f is closed when Open returns, the segment keeps a descriptor of its
// own. The caller holds one reference.
func Open(f *os.File, kind Kind, schema uint64) (*Segment, error) {
	return open(f, kind, schema, !kind.oneWriter())
}

func open(f *os.File, kind Kind, schema uint64, write bool) (*Segment, error) {
	defer f.Close()
	size, id, err := sys.CheckMemfd(f, !kind.sparse())
	if err != nil {
		return nil, err
	}
	if err := checkHeader(f, size, kind, schema); err != nil {
		return nil, err
	}
	table.Lock()
	defer table.Unlock()
	if s := table.byID[id]; s != nil {
		s.refs++
		return s, nil
	}
	own, err := duplicate(f)
	if err != nil {
		return nil, err
	}
	r, err := mapRoom(own, int(size), write, kind.seen())
	if err != nil {
		own.Close()
		return nil, err
	}
	s := &Segment{
		View: View{r.whole[len(r.base.data):]}, kind: kind, id: id, file: own, room: r,
		refs: 1, users: make(map[int]User),
	}
	runtime.AddCleanup(s, room.giveBack, r)
	table.byID[id] = s
	return s, nil
}

// checkHeader looks at a copy: the memory may change between look and use.
func checkHeader(f *os.File, size int64, kind Kind, schema uint64) error {
	var h [HeaderSize]byte
	if _, err := f.ReadAt(h[:], 0); err != nil {
		return fmt.Errorf("tandem: %s: not shared memory of tandem: %w", f.Name(), err)
	}
	page := int64(os.Getpagesize())
	switch {
	case size > maxSize || size%page != 0,
		binary.NativeEndian.Uint64(h[0:]) != magic,
		binary.NativeEndian.Uint64(h[16:]) != uint64(size):
		return fmt.Errorf("tandem: %s: not shared memory of tandem, or of another version", f.Name())
	case Kind(binary.NativeEndian.Uint32(h[8:])) != kind:
		return fmt.Errorf("tandem: %s: shared memory of kind %d, want %d", f.Name(), binary.NativeEndian.Uint32(h[8:]), kind)
	case binary.NativeEndian.Uint64(h[24:]) != schema:
		return fmt.Errorf("tandem: %s: what is in this shared memory has another structure here; both sides must be the same program", f.Name())
	}
	return nil
}

// ID tells the segment from all others, in any process.
func (s *Segment) ID() sys.FileID { return s.id }

// File is the segment's descriptor, for sending it to another process. It is the
// segment's own and is closed with it.
func (s *Segment) File() *os.File { return s.file }

// Reader opens a descriptor of the segment through which nobody can write. The
// caller closes it.
func (s *Segment) Reader() (*os.File, error) {
	f, err := os.Open(fmt.Sprintf("/proc/self/fd/%d", s.file.Fd()))
	if err != nil {
		return nil, fmt.Errorf("tandem: shared memory: %w", err)
	}
	return f, nil
}

// Retain takes one more reference.
func (s *Segment) Retain() {
	table.Lock()
	defer table.Unlock()
	s.refs++
}

// RetainOpen takes one more reference if there is one still, and reports whether it
// did.
func (s *Segment) RetainOpen() bool {
	table.Lock()
	defer table.Unlock()
	if s.refs == 0 {
		return false
	}
	s.refs++
	return true
}

// Discard gives the memory of the segment back to the system, whoever else has it
// mapped: it reads as zeroes from then on. The reference stays.
func (s *Segment) Discard() error { return sys.Punch(s.file, int64(len(s.View.data))) }

// Mend writes the header anew, for a segment that outlives processes which may have
// scribbled over it.
func (s *Segment) Mend(kind Kind, schema uint64) error {
	h := header(kind, schema, len(s.View.data))
	_, err := s.file.WriteAt(h[:], 0)
	return err
}

// User returns what this process keeps at off, made by begin the first time.
func (s *Segment) User(off int, begin func() (User, error)) (User, error) {
	table.Lock()
	defer table.Unlock()
	if u := s.users[off]; u != nil {
		return u, nil
	}
	u, err := begin()
	if err == nil {
		s.users[off] = u
	}
	return u, err
}

// Release gives back one reference. The last one detaches the users, puts the
// tomb in the segment's place, and closes the descriptor. Where the kind is touched
// under a reference only, nothing takes its place: a late touch is a fault.
func (s *Segment) Release() error {
	table.Lock()
	defer table.Unlock()
	s.refs--
	if s.refs > 0 {
		return nil
	}
	if s.refs < 0 {
		panic("tandem: internal/mem: a segment was released more often than opened")
	}
	delete(table.byID, s.id)
	if s.kind.pinned() {
		for _, u := range s.users {
			u.Detach(s.View)
		}
		s.users = nil
		err := withdraw(s.View.data)
		return errors.Join(err, s.file.Close())
	}
	real, err := s.bury()
	for _, u := range s.users {
		u.Detach(real)
	}
	s.users = nil
	if err == nil {
		unmap(real.data)
	}
	if e := s.file.Close(); err == nil {
		err = e
	}
	runtime.KeepAlive(s)
	return err
}

// bury replaces the segment by its tomb and returns the shared memory at a new
// address. If the system has no room for that, the segment stays where it is
// until it is collected: its users are still detached.
func (s *Segment) bury() (real View, err error) {
	shared, err := mapShared(s.file, len(s.View.data))
	if err != nil {
		return s.View, err
	}
	tomb, err := mapPrivate(len(s.View.data))
	if err != nil {
		unmap(shared)
		return s.View, err
	}
	for _, u := range s.users {
		u.Bury(View{tomb})
	}
	if err := move(tomb, s.View.data); err != nil {
		unmap(tomb)
		unmap(shared)
		return s.View, err
	}
	return View{shared}, nil
}
