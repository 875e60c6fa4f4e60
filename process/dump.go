package process

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/sys"
)

// Dumps says that a file is kept of each death of a worker by a crash: what ended it and
// when, the Go runtime's report, the last lines of its standard error, its limits and
// what it had used, and the calls that ran in it, each with task, attempt and the
// fingerprint of its argument. CrashError.Dump is its path. Of deaths that tandem
// brought about, by a limit of time or by Close, there is none, but of those by
// Limits.Memory.
//
// The file is text for people, of at most some 100 KiB, written before the call's error
// is returned: that costs a death what a small file costs there. What cannot be
// written is left out; no task fails of it. It holds what the task wrote, so only the
// user may read it.
type Dumps struct {
	// Dir is the folder. It is made if it is not there.
	Dir string

	// Keep is how many files there may be of all programs that have the folder, 0 a
	// hundred. When there is one more, the oldest goes.
	Keep int

	// Core is the size to which the system may write the worker's memory to a file of
	// its own, in bytes (Linux: RLIMIT_CORE), 0 whatever it was before. Where that goes
	// is the system's business: see /proc/sys/kernel/core_pattern, and core(5). A crash
	// of Go code then ends in SIGABRT with the stacks of all goroutines on standard error.
	Core int64
}

const (
	defaultDumps = 100
	dumpPrefix   = "tandem-"
	dumpSuffix   = ".dump"
)

// check reports what makes no sense or cannot be kept, and makes the folder.
func (d *Dumps) check() error {
	switch {
	case d == nil:
		return nil
	case d.Dir == "":
		return errors.New("tandem: Dumps.Dir is not set; it is the folder for the files")
	case d.Keep < 0 || d.Core < 0:
		return fmt.Errorf("tandem: Dumps has a negative field (Keep %d, Core %d); zero means the default", d.Keep, d.Core)
	}
	if err := os.MkdirAll(d.Dir, 0o700); err != nil {
		return fmt.Errorf("tandem: Dumps.Dir: %w", err)
	}
	if d.Core > 0 {
		if most, err := sys.MaxCore(); err != nil || d.Core > most {
			return fmt.Errorf("tandem: Dumps.Core of %d cannot be kept, this process may have %d: %w", d.Core, most, errors.Join(err, errors.ErrUnsupported))
		}
	}
	return nil
}

// core is what the worker is told.
func (d *Dumps) core() int64 {
	if d == nil {
		return 0
	}
	return d.Core
}

// dump is the file of one death. A nil dump keeps nothing.
type dump struct {
	path string
	mu   sync.Mutex // held to add to it
}

// keep makes the file with the text in it; nil if that does not work.
func (d *Dumps) keep(pid int, text string) *dump {
	d.prune()
	name := dumpPrefix + time.Now().UTC().Format("20060102-150405.000000000") + fmt.Sprintf("-%d", pid) + dumpSuffix
	path := filepath.Join(d.Dir, name)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil
	}
	_, err = f.WriteString(text)
	if errors.Join(err, f.Close()) != nil {
		os.Remove(path) // half a text would be taken for the whole
		return nil
	}
	return &dump{path: path}
}

// prune makes room for one more file. Their names begin with the time.
func (d *Dumps) prune() {
	entries, err := os.ReadDir(d.Dir)
	if err != nil {
		return
	}
	entries = slices.DeleteFunc(entries, func(e os.DirEntry) bool {
		return !e.Type().IsRegular() || !strings.HasPrefix(e.Name(), dumpPrefix) || !strings.HasSuffix(e.Name(), dumpSuffix)
	})
	most := d.Keep
	if most == 0 {
		most = defaultDumps
	}
	for _, e := range entries[:max(0, len(entries)-most+1)] {
		os.Remove(filepath.Join(d.Dir, e.Name()))
	}
}

// where is the path, "" if there is no file.
func (d *dump) where() string {
	if d == nil {
		return ""
	}
	return d.path
}

// call adds a call that ran in the worker when it died.
func (d *dump) call(crash *tandem.CrashError, limits tandem.Limits) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	f, err := os.OpenFile(d.path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return // it was the oldest meanwhile
	}
	defer f.Close()
	fmt.Fprintf(f, "\ncall:    %s\nattempt: %d\ninput:   %s\nlimits:  %s\n", crash.Task, crash.Attempt, crash.Input, limitsText(limits))
}
