package cgroup

import (
	"os"
	"path/filepath"
	"strings"
)

// Membership is where a process stands in the trees of groups.
type Membership struct {
	One map[string]string // version 1: controller → folder
	Two string            // version 2: folder, "" where there is none
	Top bool              // of which that is the top, as in a container
}

// Own finds the groups of this process. ok is false where /proc does not tell.
func Own() (m Membership, ok bool) {
	member, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return m, false
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return m, false
	}
	return membership(string(member), string(mounts)), true
}

// membership joins what a process is a member of with where the trees are mounted.
func membership(member, mounts string) Membership {
	m := Membership{One: map[string]string{}}
	for line := range strings.Lines(member) {
		// "4:cpu,cpuacct:/path" in version 1, "0::/path" in version 2.
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		if parts[1] == "" {
			m.Two, m.Top = mounted(mounts, "cgroup2", "", parts[2]), parts[2] == "/"
			continue
		}
		for controller := range strings.SplitSeq(parts[1], ",") {
			if dir := mounted(mounts, "cgroup", controller, parts[2]); dir != "" {
				m.One[controller] = dir
			}
		}
	}
	return m
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
