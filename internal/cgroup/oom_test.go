package cgroup

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// TestOOMKills: a victim is accounted for once, and what was before Begin is not ours.
func TestOOMKills(t *testing.T) {
	path := filepath.Join(t.TempDir(), "memory.events")
	count := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte("low 0\nhigh 7\noom 9\n"+text+"oom_group_kill 0\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	count("oom_kill 3\n")
	o := OOMKills{Path: path}
	if o.Took() {
		t.Error("a victim before Begin")
	}
	o.Begin()
	if o.Took() {
		t.Error("a victim of the time before Begin")
	}
	count("oom_kill 5\n")
	o.Begin() // only the first counts
	if !o.Took() || !o.Took() || o.Took() {
		t.Error("two victims are two, and not three")
	}
	count("oom_kill -1\n")
	if o.Took() {
		t.Error("a counter that is no number")
	}
	count("")
	if o.Took() {
		t.Error("no counter")
	}
	missing := OOMKills{Path: path + "-"}
	missing.Begin()
	if missing.Took() {
		t.Error("no file")
	}
}

// TestOOMKillsHere: this system's own counter is found, and nobody was killed just now.
func TestOOMKillsHere(t *testing.T) {
	var o OOMKills
	o.Begin()
	if runtime.GOOS == "linux" && !o.ok {
		t.Error("no counter was found, not even that of the machine")
	}
	t.Logf("the counter is in %s", o.Path)
}
