package process

import (
	"errors"
	"strings"
	"testing"

	"github.com/tandem-go/tandem"
)

// TestFatalTexts: the runtime's words, and what they are called.
func TestFatalTexts(t *testing.T) {
	const limit = 128 << 20
	for _, c := range []struct {
		text   string
		memory int64
		want   string
		err    error
	}{
		{"fatal error: runtime: out of memory\n\ngoroutine 1", limit, "out of memory: Limits.Memory is 128 MiB", tandem.ErrMemory},
		{"fatal error: runtime: out of memory\n", 0, "out of memory", nil},
		{"runtime: goroutine stack exceeds 67108864-byte limit\nfatal error: stack overflow\n", limit, "stack overflow", nil},
		{"noise\nfatal error: concurrent map writes\n\ngoroutine 7 [running]:", 0, "concurrent map writes", nil},
		{"fatal error: concurrent map read and map write\n", 0, "concurrent map read and map write", nil},
		{"fatal error: all goroutines are asleep - deadlock!\n", 0, "all goroutines are asleep - deadlock!", nil},
		{"SIGSEGV: segmentation violation\nPC=0x0", 0, "segmentation violation (SIGSEGV)", nil},
		{"panic: runtime error: invalid memory address or nil pointer dereference\n[signal SIGSEGV: segmentation violation code=0x1]\n", 0, "a goroutine that the task started panicked: runtime error: invalid memory address or nil pointer dereference", nil},
		{"panic: no configuration\n\ngoroutine 8", 0, "a goroutine that the task started panicked: no configuration", nil},
		{"runtime/cgo: pthread_create failed: Resource temporarily unavailable\nSIGABRT: abort\nPC=0x7f", limit, "out of memory: Limits.Memory is 128 MiB", tandem.ErrMemory},
		{"runtime/cgo: pthread_create failed: Resource temporarily unavailable\nSIGABRT: abort\nPC=0x7f", 0, "abort (SIGABRT)", nil},
		{"flag provided but not defined: -x\nUsage of prog:\n", 0, "", nil},
		{"", 0, "", nil},
	} {
		if got, err := fatal(c.text, c.memory); got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%.40q: %q, %v; want %q, %v", c.text, got, err, c.want, c.err)
		}
	}
}

// TestTail: the last lines of an ordinary end, the first of a crash.
func TestTail(t *testing.T) {
	var o output
	say := func(lines ...string) {
		for _, l := range lines {
			o.remember([]byte(l + "\r\n"))
		}
	}
	say("a", "b")
	if got := strings.Join(o.lines(false), ","); got != "a,b" {
		t.Errorf("lines %s", got)
	}
	say("before", "fatal error: stack overflow", "")
	for range 200 {
		say("frame of the stack")
	}
	say("end")
	if got := o.lines(false); len(got) != tailLines || got[tailLines-1] != "end" {
		t.Errorf("the last %d: %q", len(got), got)
	}
	got := o.lines(true)
	if len(got) > tailLines+headLines || strings.Join(got[:4], ",") != "a,b,before,fatal error: stack overflow" {
		t.Errorf("around the crash: %q", got)
	}
	say(strings.Repeat("long", 1000))
	if got := o.lines(false); len(got[len(got)-1]) != tailWidth {
		t.Errorf("a long line is kept with %d bytes, want %d", len(got[len(got)-1]), tailWidth)
	}
}
