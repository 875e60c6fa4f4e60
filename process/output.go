package process

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem/internal/sys"
	"github.com/tandem-go/tandem/internal/wire"
)

const (
	tailLines = 20      // lines of standard error that are kept
	tailWidth = 1 << 10 // bytes of each
	longLine  = 64 << 10

	lastWords = 250 * time.Millisecond // how long a dead worker's pipe may stay silent
	lastWord  = time.Second            // and how long somebody else may speak on it
	atOnce    = time.Millisecond       // and then for what is there already

	longestPipe = 1 << 20 // bytes; more was not there when the worker died
)

// output relays what a worker writes, line by line.
type output struct {
	worker *worker
	sink   *sink
	log    *wire.Conn // records of log/slog; nil: nobody asked for them
	relays sync.WaitGroup

	process atomic.Pointer[Process] // the worker's, known when it has been started
	only    atomic.Pointer[string]  // the one task of a process with one
	ready   []func() error          // relays to be started when the process has been
	pipes   []*os.File
	dead    atomic.Pointer[time.Time] // the worker is, and when the listening ends
	moves   atomic.Int64              // what was read, and what was taken by a Writer or the Handler
	over    atomic.Bool               // finish has not waited for them; they get nothing more

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
	w.output = &output{worker: w, sink: w.plan.sink}
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
	if s.theirs[1] = w.plan.sink.direct; s.theirs[1] == nil {
		if s.theirs[1], err = w.output.relay(&stream{of: w.output, number: stdout}); err != nil {
			return s, err
		}
		s.ours = append(s.ours, s.theirs[1])
	}
	if s.theirs[2], err = w.output.relay(&stream{of: w.output, number: stderr}); err != nil {
		return s, err
	}
	s.ours = append(s.ours, s.theirs[2])
	return s, nil
}

// relay prepares the copying of a stream's lines and returns the end that is written
// to.
func (o *output) relay(lines *stream) (*os.File, error) {
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
			o.copy(lines, src)
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

// copy passes whole lines on. Who takes them slowly slows the worker down: its pipe is
// full then. A line that never ends comes in pieces.
func (o *output) copy(lines *stream, src *os.File) {
	var buf []byte
	chunk := make([]byte, 8<<10)
	left := longestPipe
	for {
		n, err := src.Read(chunk)
		o.moves.Add(1)
		buf = append(buf, chunk[:n]...)
		for {
			end := bytes.IndexByte(buf, '\n') + 1
			if end == 0 {
				if len(buf) < longLine && (err == nil || len(buf) == 0) {
					break
				}
				end = len(buf)
			}
			if lines.number == stderr {
				o.remember(buf[:end])
			}
			lines.put(buf[:end])
			o.moves.Add(1)
			buf = buf[end:]
		}
		if o.dead.Load() != nil {
			src.SetReadDeadline(time.Now().Add(o.patience()))
			left -= n
		}
		if err != nil || left < 0 {
			return
		}
	}
}

// patience is how long a dead worker's pipe may stay silent now. It is asked for after the
// writing, which may have taken long: what lay in the pipe at the worker's death is read
// whatever the time.
func (o *output) patience() time.Duration {
	return max(atOnce, min(lastWords, time.Until(*o.dead.Load())))
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
// may hold them open and write for ever; it is not listened to for long. Nor is a
// Writer or a Handler waited for that does not come back: that could be for ever, too,
// and calls and Close wait for the burial. One that is slow has its time.
func (o *output) finish() {
	end := time.Now().Add(lastWord)
	o.dead.Store(&end)
	for _, r := range o.pipes {
		r.SetReadDeadline(time.Now().Add(lastWords))
	}
	if o.log != nil {
		o.log.Expire(lastWords)
	}
	relayed := aside(o.relays.Wait)
	for seen := int64(-1); seen != o.moves.Load(); {
		seen = o.moves.Load()
		select {
		case <-relayed:
			return
		case <-time.After(o.worker.plan.Limits.GraceTime() + exitTime):
		}
	}
	o.over.Store(true)
}
