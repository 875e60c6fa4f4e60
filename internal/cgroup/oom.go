package cgroup

import (
	"os"
	"strconv"
	"strings"
	"sync"
)

// OOMKills follows the counter of the kernel's out-of-memory killer, so that a death
// by SIGKILL can be told from one that somebody asked for. The zero OOMKills follows
// the counter of this process's own memory group, and that of the machine where there
// is no such group. It is safe for concurrent use.
//
// The kernel counts victims and does not name them to whoever has no rights: the death
// of a process that is no worker, in the same group, can be taken for a worker's.
type OOMKills struct {
	Path string // of the counter; "": found at Begin

	mu   sync.Mutex
	on   bool   // begun
	seen uint64 // victims that are accounted for
	ok   bool   // there is a counter
}

// Begin counts from now on. It reads a few files the first time, and does nothing
// after that.
func (o *OOMKills) Begin() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.on {
		o.begin()
	}
}

// Follow is Begin with another counter, or with none: then it is looked for again.
func (o *OOMKills) Follow(path string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.Path = path
	o.begin()
}

func (o *OOMKills) begin() {
	o.on = true
	for _, path := range o.paths() {
		if o.seen, o.ok = victims(path); o.ok {
			o.Path = path
			return
		}
	}
}

func (o *OOMKills) paths() []string {
	if o.Path != "" {
		return []string{o.Path}
	}
	return counters()
}

// Took reports whether there is a victim that nobody has asked about yet, and accounts
// for it.
func (o *OOMKills) Took() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.ok {
		return false
	}
	n, ok := victims(o.Path)
	if !ok || n <= o.seen {
		return false
	}
	o.seen++
	return true
}

// victims reads the line "oom_kill 3" of a file.
func victims(path string) (n uint64, ok bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	return field(string(text), "oom_kill")
}

// field reads a line such as "oom_kill 3" of a text.
func field(text, name string) (n uint64, ok bool) {
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == name {
			n, err := strconv.ParseUint(f[1], 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}
