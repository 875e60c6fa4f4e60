// Package spawn starts this program again as a worker and makes sure that
// nothing of it stays behind: a starter thread on which the parent-death signal
// is armed, process groups, a reaper for each process, and the warden, which
// kills all groups when the program is gone.
package spawn

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/tandem-go/tandem/internal/sys"
)

// marker is the environment variable that makes a process a worker (its value is
// the number of the inherited channel, and after a plus the highest that it may have
// inherited and is to close) or a warden. It leaves the environment at
// once: what a task starts is an ordinary program.
const marker = "TANDEM_WORKER"

const wardenRole = "warden"

// role is what this process was started as, "" for an ordinary program.
var role = takeMarker()

func takeMarker() string {
	r := os.Getenv(marker)
	if r == "" {
		return r
	}
	os.Unsetenv(marker)
	channel, last, confined := strings.Cut(r, "+")
	if first, err := strconv.Atoi(channel); err == nil && confined {
		// Now and not later: what comes next may open something.
		if last, err := strconv.Atoi(last); err == nil {
			sys.CloseInherited(first+1, last)
		}
	}
	return channel
}

// role is the marker of the process that c starts.
func (c *Command) role() string {
	channel := 3 + len(c.Extra)
	if c.Confine == nil {
		return strconv.Itoa(channel)
	}
	return fmt.Sprintf("%d+%d", channel, sys.LastFD()+margin)
}

// margin is for what other threads open before the fork.
const margin = 256

// Channel is the descriptor of the channel to the parent; ok is false in a
// program that is no worker.
func Channel() (fd int, ok bool) {
	fd, err := strconv.Atoi(role)
	return fd, err == nil && fd > 2
}

// withMarker returns env for a process of the given role.
func withMarker(env []string, role string) []string {
	marked := make([]string, 0, len(env)+1)
	for _, kv := range env {
		if !strings.HasPrefix(kv, marker+"=") {
			marked = append(marked, kv)
		}
	}
	return append(marked, marker+"="+role)
}

// ChildOf makes this worker's own processes known to the warden of the program
// it descends from: registrations is the descriptor it was given.
func ChildOf(registrations int) { warden.adopt(registrations) }

func init() {
	if role == wardenRole {
		guard() // before package main does anything: a warden is no second program
	}
}
