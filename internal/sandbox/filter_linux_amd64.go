package sandbox

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/tandem-go/tandem/internal/sys"
)

// Install puts all threads of this process under the filter, for good.
func (c Calls) Install() error {
	if err := sys.InstallFilter(c.program()); err != nil {
		return fmt.Errorf("tandem: Config.Sandbox: the filter of system calls: %w", err)
	}
	return nil
}

// program is a filter in the kernel's own small machine code. It looks at the number
// of the call first and at arguments of few calls only: of a call that is allowed by
// its number alone the kernel remembers that, and does not run the filter again.
type program []unix.SockFilter

// Where the filter finds what; arguments are 64 bits wide, their lower half first.
const (
	atNumber  = 0
	atMachine = 4
	atArgs    = 16
)

// i386 calls come through the same door with other numbers, and the x32 calls with
// this bit.
const x32 = 1 << 30

func (c Calls) program() program {
	var p program
	p.load(atMachine)
	p.skipIf(unix.BPF_JEQ, unix.AUDIT_ARCH_X86_64)
	p.refuse(unix.EPERM)
	p.load(atNumber)
	p.refuseIf(unix.BPF_JGE, x32, unix.EPERM)
	for _, n := range dangerous {
		p.refuseIf(unix.BPF_JEQ, n, unix.EPERM)
	}
	if c.Network {
		p.refuseIf(unix.BPF_JEQ, unix.SYS_SOCKET, unix.EPERM)
	}
	if c.Exec {
		for _, n := range []uint32{unix.SYS_EXECVE, unix.SYS_EXECVEAT, unix.SYS_FORK, unix.SYS_VFORK} {
			p.refuseIf(unix.BPF_JEQ, n, unix.EPERM)
		}
	}
	// The flags of clone3 lie in memory, where a filter cannot look: whoever calls it
	// falls back to clone if it is not there.
	p.refuseIf(unix.BPF_JEQ, unix.SYS_CLONE3, unix.ENOSYS)
	p.when(unix.SYS_CLONE, 0, func(p *program) {
		p.refuseIf(unix.BPF_JSET, namespaces, unix.EPERM)
		if c.Exec {
			p.skipIf(unix.BPF_JSET, unix.CLONE_THREAD)
			p.refuse(unix.EPERM)
		}
	})
	// Text pushed into a terminal is a command to the shell that reads it next.
	p.when(unix.SYS_IOCTL, 1, func(p *program) {
		p.refuseIf(unix.BPF_JEQ, unix.TIOCSTI, unix.EPERM)
		p.refuseIf(unix.BPF_JEQ, tioclinux, unix.EPERM)
	})
	c.strangers(&p)
	p = append(p, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW})
	return p
}

// strangers refuses what changes another process of the same user: its limits, its
// priority, its processors. All but 0, which is the caller, may be another.
func (c Calls) strangers(p *program) {
	for _, n := range []struct{ number, user uint32 }{{unix.SYS_SETPRIORITY, unix.PRIO_USER}, {unix.SYS_IOPRIO_SET, ioprioUser}} {
		p.when(n.number, 0, func(p *program) { p.refuseIf(unix.BPF_JEQ, n.user, unix.EPERM) })
		if !c.Alone {
			p.when(n.number, 1, self)
		}
	}
	if c.Alone {
		return
	}
	for _, n := range []uint32{unix.SYS_PRLIMIT64, unix.SYS_SCHED_SETAFFINITY, unix.SYS_SCHED_SETPARAM, unix.SYS_SCHED_SETSCHEDULER, unix.SYS_SCHED_SETATTR} {
		p.when(n, 0, self)
	}
}

// ioprioUser means all processes of a user, as PRIO_USER does.
const ioprioUser = 3

func self(p *program) {
	p.skipIf(unix.BPF_JEQ, 0)
	p.refuse(unix.EPERM)
}

func (p *program) load(at uint32) {
	*p = append(*p, unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at})
}

// skipIf skips one instruction if what was loaded is as the test says.
func (p *program) skipIf(test uint16, k uint32) {
	*p = append(*p, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_K | test, Jt: 1, K: k})
}

func (p *program) refuse(e unix.Errno) {
	*p = append(*p, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(e)})
}

func (p *program) refuseIf(test uint16, k uint32, e unix.Errno) {
	*p = append(*p, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_K | test, Jf: 1, K: k})
	p.refuse(e)
}

// when has body look at the lower half of an argument of one call.
func (p *program) when(number uint32, arg uint32, body func(*program)) {
	var b program
	b.load(atArgs + 8*arg)
	body(&b)
	b.load(atNumber)
	*p = append(*p, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_K | unix.BPF_JEQ, Jf: uint8(len(b)), K: number})
	*p = append(*p, b...)
}
