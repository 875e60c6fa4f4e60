package cgroup

import "path/filepath"

// counters lists the files that may hold the counter, the nearest first.
func counters() (paths []string) {
	m, _ := Own()
	if dir := m.One["memory"]; dir != "" {
		paths = append(paths, filepath.Join(dir, "memory.oom_control"))
	}
	if m.Two != "" {
		// Workers that have a group of their own are counted there.
		paths = append(paths, filepath.Join(m.Two, "memory.events.local"), filepath.Join(m.Two, "memory.events"))
	}
	return append(paths, "/proc/vmstat")
}
