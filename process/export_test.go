package process

import "testing"

// BenchLabel measures what it costs a lane to go over to another task.
func BenchLabel(b *testing.B) {
	names := [2]string{"example.com/one.task", "example.com/another.task"}
	for i := 0; b.Loop(); i++ {
		labelTask(names[i&1])
	}
}
