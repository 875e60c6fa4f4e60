package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// groups is where this process stands in the cgroup trees.
type groups struct {
	one   map[string]string // version 1: controller → folder
	two   string            // version 2: folder, "" where there is none
	found bool
}

// findGroups joins what the process is a member of with where the trees are
// mounted.
func findGroups() (g groups) {
	member, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return g
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return g
	}
	g.one, g.found = map[string]string{}, true
	for line := range strings.Lines(string(member)) {
		// "4:cpu,cpuacct:/path" in version 1, "0::/path" in version 2.
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		if parts[1] == "" {
			g.two = mounted(string(mounts), "cgroup2", "", parts[2])
			continue
		}
		for controller := range strings.SplitSeq(parts[1], ",") {
			if dir := mounted(string(mounts), "cgroup", controller, parts[2]); dir != "" {
				g.one[controller] = dir
			}
		}
	}
	return g
}

// mounted finds the folder of a group below the mount point of its tree.
func mounted(mountinfo, kind, controller, group string) string {
	for line := range strings.Lines(mountinfo) {
		// id parent dev root mountpoint options... - type source superoptions
		head, tail, ok := strings.Cut(line, " - ")
		before, after := strings.Fields(head), strings.Fields(tail)
		if !ok || len(before) < 5 || len(after) < 3 || after[0] != kind {
			continue
		}
		if controller != "" && !strings.Contains(","+after[2]+",", ","+controller+",") {
			continue
		}
		rel, err := filepath.Rel(before[3], group)
		if err != nil || strings.HasPrefix(rel, "..") {
			rel = "." // the mount shows another part of the tree: its top is all there is
		}
		return filepath.Join(before[4], rel)
	}
	return ""
}

func cgroup() []Row {
	g := findGroups()
	switch {
	case !g.found || g.two == "" && len(g.one) == 0:
		return []Row{{"version", nil, "none"}}
	case len(g.one) > 0:
		version := Row{"version", 1, ""}
		if g.two != "" {
			version.Text = "1, with an empty tree of version 2 beside it"
		}
		rows := []Row{version}
		for _, controller := range []string{"memory", "cpu", "pids"} {
			dir, ok := g.one[controller]
			if !ok {
				rows = append(rows, Row{controller, nil, "not mounted"})
				continue
			}
			err := tryGroup(dir, func(string) error { return nil })
			value := map[string]any{"folder": dir, "writable": err == nil}
			rows = append(rows, Row{controller, value, dir + ", writable: " + reason(err)})
		}
		return rows
	}
	rows := []Row{{"version", 2, ""}, {"folder", g.two, ""}}
	why := tryGroup(g.two, func(string) error { return nil })
	rows = append(rows, Row{"writable", why == nil, reason(why)})
	controllers, _ := os.ReadFile(filepath.Join(g.two, "cgroup.controllers"))
	delegated := unix.Access(filepath.Join(g.two, "cgroup.subtree_control"), unix.W_OK)
	if delegated != nil {
		return append(rows, Row{"delegated", false, reason(delegated)})
	}
	return append(rows, Row{"delegated", true, "yes: " + strings.TrimSpace(string(controllers))})
}

func reason(err error) string {
	if err == nil {
		return "yes"
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return fmt.Sprintf("no: %v", err)
}

// tryGroup makes a group below dir, shows it to look, and removes it.
func tryGroup(dir string, look func(dir string) error) error {
	made := filepath.Join(dir, fmt.Sprintf("tandem-doctor-%d", os.Getpid()))
	if err := os.Mkdir(made, 0o755); err != nil {
		return err
	}
	err := look(made)
	if e := unix.Rmdir(made); e != nil && err == nil {
		err = fmt.Errorf("%s was made and cannot be removed: %w", made, e)
	}
	return err
}

// cgroupKill returns why a whole group cannot be killed at once, or nothing.
func cgroupKill() (why string) {
	g := findGroups()
	if g.two == "" {
		return "no cgroup of version 2"
	}
	err := tryGroup(g.two, func(dir string) error {
		_, err := os.Stat(filepath.Join(dir, "cgroup.kill"))
		return err
	})
	if err != nil {
		return strings.TrimPrefix(reason(err), "no: ")
	}
	return ""
}
