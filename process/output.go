package process

import (
	"bytes"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem/internal/sys"
)

const (
	tailLines = 20      // lines of standard error that are kept
	tailWidth = 1 << 10 // bytes of each
	longLine  = 64 << 10

	lastWords = 250 * time.Millisecond // how long a dead worker's pipe may stay silent
	lastWord  = time.Second            // and how long it is listened to at all
)

// output relays what a worker writes, line by line.
type output struct {
	writing *sync.Mutex // held for each Write, by all workers of a pool
	relays  sync.WaitGroup
	ready   []func() error // relays to be started when the process has been
	pipes   []*os.File
	dead    atomic.Pointer[time.Time] // the worker is, and when the listening ends

	mu   sync.Mutex
	tail []string
	head []string // the lines around the last one that may begin a crash report
	more int      // how many more belong to head
}

// A crash report of the Go runtime is longer than the tail, and its beginning,
// which says what happened, is only on standard error. So the lines before and
// after what looks like its beginning are kept apart.
const headLines = 12

var beginnings = []string{"fatal error: ", "panic: ", "runtime: goroutine stack exceeds", "runtime: out of memory", "SIGSEGV: ", "SIGBUS: ", "SIGABRT: ", "SIGFPE: ", "SIGILL: ", "SIGQUIT: ", "SIGSYS: ", "SIGTRAP: "}

// stdio is the worker's three standard streams and what must be closed when it
// has them.
type stdio struct {
	theirs [3]*os.File
	ours   []*os.File
}

func (s *stdio) closeTheirs() {
	for _, f := range s.ours {
		f.Close()
	}
}

// nothing is the null device, opened once: each process gets a duplicate.
var nothing = sync.OnceValues(func() (*os.File, error) { return os.Open(os.DevNull) })

// open makes the standard streams of w's process.
func (w *worker) open() (s stdio, err error) {
	w.output = &output{writing: w.plan.writing}
	defer func() {
		if err != nil {
			s.closeTheirs()
			w.output.begin()
		}
	}()
	if s.theirs[0] = w.plan.Stdin; s.theirs[0] == nil {
		if s.theirs[0], err = nothing(); err != nil {
			return s, err
		}
	}
	switch out := w.plan.Stdout.(type) {
	case nil:
		s.theirs[1] = os.Stdout
	case *os.File:
		s.theirs[1] = out
	default:
		if s.theirs[1], err = w.output.relay(out, false); err != nil {
			return s, err
		}
		s.ours = append(s.ours, s.theirs[1])
	}
	errs := w.plan.Stderr
	if errs == nil {
		errs = os.Stderr
	}
	if s.theirs[2], err = w.output.relay(errs, true); err != nil {
		return s, err
	}
	s.ours = append(s.ours, s.theirs[2])
	return s, nil
}

// relay prepares the copying of lines to dst and returns the end that is written
// to.
func (o *output) relay(dst io.Writer, keep bool) (*os.File, error) {
	r, w, err := sys.Pipe()
	if err != nil {
		return nil, err
	}
	theirs, err := sys.File(w, "output", false)
	if err != nil {
		sys.CloseAll([]int{r})
		return nil, err
	}
	o.ready = append(o.ready, func() error {
		// The poller is told after the exec: it is no part of what a start waits for.
		src, err := sys.File(r, "output", true)
		if err != nil {
			return err
		}
		o.pipes = append(o.pipes, src)
		o.relays.Go(func() {
			defer src.Close()
			o.copy(dst, src, keep)
		})
		return nil
	})
	return theirs, nil
}

// begin starts the relays, when the ends that are written to are the worker's
// alone.
func (o *output) begin() (err error) {
	for _, relay := range o.ready {
		err = errors.Join(err, relay())
	}
	o.ready = nil
	return err
}

// copy writes whole lines, each with one Write, so that lines of several workers
// do not mix. A line that never ends is cut. What dst refuses is dropped: a
// worker must not block for ever on a log that is gone.
func (o *output) copy(dst io.Writer, src *os.File, keep bool) {
	var buf []byte
	chunk := make([]byte, 8<<10)
	for {
		n, err := src.Read(chunk)
		buf = append(buf, chunk[:n]...)
		if end := o.dead.Load(); n > 0 && end != nil {
			src.SetReadDeadline(time.Now().Add(min(lastWords, time.Until(*end))))
		}
		for {
			end := bytes.IndexByte(buf, '\n') + 1
			if end == 0 {
				if len(buf) < longLine && (err == nil || len(buf) == 0) {
					break
				}
				end = len(buf)
			}
			if keep {
				o.remember(buf[:end])
			}
			o.writing.Lock()
			dst.Write(buf[:end])
			o.writing.Unlock()
			buf = buf[end:]
		}
		if err != nil {
			return
		}
	}
}

func (o *output) remember(line []byte) {
	line = bytes.TrimRight(line, "\r\n")
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.tail) == tailLines {
		o.tail = append(o.tail[:0], o.tail[1:]...)
	}
	kept := string(line[:min(len(line), tailWidth)])
	o.tail = append(o.tail, kept)
	if o.more > 0 {
		o.head = append(o.head, kept)
		o.more--
	} else if beginsReport(kept) {
		o.head = append([]string(nil), o.tail...)
		o.more = headLines
	}
}

func beginsReport(line string) bool {
	return slices.ContainsFunc(beginnings, func(b string) bool { return strings.HasPrefix(line, b) })
}

// lines are the last lines of standard error; of a process that the Go runtime
// ended, the last before the report and the report's first.
func (o *output) lines(crashed bool) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if crashed && o.head != nil {
		return append([]string(nil), o.head...)
	}
	return append([]string(nil), o.tail...)
}

// finish reads what a dead worker left in the pipes. A descendant that got away
// may hold them open and write for ever; it is not listened to for long.
func (o *output) finish() {
	end := time.Now().Add(lastWord)
	o.dead.Store(&end)
	for _, r := range o.pipes {
		r.SetReadDeadline(time.Now().Add(lastWords))
	}
	o.relays.Wait()
}
