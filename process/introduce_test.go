package process_test

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

var bulky = tandem.NewVar("bulky", "")

// TestCloseIntroducing: a worker that does not read who it is, which is more than its
// socket holds, keeps nobody from closing.
func TestCloseIntroducing(t *testing.T) {
	cfg := process.Config{Env: misbehaving("before Init", "hang"), InitTimeout: time.Hour, Stderr: io.Discard}
	for name, closing := range map[string]func(*testing.T) io.Closer{
		"pool": func(t *testing.T) io.Closer {
			pool := &process.Pool{Workers: 1, Config: cfg}
			double.On(pool).Go(t.Context(), 1)
			return pool
		},
		"standby": func(t *testing.T) io.Closer {
			standby := &process.Standby{Config: cfg}
			go standby.Start(t.Context())
			return standby
		},
	} {
		t.Run(name, func(t *testing.T) {
			leaveNothing(t)
			defer bulky.Set("")
			bulky.Set(strings.Repeat("x", 8<<20))
			c := closing(t)
			eventually(t, "a process has been started", func() bool { return len(process.Children()) == 1 })
			child := process.Children()[0]
			closed := make(chan error)
			go func() { closed <- c.Close() }()
			eventually(t, "it is ended", func() bool { return !child.Alive() })
			if err := <-closed; err != nil {
				t.Error(err)
			}
		})
	}
}
