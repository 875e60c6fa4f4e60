package sys

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Gettid is the kernel's id of the calling thread. It costs one system call,
// about 100 ns. It means something after runtime.LockOSThread only.
func Gettid() int { return unix.Gettid() }

// MainTid is the id of the thread that the kernel started the program with.
func MainTid() int { return os.Getpid() }

// SetThreadName shows name, cut by CutName, as the calling thread's name in ps -L
// and /proc. The calling goroutine should be locked to its thread.
func SetThreadName(name string) error {
	p, err := unix.BytePtrFromString(CutName(name))
	if err != nil {
		return err
	}
	// SAFETY: p points to a zero-terminated copy on the Go heap; the conversion
	// inside the call keeps it alive until the kernel has read it.
	return os.NewSyscallError("prctl", unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(p)), 0, 0, 0))
}

// ThreadName reads the kernel's name of a thread of this process.
func ThreadName(tid int) (string, error) {
	b, err := os.ReadFile("/proc/self/task/" + strconv.Itoa(tid) + "/comm")
	return strings.TrimSuffix(string(b), "\n"), err
}

// ThreadAlive reports whether a thread of this process exists. The kernel may
// give the id of one that ended to another, much later.
func ThreadAlive(tid int) bool { return unix.Tgkill(os.Getpid(), tid, 0) == nil }

// SetAffinity binds a thread to a set of CPUs; tid 0 is the calling thread. Of a
// set that is partly usable the kernel takes the usable part; an error means
// that it has none.
func SetAffinity(tid int, cpus []int) error {
	most := -1
	for _, c := range cpus {
		if c < 0 || c > math.MaxInt16 {
			return fmt.Errorf("tandem: CPU %d: %w", c, unix.EINVAL)
		}
		most = max(most, c)
	}
	set := unix.NewCPUSet(most + 1)
	for _, c := range cpus {
		set.Set(c)
	}
	return os.NewSyscallError("sched_setaffinity", unix.SchedSetaffinityDynamic(tid, set))
}

// Affinity lists the CPUs that a thread may run on, in ascending order; tid 0 is
// the calling thread.
func Affinity(tid int) ([]int, error) {
	for size := 1024; ; size *= 2 {
		set := unix.NewCPUSet(size)
		err := unix.SchedGetaffinityDynamic(tid, set)
		if err == unix.EINVAL && size < 1<<20 {
			continue // the kernel's own set is larger
		}
		if err != nil {
			return nil, os.NewSyscallError("sched_getaffinity", err)
		}
		var cpus []int
		for c := range size {
			if set.IsSet(c) {
				cpus = append(cpus, c)
			}
		}
		return cpus, nil
	}
}

// ThreadSwitches counts how often the calling thread has left its CPU, by its own
// will and against it. A change between two calls means that the thread did not
// run all the time. It costs one system call, well below a microsecond.
func ThreadSwitches() (n int64, err error) {
	var ru unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &ru); err != nil {
		return 0, os.NewSyscallError("getrusage", err)
	}
	return int64(ru.Nvcsw) + int64(ru.Nivcsw), nil
}

// ThreadCPUTime is how long the calling thread has run on a CPU so far.
func ThreadCPUTime() (time.Duration, error) {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		return 0, os.NewSyscallError("clock_gettime", err)
	}
	return time.Duration(ts.Nano()), nil
}
