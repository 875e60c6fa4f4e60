package process_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/cgroup/cgrouptest"
	"github.com/tandem-go/tandem/process"
)

// needMemoryGroups skips a test where no group can be made that bounds memory.
func needMemoryGroups(t *testing.T) (folder string) {
	t.Helper()
	folder, _, err := process.MemoryGroups()
	switch {
	case err != nil:
		cgrouptest.Skip(t, err, "memory")
	case raceEnabled:
		t.Skip("a race build keeps no limit of memory")
	}
	return folder
}

// TestMemoryGroupOfCalls: a call with a limit of its own has that one, whether it is
// less or more than the pool's, and the next call has the pool's again.
func TestMemoryGroupOfCalls(t *testing.T) {
	folder := needMemoryGroups(t)
	leaveNothing(t)
	pool := &process.Pool{Workers: 1, Limits: tandem.Limits{Memory: 256 << 20}, Config: process.Config{Stderr: io.Discard}}
	closing(t, pool)
	if kept := pool.Stats().Limits; !strings.Contains(kept, "a memory cgroup") || !strings.Contains(kept, folder) {
		t.Errorf("Stats say %q", kept)
	}
	of := func(mib int64) tandem.Placed[string, int] {
		return storming.On(pool).Limit(tandem.Limits{Memory: mib << 20})
	}
	for _, c := range []struct {
		call tandem.Placed[string, int]
		want string // "" for success
	}{
		{of(1024), ""}, // the storm ends at 768 MiB
		{storming.On(pool), "Limits.Memory is 256 MiB"},
		{of(128), "Limits.Memory is 128 MiB"},
		{of(1024), ""},
		{of(512), "Limits.Memory is 512 MiB"},
	} {
		_, err := c.call.Call(t.Context(), "memfd, shared")
		switch {
		case c.want == "" && err != nil:
			t.Errorf("below its limit: %v", err)
		case c.want != "" && (!errors.Is(err, tandem.ErrMemory) || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%v, want ErrMemory with %q", err, c.want)
		}
	}
}

// staying keeps a task, and a program that has left its process group.
var keepsGroups = program("keeps memory groups", func() {
	limit := tandem.Limits{Memory: 256 << 20}
	pool := &process.Pool{Workers: 2, Limits: limit, Config: process.Config{Processes: 100}}
	first := strays.On(pool).Go(context.Background(), true)
	_, err := first.Wait(context.Background())
	fmt.Println("ready", err)
	select {}
})

// TestMemoryGroupsGone: when a program is killed, its groups go, and what has got away
// from its process groups, too.
func TestMemoryGroupsGone(t *testing.T) {
	folder := needMemoryGroups(t)
	leaveNothing(t)
	cmd := command(t, keepsGroups)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if line != "ready <nil>\n" || err != nil {
		t.Fatalf("%q, %v", line, err)
	}
	groups := func() (all []string) {
		for _, folder := range append(process.GroupFolders(), folder) {
			list, _ := filepath.Glob(filepath.Join(folder, fmt.Sprintf("tandem-%d-*", cmd.Process.Pid)))
			all = append(all, list...)
		}
		return all
	}
	var inside []int
	for _, group := range groups() {
		list, _ := os.ReadFile(filepath.Join(group, "cgroup.procs"))
		for pid := range strings.FieldsSeq(string(list)) {
			if n, err := strconv.Atoi(pid); err == nil {
				inside = append(inside, n)
			}
		}
	}
	if len(inside) < 2 {
		t.Fatalf("in %v are %v, want a worker and what it has started", groups(), inside)
	}
	kill(t, cmd.Process.Pid)
	cmd.Wait()
	for _, pid := range inside {
		eventually(t, fmt.Sprintf("process %d is gone", pid), func() bool { return !alive(pid) })
	}
	eventually(t, "the groups are gone", func() bool { return len(groups()) == 0 })
}
