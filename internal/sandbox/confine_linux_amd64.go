package sandbox

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/tandem-go/tandem/internal/sys"
)

// offer looks once at what there is.
var offer = sync.OnceValue(func() offered {
	o := offered{landlock: sys.LandlockABI(), filter: sys.CanFilterCalls(), root: os.Geteuid() == 0}
	// Version 6 kept a process from signalling itself between its threads until an
	// erratum was fixed; the Go runtime does that all the time.
	if o.landlock >= leastLandlock && !sys.LandlockFixed(signalsWithin) {
		o.landlock = leastLandlock - 1
	}
	return o
})

// signalsWithin is the erratum of landlock on signals between threads.
const signalsWithin = 2

// Confine makes the calling thread, and what it will fork, keep p, but for the
// filter. The thread can be used for nothing else afterwards. attr is made what the
// fork is to be asked for. undo gives back what it takes, when the process has ended.
func (p *Policy) Confine(attr *syscall.SysProcAttr) (undo func(), err error) {
	l, err := p.rules()
	if err != nil {
		return nil, err
	}
	defer l.close()
	if err := dropPrivileges(); err != nil {
		l.unpin()
		return nil, err
	}
	if l.ruleset >= 0 {
		if err := sys.LandlockRestrict(l.ruleset); err != nil {
			l.unpin()
			return nil, fmt.Errorf("tandem: Config.Sandbox: %w", err)
		}
	}
	for _, n := range []struct {
		own  bool
		flag uintptr
	}{{p.PIDs, unix.CLONE_NEWPID}, {p.Networks, unix.CLONE_NEWNET}, {p.Users, unix.CLONE_NEWUSER}} {
		if n.own {
			attr.Cloneflags |= n.flag
		}
	}
	if p.UID != 0 {
		attr.Credential = &syscall.Credential{Uid: uint32(p.UID), Gid: uint32(p.GID)}
	}
	return l.unpin, nil
}

// dropPrivileges sees to it that the programs which this thread and its children
// execute have no capabilities, whoever they run as. The thread keeps its own until
// then: the fork needs them.
func dropPrivileges() error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("tandem: Config.Sandbox: no new privileges: %w", err)
	}
	unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) // a kernel before 4.3 has none
	for c := uintptr(0); ; c++ {
		has, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, c, 0, 0, 0)
		if err != nil { // there are no more
			return dropInheritable()
		}
		if has == 0 {
			continue
		}
		err = unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0)
		if errors.Is(err, unix.EPERM) && os.Geteuid() != 0 {
			return nil // an ordinary user's programs have none, and can get none
		}
		if err != nil {
			return fmt.Errorf("tandem: Config.Sandbox: root without CAP_SETPCAP cannot drop its capabilities: %w", err)
		}
	}
}

func dropInheritable() error {
	var caps [2]unix.CapUserData
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	err := unix.Capget(&header, &caps[0])
	if err == nil {
		caps[0].Inheritable, caps[1].Inheritable = 0, 0
		err = unix.Capset(&header, &caps[0])
	}
	if err != nil {
		return fmt.Errorf("tandem: Config.Sandbox: capabilities: %w", err)
	}
	return nil
}

// Refused reports whether err is how a system says that it makes no namespaces.
func Refused(err error) bool {
	for _, refusal := range []error{unix.EPERM, unix.EINVAL, unix.ENOSPC, unix.ENOSYS, unix.EUSERS} {
		if errors.Is(err, refusal) {
			return true
		}
	}
	return false
}

// loaded lists the files whose code this program has mapped: the binary itself, and
// of one that is linked dynamically the loader and the libraries.
func loaded() (paths []string, err error) {
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		return nil, err
	}
	defer maps.Close()
	seen := map[string]bool{}
	lines := bufio.NewScanner(maps)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) >= 6 && strings.Contains(f[1], "x") && strings.HasPrefix(f[5], "/") {
			_, path, _ := strings.Cut(lines.Text(), " /")
			if path = "/" + path; !seen[path] {
				seen[path] = true
				paths = append(paths, path)
			}
		}
	}
	return paths, lines.Err()
}
