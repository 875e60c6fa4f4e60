package process

import (
	"io"
	"os"
	"strings"
	"sync"
)

// sink is where the lines of all workers of a plan go: their Writers, or the Logger.
type sink struct {
	direct  *os.File // standard output goes there without passing through here; nil: it passes
	writers [2]io.Writer
	prefix  bool

	mu   sync.Mutex // held for each Write
	open [2]*stream // by Writer: whose line has no end yet, nil if the last has one
	same bool       // both streams have one Writer
	buf  []byte
}

// Which stream.
const (
	stdout = iota
	stderr
)

var streamNames = [...]string{"stdout", "stderr"}

// newSink finds out where c wants the lines. A stream without a Writer goes to the
// Logger.
func newSink(c *Config) *sink {
	s := &sink{writers: [2]io.Writer{c.Stdout, c.Stderr}, prefix: c.Prefix}
	if c.Logger == nil {
		for i, own := range []*os.File{os.Stdout, os.Stderr} {
			if s.writers[i] == nil {
				s.writers[i] = own
			}
		}
	}
	if f, ok := s.writers[stdout].(*os.File); ok && !c.Prefix {
		s.direct = f
	}
	s.same = same(s.writers[stdout], s.writers[stderr])
	return s
}

// same reports whether v and w are one. Values of a type that cannot be compared are
// two.
func same(v, w io.Writer) (yes bool) {
	defer func() { _ = recover() }()
	return v == w
}

// stream is one of a worker's two, on its way to the sink.
type stream struct {
	of     *output
	number int
	within bool // the last piece had no end
}

// put passes on a piece: a line, or a part of one that is too long or never ended.
func (t *stream) put(piece []byte) {
	within := t.within
	t.within = piece[len(piece)-1] != '\n'
	if t.of.sink.writers[t.number] == nil {
		t.of.record(t.number, strings.TrimRight(string(piece), "\r\n"))
		return
	}
	t.of.sink.write(t, piece, within)
}

// write writes a piece of t. A line of another worker that has no end gets one first:
// to hold all others up until its rest comes could take for ever.
func (s *sink) write(t *stream, piece []byte, within bool) {
	prefix := ""
	if s.prefix {
		prefix = t.of.prefix()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.of.over.Load() {
		return
	}
	n := t.number
	if s.same {
		n = 0
	}
	dst, last := s.writers[n], s.open[n]
	if last != nil && last != t {
		dst.Write([]byte{'\n'})
	}
	if prefix != "" && !(within && last == t) {
		s.buf = append(append(s.buf[:0], prefix...), piece...)
		piece = s.buf
	}
	s.open[n] = nil
	if piece[len(piece)-1] != '\n' {
		s.open[n] = t
	}
	dst.Write(piece)
}

// prefix names the worker and what runs in it, in the short form of its name.
func (o *output) prefix() string {
	name, task := o.source()
	if task != "" {
		task = " " + task[strings.LastIndexByte(task, '/')+1:]
	}
	return "[" + name + task + "] "
}

// source is the worker's name and the full name of the task that runs in it, or ran
// last; "" if that is not known.
func (o *output) source() (name, task string) {
	w := o.worker
	if p := o.process.Load(); p != nil {
		name = p.Name()
	}
	if only := o.only.Load(); only != nil {
		task = *only
	} else if w.plan.doing != nil {
		task = w.plan.doing(w)
	}
	return name, task
}

// doing is the task that runs in w, or ran last. Where several run it is "".
func (a *assignment) doing(w *worker) (task string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, here := a.workers[w]; !here {
		return ""
	}
	busy := 0
	for _, l := range w.lanes {
		var f *flight
		if len(l.row) > 0 {
			f = l.row[0]
			busy++
		} else if n := len(l.spare); n > 0 && busy == 0 {
			f = l.spare[n-1]
		}
		if f != nil {
			f.mu.Lock()
			task = f.task
			f.mu.Unlock()
		}
	}
	if busy > 1 || busy == 0 && len(w.lanes) > 1 {
		return ""
	}
	return task
}
