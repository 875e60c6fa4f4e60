package cgroup

import (
	"path/filepath"
	"strings"

	"github.com/tandem-go/tandem/internal/sys"
)

// Membership is where a process stands in the trees of groups.
type Membership struct {
	One map[string]string // version 1: controller → folder
	Two string            // version 2: folder, "" where there is none
	Top bool              // of which that is the top, as in a container
}

// Own finds the groups of this process. ok is false where /proc does not tell.
func Own() (m Membership, ok bool) {
	member, err := sys.ReadText("/proc/self/cgroup")
	if err != nil {
		return m, false
	}
	mounts, err := sys.ReadText("/proc/self/mountinfo")
	if err != nil {
		return m, false
	}
	return membership(member, mounts), true
}

// membership joins what a process is a member of with where the trees are mounted.
func membership(member, mounts string) Membership {
	m := Membership{One: map[string]string{}}
	trees := treesOf(mounts)
	for line := range strings.Lines(member) {
		// "4:cpu,cpuacct:/path" in version 1, "0::/path" in version 2.
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		if parts[1] == "" {
			m.Two, m.Top = mounted(trees, "cgroup2", "", parts[2]), parts[2] == "/"
			continue
		}
		for controller := range strings.SplitSeq(parts[1], ",") {
			if dir := mounted(trees, "cgroup", controller, parts[2]); dir != "" {
				m.One[controller] = dir
			}
		}
	}
	return m
}

// tree is a mounted tree of groups: so far as it is shown, and where.
type tree struct {
	kind, options, root, at string
}

// treesOf reads them from mountinfo.
func treesOf(mountinfo string) (trees []tree) {
	for line := range strings.Lines(mountinfo) {
		// id parent dev root mountpoint options... - type source superoptions
		head, tail, _ := strings.Cut(line, " - ")
		if !strings.HasPrefix(tail, "cgroup") {
			continue
		}
		if before, after := strings.Fields(head), strings.Fields(tail); len(before) >= 5 && len(after) >= 3 {
			trees = append(trees, tree{after[0], "," + after[2] + ",", before[3], before[4]})
		}
	}
	return trees
}

// mounted finds the folder of a group below the mount point of its tree.
func mounted(trees []tree, kind, controller, group string) string {
	for _, t := range trees {
		if t.kind != kind || controller != "" && !strings.Contains(t.options, ","+controller+",") {
			continue
		}
		rel, err := filepath.Rel(t.root, group)
		if err != nil || strings.HasPrefix(rel, "..") {
			rel = "." // the mount shows another part of the tree: its top is all there is
		}
		return filepath.Join(t.at, rel)
	}
	return ""
}
