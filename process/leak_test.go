package process_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tandem-go/tandem/process"
)

// leaveNothing fails the test if, after all its other cleanups, this process holds
// more than now: child processes, descriptors, mapped memfds, goroutines. It must
// be called first. On systems without /proc it counts goroutines.
func leaveNothing(t *testing.T) {
	t.Helper()
	before := holdings()
	t.Cleanup(func() {
		var extra []string
		for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
			if extra = surplus(before, holdings()); len(extra) == 0 {
				return
			}
			if time.Now().After(end) {
				break
			}
		}
		t.Errorf("left over after the test:\n%s", strings.Join(extra, "\n"))
		if strings.Contains(strings.Join(extra, ""), "goroutine") {
			b := make([]byte, 1<<20)
			t.Logf("%s", b[:runtime.Stack(b, true)])
		}
	})
}

// child begins the names of child processes in holdings.
const child = "process "

// holdings counts what this process holds, by a name for people.
func holdings() map[string]int {
	all := map[string]int{"goroutine": runtime.NumGoroutine()}
	for _, pid := range childrenOf(os.Getpid()) {
		all[child+strconv.Itoa(pid)]++ // and not its state, which changes from look to look
	}
	for _, folder := range process.GroupFolders() {
		groups, _ := filepath.Glob(filepath.Join(folder, fmt.Sprintf("tandem-%d-*", os.Getpid())))
		for _, group := range groups {
			all["cgroup "+group]++
		}
	}
	fds, _ := os.ReadDir("/proc/self/fd")
	for _, fd := range fds {
		target, err := os.Readlink("/proc/self/fd/" + fd.Name())
		if err != nil || strings.HasPrefix(target, "/proc/") {
			continue // the directory being read
		}
		kind, _, _ := strings.Cut(target, ":[") // the number behind it is new each time
		all["descriptor of "+kind]++
	}
	regions, _ := os.ReadFile("/proc/self/maps")
	for region := range strings.Lines(string(regions)) {
		if _, name, ok := strings.Cut(region, "/memfd:"); ok {
			all["mapping of memfd "+strings.TrimSpace(name)]++
		}
	}
	return all
}

func surplus(before, after map[string]int) (extra []string) {
	for what, n := range after {
		if n > before[what] {
			if pid, err := strconv.Atoi(strings.TrimPrefix(what, child)); err == nil {
				what = child + describe(pid)
			}
			extra = append(extra, fmt.Sprintf("  %s: %d more", what, n-before[what]))
		}
	}
	return extra
}

// childrenOf lists the processes whose parent is pid, zombies too.
func childrenOf(pid int) (pids []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		if s, ok := readStat(path); ok && s.ppid == pid {
			pids = append(pids, s.pid)
		}
	}
	return pids
}

type stat struct {
	pid, ppid int
	state     string // "Z" for a zombie
	began     string // tells two processes with one number apart
}

func readStat(path string) (s stat, ok bool) {
	b, err := os.ReadFile(path)
	i := strings.LastIndexByte(string(b), ')') // the name before it may hold anything
	if err != nil || i < 0 {
		return s, false
	}
	s.pid, _ = strconv.Atoi(filepath.Base(filepath.Dir(path)))
	fields := strings.Fields(string(b[i+1:])) // the third field of proc(5) and on
	if len(fields) < 20 {
		return s, false
	}
	s.state, s.began = fields[0], fields[19]
	s.ppid, err = strconv.Atoi(fields[1])
	return s, err == nil
}

func statOf(pid int) (stat, bool) { return readStat(fmt.Sprintf("/proc/%d/stat", pid)) }

// runs reports whether the process that s describes is there and no zombie.
func (s stat) runs() bool {
	now, ok := statOf(s.pid)
	return ok && now.began == s.began && now.state != "Z" && now.state != "X"
}

// alive is runs for a process that has just been seen.
func alive(pid int) bool {
	s, ok := statOf(pid)
	return ok && s.runs()
}

func describe(pid int) string {
	line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	s, _ := statOf(pid)
	return fmt.Sprintf("%d %s %q", pid, s.state, strings.TrimRight(strings.ReplaceAll(string(line), "\x00", " "), " "))
}
