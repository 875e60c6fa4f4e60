// Package cgrouptest tells tests whether it is the machine that has no control groups,
// without asking package cgroup, which they test.
package cgrouptest

import (
	"os"
	"path/filepath"
	"strings"
)

// limits are the files by which a group of a controller has a limit, in version 1 or 2.
var limits = map[string][]string{"memory": {"memory.limit_in_bytes", "memory.max"}, "pids": {"pids.max"}}

// test is a *testing.T or *testing.B, without the flags that package testing brings along.
type test interface {
	Helper()
	Skip(...any)
	Fatalf(string, ...any)
}

// Skip skips a test that package cgroup has refused a place to with err, if no group with
// a limit of that controller can be made here by hand either. Otherwise the refusal is a
// fault, and the test fails.
func Skip(t test, err error, controller string) {
	t.Helper()
	member, _ := os.ReadFile("/proc/self/cgroup")
	for line := range strings.Lines(string(member)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 || parts[1] != "" && parts[1] != controller {
			continue
		}
		dir, probe := filepath.Join("/sys/fs/cgroup", parts[1], parts[2]), "tandem-test-of-the-machine"
		if dir = filepath.Join(dir, probe); os.Mkdir(dir, 0o755) != nil {
			continue
		}
		defer os.Remove(dir)
		for _, file := range limits[controller] {
			if _, missing := os.Stat(filepath.Join(dir, file)); missing == nil {
				t.Fatalf("a group with %s can be made by hand, and package cgroup says: %v", file, err)
			}
		}
	}
	t.Skip(err)
}
