// Package sandbox takes from a process what its task has no need of. Three things
// are put together: what the thread does to itself from which the process is forked
// (no new privileges, no capabilities, landlock), what the fork is asked for
// (namespaces, another user), and what the process does to all of its threads
// before it reads its first task (a filter of system calls).
//
// The first must come before the fork: landlock restricts one thread and what it
// forks, and a process that has C code in it has several threads before Go runs.
// The last must come after the exec, which it may forbid.
package sandbox

import (
	"errors"
	"fmt"
	"strings"
)

// Policy is what a process may not do.
type Policy struct {
	Files       bool     // only these can be used:
	Read, Write []string // also executed; also changed

	Network bool // no socket can be made
	Exec    bool // no program and no process can be started

	PIDs, Networks, Users bool // namespaces of its own

	UID, GID int // 0: those of the parent

	landlock int  // version that is used, 0 none
	filter   bool // of system calls
}

// leastLandlock is the version from which on nothing is missing: Linux 6.12.
const leastLandlock = 6

// Fit makes p what this system can keep of it, and says what it cannot.
func (p *Policy) Fit() (missing error) {
	o := offer()
	if o.none != nil {
		*p = Policy{}
		return o.none
	}
	var list []error
	lacks := func(what, why string) {
		list = append(list, fmt.Errorf("tandem: Config.Sandbox: %s: %s: %w", what, why, errors.ErrUnsupported))
	}
	p.landlock, p.filter = o.landlock, o.filter
	switch {
	case o.landlock == 0:
		lacks("files and signals", "this kernel has no landlock, or does not let this program use it")
		p.Files = false
	case o.landlock < leastLandlock:
		lacks("files and signals", fmt.Sprintf("this kernel has version %d of landlock; it takes %d (Linux 6.12)", o.landlock, leastLandlock))
	}
	if !o.filter {
		lacks("system calls", "this kernel has no seccomp, or does not let this program use it")
		p.Network, p.Exec = false, false
	}
	if p.UID != 0 && !o.root {
		lacks("UID", "only root can start a process as another user")
		p.UID, p.GID = 0, 0
	}
	return errors.Join(list...)
}

// None reports that nothing of p is in force.
func (p *Policy) None() bool { return p.landlock == 0 && !p.filter && !p.Namespaces() && p.UID == 0 }

// Namespaces reports whether p has any, and so may be refused by the fork.
func (p *Policy) Namespaces() bool { return p.PIDs || p.Networks || p.Users }

// WithoutNamespaces is p but for them.
func (p *Policy) WithoutNamespaces() *Policy {
	q := *p
	q.PIDs, q.Networks, q.Users = false, false, false
	return &q
}

// String lists what is in force, for people; "" for a nil p.
func (p *Policy) String() string {
	if p == nil {
		return ""
	}
	list := []string{"no new privileges"}
	add := func(on bool, what string) {
		if on {
			list = append(list, what)
		}
	}
	add(p.landlock > 0 && p.landlock < leastLandlock, fmt.Sprintf("landlock %d", p.landlock))
	add(p.landlock >= leastLandlock, "landlock")
	add(p.Files, "files")
	add(p.filter, "system calls")
	add(p.Network, "no network")
	add(p.Exec, "no programs")
	add(p.PIDs, "PID namespace")
	add(p.Networks, "network namespace")
	add(p.Users, "user namespace")
	add(p.UID != 0, fmt.Sprintf("user %d", p.UID))
	return strings.Join(list, ", ")
}

// offered is what this system has for sandboxes.
type offered struct {
	none     error // it has nothing
	landlock int
	filter   bool
	root     bool
}
