package doctor

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	groups "github.com/tandem-go/tandem/internal/cgroup"
	"github.com/tandem-go/tandem/internal/sys"
)

func memory() []Row {
	fields := map[string]uint64{}
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return []Row{{"memory", nil, "unknown: " + err.Error()}}
	}
	for line := range strings.Lines(string(text)) {
		name, rest, _ := strings.Cut(line, ":")
		if f := strings.Fields(rest); len(f) > 0 {
			if kb, err := strconv.ParseUint(f[0], 10, 64); err == nil {
				fields[name] = kb * 1024
			}
		}
	}
	total, free := fields["MemTotal"], fields["MemAvailable"]
	return []Row{{"memory", total, size(total)}, {"memory available", free, size(free)}}
}

func limits() (rows []Row) {
	for _, l := range []struct {
		name     string
		resource int
		bytes    bool
	}{
		{"open files", unix.RLIMIT_NOFILE, false},
		{"processes", unix.RLIMIT_NPROC, false},
		{"data", unix.RLIMIT_DATA, true},
		{"stack", unix.RLIMIT_STACK, true},
		{"address space", unix.RLIMIT_AS, true},
		{"locked memory", unix.RLIMIT_MEMLOCK, true},
		{"core file", unix.RLIMIT_CORE, true},
	} {
		var r unix.Rlimit
		if err := unix.Getrlimit(l.resource, &r); err != nil {
			rows = append(rows, Row{l.name, nil, "unknown: " + err.Error()})
			continue
		}
		show := func(n uint64) string {
			switch {
			case n == unix.RLIM_INFINITY:
				return "unlimited"
			case l.bytes:
				return size(n)
			}
			return fmt.Sprint(n)
		}
		var value any = "unlimited"
		if r.Cur != unix.RLIM_INFINITY {
			value = r.Cur
		}
		rows = append(rows, Row{l.name, value, fmt.Sprintf("%s, may be raised to %s", show(r.Cur), show(r.Max))})
		if r.Cur == r.Max {
			rows[len(rows)-1].Text = show(r.Cur)
		}
	}
	return rows
}

func kernel(ctx context.Context) []Row {
	var u unix.Utsname
	rows := []Row{{"release", nil, ""}}
	if unix.Uname(&u) == nil {
		rows[0].Value = unix.ByteSliceToString(u.Release[:])
	}
	return append(rows, landlock(), seccomp(), memfd(), pidfd())
}

func landlock() Row {
	const version = 1 // LANDLOCK_CREATE_RULESET_VERSION: ask, make nothing
	abi, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, version)
	if errno != 0 {
		return Row{"landlock", 0, "no: " + errno.Error()}
	}
	return Row{"landlock", int(abi), fmt.Sprintf("yes, ABI %d", abi)}
}

// seccomp asks for a filter at address 0: a kernel that has filters complains
// about the address, another about the request. Nothing is installed.
func seccomp() Row {
	err := unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, 0, 0, 0)
	has := err == unix.EFAULT || err == unix.EACCES
	if !has {
		return Row{"seccomp", false, fmt.Sprintf("no: %v", err)}
	}
	return Row{"seccomp", true, "yes, filters"}
}

func memfd() Row {
	f, err := sys.Memfd("tandem-doctor", 4096)
	if err != nil {
		return Row{"memfd", false, "no: " + err.Error()}
	}
	f.Close()
	return Row{"memfd", true, "yes, sealed"}
}

func pidfd() Row {
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		return Row{"pidfd", false, "no: " + err.Error()}
	}
	unix.Close(fd)
	return Row{"pidfd", true, ""}
}

// pidNamespace starts this program once as the first process of a namespace of
// its own, with what rights there are.
func pidNamespace(ctx context.Context) (ok bool, how string) {
	path, err := os.Executable()
	if err != nil {
		return false, err.Error()
	}
	attr := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	how = "as root"
	if os.Geteuid() != 0 {
		how = "in a user namespace"
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	c := exec.CommandContext(ctx, path, "version")
	c.SysProcAttr = attr
	if err := c.Run(); err != nil {
		return false, err.Error()
	}
	return true, how
}

func descendants(ctx context.Context) []Row {
	namespace, how := pidNamespace(ctx)
	kill := cgroupKill()
	caught, verdict := "process groups", "what calls setsid escapes, but for a pool with Sandbox.PIDNamespace"
	if _, err := groups.Find(groups.Memory, false); err == nil {
		caught, verdict = "cgroup", "what calls setsid is caught in a pool with Limits.Memory, by its cgroup; in others it escapes"
	} else if _, err := groups.Find(groups.PIDs, false); err == nil {
		caught, verdict = "cgroup", "what calls setsid is caught in a pool with Config.Processes, by its cgroup; in others it escapes"
	}
	return []Row{
		{"process groups", true, "in force: the warden kills them when this program ends"},
		{"death signal", true, "in force: a worker dies with its parent, even on -9"},
		{"cgroup.kill", kill == "", kills(kill)},
		{"pid namespace", namespace, offer(namespace, how)},
		{"runaways", caught, verdict},
	}
}

// kills words whether a whole group can be killed at once.
func kills(why string) string {
	if why == "" {
		return "yes, for groups of version 2"
	}
	return "not here: " + why
}

// offer words whether a Sandbox can have what it asks for.
func offer(has bool, how string) string {
	if !has {
		return "not here: " + how
	}
	return "possible here, " + how + ", for a pool with Sandbox.PIDNamespace"
}
