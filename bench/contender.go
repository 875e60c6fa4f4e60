//go:build linux

package main

import (
	"os/exec"
	"slices"
	"strings"

	"github.com/tandem-go/tandem/bench/internal/drive"
)

// contender is one way to run a function elsewhere, and what it can do.
type contender struct {
	name   string
	family string   // the tables are sorted by it
	note   string   // how it is used here, where that is not plain
	can    []string // the orders that its sessions obey, drive.Echo and so on
	local  bool     // the work stays in the calling process
	large  bool     // it is asked for a thousand idle workers too
	lacks  func(tools) string
	open   func(t tools, workers int) (drive.Session, error)
}

// The families, in the order of the tables.
const (
	familyTandem = "tandem"
	familySystem = "system"
	familyRPC    = "RPC"
	familyPython = "Python"
	familyLocal  = "in process"
)

// contenders is everyone. cloudwego/shmipc-go belongs here and is not: its module
// could not be fetched when this was written.
var contenders = slices.Concat(tandems, bares, rpcs, pythons, locals)

func (c *contender) able(order string) bool { return slices.Contains(c.can, order) }

// missing says what this machine lacks for c, "" for nothing.
func (c *contender) missing(t tools) string {
	if c.lacks == nil {
		return ""
	}
	return c.lacks(t)
}

// tools is what contenders outside this program need. The conductor finds it
// once, and hands it to its measuring processes.
type tools struct {
	Python   string // path of the interpreter, "" if there is none
	Version  string // of Python
	Script   string // path of rivals.py
	Rivals   string // path of the built bench/rivals, "" if it could not be built
	NoRivals string // why
	Locals   string // path of the built bench/locals, "" if it could not be built
	NoLocals string // why
	Small    string // path of the built bench/small, "" if it could not be built
	NoSmall  string // why
}

// remote opens a session of a contender in another program.
func remote(program string, args ...string) (drive.Session, error) {
	r, err := drive.Open(exec.Command(program, args...))
	if err != nil {
		return nil, err // not r: a nil *Remote is no nil Session
	}
	return r, nil
}

// describe lists the contenders and what they can do.
func describe(t tools) string {
	var b strings.Builder
	for _, c := range contenders {
		line := c.name
		if m := c.missing(t); m != "" {
			line += " (not here: " + m + ")"
		}
		b.WriteString("  " + line + strings.Repeat(" ", max(1, 28-len(line))) + strings.Join(c.can, " ") + "\n")
	}
	return b.String()
}
