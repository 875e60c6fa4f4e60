package deadlock

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"slices"
	"syscall"

	"github.com/tandem-go/tandem/internal/codec"
	"github.com/tandem-go/tandem/internal/sys"
)

// page is what a process tells the others of those of its goroutines that have waited
// for long: a file in memory, without a name. Others find it among its descriptors.
type page struct {
	records []Record
	file    *os.File
}

const (
	pageName = "tandem-locks"
	mostText = 1 << 20 // what does not fit is not told
	headSize = 4 + 8   // the length of the text and its checksum
)

var records = codec.Of[[]Record]

func (p *page) remove(number uint64) (was bool) {
	n := len(p.records)
	p.records = slices.DeleteFunc(p.records, func(r Record) bool { return r.Number == number })
	return len(p.records) < n
}

func (p *page) forget(what Thing) (was bool) {
	for i := range p.records {
		r := &p.records[i]
		if j := find(r.Holds, what); j >= 0 {
			r.Holds = slices.Delete(slices.Clone(r.Holds), j, j+1)
			was = true
		}
	}
	return was
}

// write writes it. If that cannot be, nothing is told, and the others find no deadlock
// that goes through this process.
func (p *page) write() {
	c, err := records()
	if err != nil {
		return
	}
	text, err := c.Append(make([]byte, headSize), &p.records, nil)
	if err != nil || len(text) > mostText {
		text = make([]byte, headSize)
	}
	if p.file == nil {
		if len(p.records) == 0 {
			return
		}
		if p.file, err = sys.SparseMemfd(pageName, mostText); err != nil {
			return
		}
	}
	binary.LittleEndian.PutUint32(text, uint32(len(text)-headSize))
	binary.LittleEndian.PutUint64(text[4:], sum(text[headSize:]))
	_, _ = p.file.WriteAt(text, 0)
}

func sum(text []byte) uint64 {
	h := fnv.New64a()
	h.Write(text)
	return h.Sum64()
}

// Read is what the process tells, as far as it can be read and is whole. It may
// be a hostile one's.
func Read(pid int) []*Record {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	for _, d := range list {
		path := dir + "/" + d.Name()
		if to, err := os.Readlink(path); err == nil && to == "/memfd:"+pageName+" (deleted)" {
			return readFile(path, pid)
		}
	}
	return nil
}

func readFile(path string, pid int) []*Record {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil
	}
	defer f.Close()
	for range 3 { // it may be about to be written
		head := make([]byte, headSize)
		if _, err := f.ReadAt(head, 0); err != nil {
			return nil
		}
		n := binary.LittleEndian.Uint32(head)
		if n == 0 || n > mostText-headSize {
			return nil
		}
		text := make([]byte, n)
		if _, err := io.ReadFull(io.NewSectionReader(f, headSize, int64(n)), text); err != nil {
			return nil
		}
		if sum(text) == binary.LittleEndian.Uint64(head[4:]) {
			return parse(text, pid)
		}
	}
	return nil
}

// parse never takes more memory than a small multiple of the text.
func parse(text []byte, pid int) (list []*Record) {
	c, err := records()
	if err != nil {
		return nil
	}
	var all []Record
	if c.Decode(text, &all, nil) != nil {
		return nil
	}
	for i := range all {
		if r := &all[i]; r.sound() {
			r.pid = pid
			list = append(list, r)
		}
	}
	return list
}

// sound reports whether the numbers are such that no sum of them overflows.
func (r *Record) sound() bool {
	for _, h := range r.Holds {
		if h.Has < 0 || h.Has > All {
			return false
		}
	}
	return r.Wants > 0 && r.Wants <= All && r.What.Shares > 0 && r.What.Shares <= All
}
