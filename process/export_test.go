package process

import (
	"testing"

	"github.com/tandem-go/tandem/internal/cgroup"
	"github.com/tandem-go/tandem/internal/event"
)

// OnWorkerEnd calls f with the reason for which each worker of p ends, until cancel.
func OnWorkerEnd(p *Pool, f func(reason string)) (cancel func()) {
	return p.use().events.Subscribe(func(e event.Event) {
		if e.Kind == event.WorkerEnded {
			f(e.Reason)
		}
	})
}

// FollowOOMKills makes a file the counter of the out-of-memory killer, until restore.
func FollowOOMKills(path string) (restore func()) {
	oomKills.Follow(path)
	return func() { oomKills.Follow("") }
}

// WithoutGroups has limits of memory kept without cgroups, until restore.
func WithoutGroups() (restore func()) {
	ungrouped.Store(true)
	return func() { ungrouped.Store(false) }
}

// MemoryGroups is where groups that bound memory are made, or why there are none.
func MemoryGroups() (folder string, version int, err error) {
	p, err := memoryGroups()
	return p.Path(), p.Version(), err
}

// GroupFolders are all folders in which this program makes groups.
func GroupFolders() (folders []string) {
	for _, find := range []func() (cgroup.Place, error){findMemoryGroups, processGroups} {
		if p, err := find(); err == nil {
			folders = append(folders, p.Path())
		}
	}
	return folders
}

// Unguarded has nobody look at the container's memory, but for what is tried there.
func Unguarded() { container.off = true }

// Guard has a limit of memory guarded as that of the container, until restore.
func Guard(c *cgroup.Ceiling) (restore func()) {
	before := container
	container = &guard{limit: c}
	container.once.Do(func() {})
	return func() { container = before }
}

// BenchLabel measures what it costs a lane to go over to another task.
func BenchLabel(b *testing.B) {
	names := [2]string{"example.com/one.task", "example.com/another.task"}
	for i := 0; b.Loop(); i++ {
		labelTask(names[i&1])
	}
}
