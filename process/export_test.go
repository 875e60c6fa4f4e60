package process

import (
	"testing"

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

// BenchLabel measures what it costs a lane to go over to another task.
func BenchLabel(b *testing.B) {
	names := [2]string{"example.com/one.task", "example.com/another.task"}
	for i := 0; b.Loop(); i++ {
		labelTask(names[i&1])
	}
}
