package cgroup

import (
	"os"
	"path/filepath"
)

// unlimited and more is a limit that is none: version 1 writes a number for it.
const unlimited = 1 << 60

// Ceiling is the least limit of memory above this process: that of its container, or
// its own.
type Ceiling struct {
	Dir   string // the group that has it
	Bytes int64
	Whole bool // one process that is killed for it takes all of the group along

	two bool
}

// FindCeiling finds it. ok is false if there is none.
func FindCeiling() (c Ceiling, ok bool) {
	m, _ := Own()
	return m.Ceiling()
}

// Ceiling is FindCeiling for a process that is in m.
func (m Membership) Ceiling() (c Ceiling, ok bool) {
	dir, name := m.One[Memory], "memory.limit_in_bytes"
	two := dir == ""
	if two {
		dir, name = m.Two, "memory.max"
	}
	for whole := false; dir != ""; dir = filepath.Dir(dir) {
		if group, err := number(dir, "memory.oom.group"); two && err == nil && group == 1 {
			whole = true
		}
		bytes, err := number(dir, name)
		if err != nil {
			// The root of version 2 has none, and above the root there is no group. Below
			// it a leaf may lack the controller.
			if _, err := os.Stat(filepath.Join(filepath.Dir(dir), name)); err != nil {
				return c, ok
			}
			continue
		}
		if bytes < unlimited && (!ok || bytes < c.Bytes) {
			c, ok = Ceiling{dir, bytes, whole, two}, true
		}
	}
	return c, ok
}

// Used is how much memory the group has in use that it cannot give back: without the
// pages of files.
func (c Ceiling) Used() (int64, error) {
	name, pages := "memory.usage_in_bytes", "total_"
	if c.two {
		name, pages = "memory.current", ""
	}
	used, err := number(c.Dir, name)
	if err != nil {
		return 0, err
	}
	text, err := os.ReadFile(filepath.Join(c.Dir, "memory.stat"))
	for _, kind := range []string{"inactive_file", "active_file"} {
		n, _ := field(string(text), pages+kind)
		used -= int64(n)
	}
	return used, err
}

// Hit reports whether the limit was ever reached, which is no death as long as pages
// of files give way.
func (c Ceiling) Hit() bool {
	if !c.two {
		return full(c.Dir, true)
	}
	text, _ := os.ReadFile(filepath.Join(c.Dir, "memory.events"))
	n, _ := field(string(text), "oom")
	return n > 0
}
