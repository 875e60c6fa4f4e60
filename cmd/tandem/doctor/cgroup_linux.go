package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	groups "github.com/tandem-go/tandem/internal/cgroup"
	"github.com/tandem-go/tandem/internal/sys"
)

func cgroup() []Row { return append(membership(), container()) }

// container tells the limit of memory above this program, whether one death there is
// that of all, as Kubernetes wants it, and what tandem does to keep below it.
func container() Row {
	const name = "memory of all"
	c, ok := groups.FindCeiling()
	if !ok {
		return Row{name, nil, "no limit but the machine's"}
	}
	together := "the kernel would kill the largest process there"
	if c.Whole {
		together = "memory.oom.group is set: the kernel would kill this program with all its workers"
	}
	means := "tandem looks how much is left, and ends the worker that has most in time"
	if _, err := groups.Find(groups.Memory, false); err == nil {
		means = "tandem keeps all workers in a group below it"
	}
	if sys.HasSwap() {
		means = "tandem leaves that to the kernel, since there is swap"
	}
	return Row{name, map[string]any{"bytes": c.Bytes, "folder": c.Dir, "oom_group": c.Whole}, size(uint64(c.Bytes)) + "; " + together + "; " + means}
}

func membership() []Row {
	g, found := groups.Own()
	switch {
	case !found || g.Two == "" && len(g.One) == 0:
		return []Row{{"version", nil, "none"}}
	case len(g.One) > 0:
		version := Row{"version", 1, ""}
		if g.Two != "" {
			version.Text = "1, with an empty tree of version 2 beside it"
		}
		rows := []Row{version}
		for _, controller := range []string{"memory", "cpu", "pids"} {
			dir, ok := g.One[controller]
			if !ok {
				rows = append(rows, Row{controller, nil, "not mounted"})
				continue
			}
			err := tryGroup(dir, func(string) error { return nil })
			value := map[string]any{"folder": dir, "writable": err == nil}
			rows = append(rows, Row{controller, value, dir + ", writable: " + reason(err)})
		}
		return rows
	}
	rows := []Row{{"version", 2, ""}, {"folder", g.Two, ""}}
	why := tryGroup(g.Two, func(string) error { return nil })
	rows = append(rows, Row{"writable", why == nil, reason(why)})
	controllers, _ := os.ReadFile(filepath.Join(g.Two, "cgroup.controllers"))
	delegated := unix.Access(filepath.Join(g.Two, "cgroup.subtree_control"), unix.W_OK)
	if delegated != nil {
		return append(rows, Row{"delegated", false, reason(delegated)})
	}
	return append(rows, Row{"delegated", true, "yes: " + strings.TrimSpace(string(controllers))})
}

func reason(err error) string {
	if err == nil {
		return "yes"
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return fmt.Sprintf("no: %v", err)
}

// tryGroup makes a group below dir, shows it to look, and removes it.
func tryGroup(dir string, look func(dir string) error) error {
	made := filepath.Join(dir, fmt.Sprintf("tandem-doctor-%d", os.Getpid()))
	if err := os.Mkdir(made, 0o755); err != nil {
		return err
	}
	err := look(made)
	if e := unix.Rmdir(made); e != nil && err == nil {
		err = fmt.Errorf("%s was made and cannot be removed: %w", made, e)
	}
	return err
}

// cgroupKill returns why a whole group cannot be killed at once, or nothing.
func cgroupKill() (why string) {
	g, _ := groups.Own()
	if g.Two == "" {
		return "no cgroup of version 2"
	}
	err := tryGroup(g.Two, func(dir string) error {
		_, err := os.Stat(filepath.Join(dir, "cgroup.kill"))
		return err
	})
	if err != nil {
		return strings.TrimPrefix(reason(err), "no: ")
	}
	return ""
}
