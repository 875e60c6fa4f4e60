//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// suspendEnv makes this program the one that stops another with all that it has
// started, as a paused container or a laptop whose lid is closed: its value is the
// other's number and a time. A process cannot do that to itself.
const suspendEnv = "TANDEM_CHAOS_SUSPEND"

// suspendAnother is called first in main, and returns in all other programs.
func suspendAnother() {
	what := os.Getenv(suspendEnv)
	if what == "" {
		return
	}
	pid, length, _ := strings.Cut(what, " ")
	d, err := time.ParseDuration(length)
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(2)
	}
	held := stopTree(pid)
	time.Sleep(d) // the disturbance itself
	for _, p := range held {
		p.Signal(syscall.SIGCONT)
	}
	fmt.Print(len(held))
	os.Exit(0)
}

// suspend has this process and all below it stopped for so long, and returns how many
// processes that were.
func suspend(ctx context.Context, length time.Duration) (int, error) {
	cmd := exec.CommandContext(ctx, "/proc/self/exe")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d %v", suspendEnv, os.Getpid(), length))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(out))
}

// stopTree stops a process and all below it but this one, and returns them without those
// that were stopped already. What a stopped process was about to start comes to light
// later, so it looks until there is nothing new.
func stopTree(top string) (held []*os.Process) {
	known := map[string]bool{strconv.Itoa(os.Getpid()): true}
	for quiet := 0; quiet < 3; quiet++ {
		for all := []string{top}; len(all) > 0; all = all[1:] {
			pid := all[0]
			all = append(all, childrenOf(pid)...)
			if known[pid] {
				continue
			}
			known[pid] = true
			number, _ := strconv.Atoi(pid)
			p, err := os.FindProcess(number)
			if state := stateOf(pid); err != nil || state == "" || state == "T" || state == "Z" {
				continue
			}
			if p.Signal(syscall.SIGSTOP) == nil {
				held, quiet = append(held, p), 0
			}
		}
		time.Sleep(time.Millisecond)
	}
	return held
}

// stateOf is the letter that the kernel gives a process's state, "" if it is gone.
func stateOf(pid string) string {
	b, _ := os.ReadFile("/proc/" + pid + "/stat")
	_, rest, _ := strings.Cut(string(b), ") ")
	state, _, _ := strings.Cut(rest, " ")
	return state
}
