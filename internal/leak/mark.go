package leak

import (
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/tandem-go/tandem/internal/sys"
)

// watched reports whether what is left open is to be told.
var watched = sys.Debugs("leaks")

// Mark stands for one thing that is open. A nil Mark stands for nothing. Its methods
// are safe for concurrent use.
type Mark struct {
	number uint64
	over   atomic.Bool
}

// Open notes a thing that has been opened: what kind it is, and its name, "" for none.
// The result is nil if nobody wants to know.
func Open(kind, name string) *Mark {
	if !watched {
		return nil
	}
	stack, _ := caller()
	return enter(thing{Kind: kind, Name: name, Stack: stack})
}

// OpenHere is Open for what tandem itself opens, too, and closes in its time, such as
// the handles in a task's argument: then the result is nil.
func OpenHere(kind string) *Mark {
	if !watched {
		return nil
	}
	stack, theirs := caller()
	if !theirs {
		return nil
	}
	return enter(thing{Kind: kind, Stack: stack})
}

func enter(t thing) *Mark {
	m := &Mark{}
	ledger.Lock()
	defer ledger.Unlock()
	ledger.last++
	m.number = ledger.last
	note(entry{number: m.number, thing: t})
	return m
}

// Close notes that the thing was closed. It may be called again.
func (m *Mark) Close() { m.end(verbClose) }

func (m *Mark) end(verb byte) {
	if m == nil || m.over.Swap(true) {
		return
	}
	ledger.Lock()
	defer ledger.Unlock()
	note(entry{verb: verb, number: m.number})
}

// Watch has m noted as garbage when nobody has the object any more, unless it was closed
// before.
func Watch[T any](object *T, m *Mark) {
	if m != nil {
		runtime.AddCleanup(object, func(m *Mark) { m.end(verbCollect) }, m)
	}
}

// ledger is this process's list. A root program's is kept by the process beside it.
var ledger struct {
	sync.Mutex
	last   uint64
	list   list
	beside *os.File // where a root program's entries go
	begun  bool
}

// note enters e. The lock is held.
func note(e entry) {
	if !ledger.begun {
		ledger.begun = true
		ledger.list = list{}
		ledger.beside = beside()
	}
	if ledger.beside == nil {
		ledger.list.apply(e)
		return
	}
	text := e.append(nil)
	frame := append(binary.LittleEndian.AppendUint32(nil, uint32(len(text))), text...)
	if _, err := ledger.beside.Write(frame); err != nil {
		fmt.Fprintln(os.Stderr, "tandem: TANDEMDEBUG=leaks: the report of this program will not come:", err)
		ledger.beside.Close()
		ledger.beside = nil
	}
}

// Leave writes the report of a worker that is about to end, by its name.
func Leave(name string) {
	if !watched {
		return
	}
	ledger.Lock()
	defer ledger.Unlock()
	if text := ledger.list.report("in " + name + " when it left"); text != "" {
		os.Stderr.WriteString(text)
	}
}

const module = "github.com/tandem-go/tandem"

// caller is the stack of who called into tandem, without what is tandem's of it, in a
// worker as far as the task. If all of it is tandem's, it is that, and theirs is false.
func caller() (stack string, theirs bool) {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	var own, other strings.Builder
	lines := 0
	for more := true; more && lines < maxFrames; {
		var f runtime.Frame
		f, more = frames.Next()
		to := &own
		switch {
		case f.Function == module+".Init": // what a worker's main did before it served
			more = false
		case !ours(f.Function):
			to = &other
			lines++
		}
		fmt.Fprintf(to, "\t%s\n\t\t%s:%d\n", f.Function, f.File, f.Line)
	}
	if lines > 0 {
		return other.String(), true
	}
	return own.String(), false
}

// maxFrames is how much of a stack is told.
const maxFrames = 12

// ours reports whether a function belongs to the library and not to its tests, or is
// what every stack has.
func ours(function string) bool {
	if function == "" || strings.HasPrefix(function, "runtime.") || strings.HasPrefix(function, "sync.") {
		return true
	}
	rest, found := strings.CutPrefix(function, module)
	if !found {
		return false
	}
	for _, p := range []string{".", "/internal/", "/process.", "/shared.", "/thread."} {
		if strings.HasPrefix(rest, p) {
			return true
		}
	}
	return false
}
