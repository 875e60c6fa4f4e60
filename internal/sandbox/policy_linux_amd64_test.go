package sandbox

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tandem-go/tandem/internal/sys"
)

// TestFit: what a system lacks is named, and is not in force.
func TestFit(t *testing.T) {
	real := offer
	t.Cleanup(func() { offer = real })
	all := Policy{Files: true, Network: true, Exec: true, PIDs: true, UID: 7, GID: 7}
	for _, c := range []struct {
		has     offered
		missing string // "" for nothing
		force   string
	}{
		{offered{landlock: 7, filter: true, root: true}, "", "no new privileges, landlock, files, system calls, no network, no programs, PID namespace, user 7"},
		{offered{landlock: 7, filter: true}, "only root", "no new privileges, landlock, files, system calls, no network, no programs, PID namespace"},
		{offered{landlock: 5, filter: true, root: true}, "version 5 of landlock", "no new privileges, landlock 5, files, system calls, no network, no programs, PID namespace, user 7"},
		{offered{filter: true, root: true}, "no landlock", "no new privileges, system calls, no network, no programs, PID namespace, user 7"},
		{offered{landlock: 7, root: true}, "no seccomp", "no new privileges, landlock, files, PID namespace, user 7"},
		{offered{none: errors.ErrUnsupported}, "unsupported", "no new privileges"},
	} {
		offer = func() offered { return c.has }
		p := all
		missing := p.Fit()
		if (missing == nil) != (c.missing == "") || missing != nil && (!errors.Is(missing, errors.ErrUnsupported) || !strings.Contains(missing.Error(), c.missing)) {
			t.Errorf("%+v: missing %v, want %q", c.has, missing, c.missing)
		}
		if got := p.String(); got != c.force {
			t.Errorf("%+v: in force %q, want %q", c.has, got, c.force)
		}
		if p.None() != (c.has.none != nil) || (p.Calls() != nil) != c.has.filter {
			t.Errorf("%+v: None %v, Calls %v", c.has, p.None(), p.Calls())
		}
	}
}

// TestRules: the kernel takes the rules of every version up to its own, which is how
// an older one would be asked.
func TestRules(t *testing.T) {
	newest := sys.LandlockABI()
	if newest == 0 {
		t.Skip("this kernel has no landlock")
	}
	for version := 1; version <= newest; version++ {
		p := Policy{Files: true, Read: []string{"/usr", "/etc/passwd"}, Write: []string{t.TempDir()}, landlock: version}
		l, err := p.rules()
		if err != nil {
			t.Errorf("version %d: %v", version, err)
			continue
		}
		l.close()
		l.unpin()
	}
	p := Policy{Files: true, Write: []string{"/nowhere"}, landlock: newest}
	if _, err := p.rules(); !errors.Is(err, unix.ENOENT) {
		t.Errorf("a rule for a file that is not there: %v", err)
	}
}

// TestProgram: the kernel takes programs of no more than so many instructions, and
// jumps of one byte.
func TestProgram(t *testing.T) {
	for _, c := range []Calls{{}, {Network: true, Exec: true}, {Network: true, Exec: true, Alone: true}} {
		p := c.program()
		for i, in := range p {
			if in.Code&7 == unix.BPF_JMP && i+1+int(max(in.Jt, in.Jf)) >= len(p) {
				t.Errorf("%+v: instruction %d jumps out of the program", c, i)
			}
		}
		if last := p[len(p)-1]; len(p) > unix.BPF_MAXINSNS || last.Code&7 != unix.BPF_RET {
			t.Errorf("%+v: %d instructions, the last %+v", c, len(p), last)
		}
	}
}
