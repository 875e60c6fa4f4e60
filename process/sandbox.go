package process

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"

	"github.com/tandem-go/tandem/internal/sandbox"
	"github.com/tandem-go/tandem/internal/spawn"
	"github.com/tandem-go/tandem/internal/sys"
)

// Sandbox is what the tasks of a process cannot do, whatever code runs in them, C
// code too, and neither can what they start. Even the zero Sandbox, in &Sandbox{},
// means this:
//
//   - No program that they execute has more rights than they; root has no
//     capabilities.
//   - Other processes, this one and the other workers of the pool among them, cannot
//     be traced, signalled or slowed down, nor their memory, environment or
//     descriptors read in /proc.
//   - About eighty system calls that no task has a use for fail with EPERM: mount,
//     ptrace, bpf, io_uring, keyrings, modules, System V shared memory and the like.
//   - No descriptor is inherited but the standard streams and Config.ExtraFiles, also
//     of those that C code opened without the mark close-on-exec. A task's argument
//     can hold files.
//
// The fields take more away. What this system cannot keep is refused where the
// process is started, with an error that says what, and that is errors.ErrUnsupported.
// Complete it needs Linux 6.12 on amd64; root is not needed, but for UID.
//
// All holds before the first value of a task is decoded. What runs before, the
// initialisation of packages, C constructors, and main above tandem.Init, is under
// all of it but the filter of system calls, NoNetwork and NoExec among it.
//
// It is no virtual machine: one kernel serves both sides. It takes no time away and
// no memory: that is what Limits are for. The environment is not hidden; see Config.Env.
// A Sandbox must not be changed once it is used.
type Sandbox struct {
	// Read lists files and folders that can be read and executed, Write those that can
	// be read and changed; a file that was written there cannot be executed. If one of
	// them is set, or NoFiles, all other files are closed, but for this program itself
	// with its libraries, /dev/null, /dev/urandom, /proc/meminfo and the time zones.
	// Whatever is open already can be used, and files in arguments. Names and sizes of
	// files can still be asked for by path. The paths are this process's, and must exist.
	Read, Write []string

	// NoFiles closes the file system, but for Read and Write.
	NoFiles bool

	// NoNetwork refuses to make sockets of any kind, those to programs of this machine
	// too. Connected ones can be given in arguments.
	NoNetwork bool

	// NoExec refuses to start programs and processes. Threads are none.
	NoExec bool

	// PIDNamespace makes the process the first of a space of process ids of its own. It
	// sees no other, and when it ends the kernel ends all that it has started. Locks of
	// package shared are errors.ErrUnsupported there. It needs root or UserNamespace.
	PIDNamespace bool

	// NetworkNamespace gives the process a network of its own without any device. It
	// needs root or UserNamespace, and takes most of a millisecond.
	NetworkNamespace bool

	// UserNamespace gives the process a space of users of its own, in which it is
	// nobody. Files it uses as before. Some systems do not allow it.
	UserNamespace bool

	// UID and GID are the user and the group that the process runs as, without further
	// groups; 0 is this process's own. Set both. Only root can, and not beside
	// UserNamespace. Of that user should nothing else run.
	UID, GID int

	// BestEffort takes what of all this the system can keep, and no more. Stats.Sandbox
	// and Process.Sandbox say what it is.
	BestEffort bool
}

// check reports what makes no sense or cannot be kept.
func (s *Sandbox) check() error {
	switch {
	case s == nil:
		return nil
	case s.UID < 0 || s.GID < 0 || (s.UID == 0) != (s.GID == 0):
		return fmt.Errorf("tandem: Config.Sandbox: UID %d and GID %d; set both to more than 0, or none", s.UID, s.GID)
	case s.UID != 0 && s.UserNamespace:
		return fmt.Errorf("tandem: Config.Sandbox: UID beside UserNamespace, in which there is only one user: %w", errors.ErrUnsupported)
	}
	for _, path := range slices.Concat(s.Read, s.Write) {
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("tandem: Config.Sandbox: what is in Read and Write must exist: %w", err)
		}
	}
	if _, missing := s.policy(); missing != nil && !s.BestEffort {
		return fmt.Errorf("%w; BestEffort takes what there is", missing)
	}
	return nil
}

// policy is what can be kept of s, and what cannot; nil for none.
func (s *Sandbox) policy() (p *sandbox.Policy, missing error) {
	if s == nil {
		return nil, nil
	}
	p = &sandbox.Policy{
		Files: s.NoFiles || s.Read != nil || s.Write != nil, Read: s.Read, Write: s.Write,
		Network: s.NoNetwork, Exec: s.NoExec,
		PIDs: s.PIDNamespace, Networks: s.NetworkNamespace, Users: s.UserNamespace,
		UID: s.UID, GID: s.GID,
	}
	missing = p.Fit()
	if p.None() {
		return nil, missing
	}
	return p, missing
}

// startConfined starts c under the sandbox of w's plan.
func (w *worker) startConfined(c spawn.Command) (*spawn.Proc, error) {
	s := w.plan.Sandbox
	w.sandbox, _ = s.policy()
	if w.sandbox == nil {
		return spawn.Start(c)
	}
	c.Confine = w.enclose
	proc, err := spawn.Start(c)
	if err == nil || !w.sandbox.Namespaces() || !sandbox.Refused(err) {
		return proc, err
	}
	if !s.BestEffort {
		return nil, fmt.Errorf("tandem: Config.Sandbox: this system does not let this program make the namespaces (%v); without root they need UserNamespace, too: %w: %w", w.sandbox, errors.ErrUnsupported, err)
	}
	w.sandbox = w.sandbox.WithoutNamespaces()
	c.Confine = w.enclose
	return spawn.Start(c)
}

// enclose makes the thread, from which the process is forked, what that is to be. Of
// the process's own threads its CPUs and its priority could not be told: their list is
// in /proc, which a sandbox may close.
func (w *worker) enclose(attr *syscall.SysProcAttr) (undo func(), err error) {
	if cpus := w.plan.CPUs; len(cpus) > 0 {
		if err := sys.SetAffinity(0, cpus); err != nil {
			return nil, err
		}
	}
	if n := w.plan.Nice; n > 0 {
		if err := sys.ReniceThread(n); err != nil {
			return nil, err
		}
	}
	if class := w.plan.IOClass.rank(); class != 0 {
		if err := sys.RankThreadIO(class, w.plan.IOLevel); err != nil {
			return nil, err
		}
	}
	return w.sandbox.Confine(attr)
}
