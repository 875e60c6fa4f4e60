package leak

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/tandem-go/tandem/internal/spawn"
)

// helper is the part that the process beside a root program plays.
const helper = "leaks"

func init() {
	if spawn.Plays(helper) {
		watch(os.NewFile(3, "ledger"), os.Stderr)
		syscall.Exit(0) // not os.Exit, which in a race build sleeps for a second
	}
}

// beside starts the process beside a root program and returns where entries go; nil in
// a worker, and if it cannot be started.
func beside() *os.File {
	if _, worker := spawn.Channel(); worker {
		return nil
	}
	r, w, err := os.Pipe()
	if err == nil {
		var null *os.File
		if null, err = os.OpenFile(os.DevNull, os.O_RDWR, 0); err == nil {
			_, err = spawn.Helper(helper, "tandem-leaks", []*os.File{null, null, os.Stderr, r})
			null.Close()
		}
		r.Close()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "tandem: TANDEMDEBUG=leaks: the report of this program will not come:", err)
		w.Close()
		return nil
	}
	return w
}

// maxEntry bounds an entry: names and stacks are short.
const maxEntry = 1 << 20

// watch applies entries until the program has ended, and reports.
func watch(entries io.Reader, to io.Writer) {
	r := bufio.NewReader(entries)
	l := list{}
	for {
		var size [4]byte
		if _, err := io.ReadFull(r, size[:]); err != nil {
			break
		}
		n := binary.LittleEndian.Uint32(size[:])
		if n > maxEntry {
			break
		}
		b := make([]byte, n)
		if _, err := io.ReadFull(r, b); err != nil {
			break // the program was killed in the midst of it
		}
		l.apply(parse(b))
	}
	io.WriteString(to, l.report("at the end of the program"))
}
