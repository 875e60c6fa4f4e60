package process

import "testing"

// TestLargeFrames: a message goes back without the buffer of a large call, which
// small calls would hold.
func TestLargeFrames(t *testing.T) {
	for _, c := range []struct{ size, most int }{{1 << 10, 1 << 10}, {1 << 20, 0}, {2 * keepMost, 0}} {
		m := &message{frame: make([]byte, 0, c.size)}
		m.free()
		if cap(m.frame) > c.most {
			t.Errorf("a message whose frame had room for %d bytes keeps %d", c.size, cap(m.frame))
		}
	}
}
