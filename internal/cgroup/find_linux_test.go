package cgroup

import "testing"

const mounts = `30 25 0:26 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755
31 30 0:27 / /sys/fs/cgroup/unified rw,nosuid shared:8 - cgroup2 cgroup2 rw
32 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct
33 30 0:29 /docker/abc /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
`

func TestMembership(t *testing.T) {
	m := membership("4:cpu,cpuacct:/user\n3:pids:/docker/abc/below\n2:memory:/not/mounted\nnonsense\n0::/system/x\n", mounts)
	if m.Two != "/sys/fs/cgroup/unified/system/x" {
		t.Errorf("version 2: %q", m.Two)
	}
	for controller, want := range map[string]string{
		"cpu": "/sys/fs/cgroup/cpu,cpuacct/user", "cpuacct": "/sys/fs/cgroup/cpu,cpuacct/user",
		"pids": "/sys/fs/cgroup/pids/below", "memory": "",
	} {
		if m.One[controller] != want {
			t.Errorf("%s: %q, want %q", controller, m.One[controller], want)
		}
	}
	// A container sees its own part of the tree only.
	if m := membership("3:pids:/elsewhere\n", mounts); m.One["pids"] != "/sys/fs/cgroup/pids" {
		t.Errorf("a group outside the mounted part: %q", m.One["pids"])
	}
	if m := membership("", ""); len(m.One) != 0 || m.Two != "" {
		t.Errorf("nothing: %+v", m)
	}
}

// TestMounted: where the folder of a group is, on hosts and in containers.
func TestMounted(t *testing.T) {
	const mounts = `24 1 0:22 / /sys/fs/cgroup rw - tmpfs tmpfs rw
25 24 0:23 / /sys/fs/cgroup/unified rw shared:9 - cgroup2 cgroup2 rw
26 24 0:24 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
27 24 0:25 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory
`
	for _, c := range []struct{ name, kind, controller, group, want string }{
		{"version 2", "cgroup2", "", "/user.slice", "/sys/fs/cgroup/unified/user.slice"},
		{"version 2, its top", "cgroup2", "", "/", "/sys/fs/cgroup/unified"},
		{"two controllers in one tree", "cgroup", "cpu", "/jobs", "/sys/fs/cgroup/cpu,cpuacct/jobs"},
		{"not part of another's name", "cgroup", "cpua", "/jobs", ""},
		{"a container's part of the tree", "cgroup", "memory", "/docker/abc/x", "/sys/fs/cgroup/memory/x"},
		{"outside the part that is mounted", "cgroup", "memory", "/other", "/sys/fs/cgroup/memory"},
		{"not mounted", "cgroup", "pids", "/", ""},
	} {
		if got := mounted(treesOf(mounts), c.kind, c.controller, c.group); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}
