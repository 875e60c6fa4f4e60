package lint

import (
	"strings"
	"testing"
)

// floors is the lattice, the highest floor first. A package may import what
// stands on a lower floor, and nothing else of this module: not upwards, and not
// beside it unless the pair is in the table sideways. "course" also stands for
// every package below course/.
var floors = [][]string{
	{"course"},                             // lessons and their programs: use everything
	{"dashboard"},                          // a view: nothing below knows it
	{"process", "thread", "coroutine"},     // the places, each usable without the others
	{"shared"},                             // what tasks share, whatever the place
	{"timeline", "tandemtest"},             // look at the vocabulary from outside
	{""},                                   // the vocabulary: Task, Runner, Job, errors
	{"internal/child"},                     // a worker's life
	{"internal/monitor"},                   // waiting: what semaphores and barriers stand on
	{"internal/ring", "internal/lock"},     // protocols in shared memory
	{"internal/slab", "internal/deadlock"}, // recycled memory for large content
	{"internal/leak"},                      // debug mode: what was left open
	{"internal/mem", "internal/spawn", "internal/sandbox"}, // mapped memory; births and deaths; what a process may not do
	{"internal/wire"},  // frames: bytes, and descriptors beside them
	{"internal/codec"}, // values as bytes and descriptors
	{"internal/cgroup", "internal/cgroup/cgrouptest"},  // groups that bound memory and processes
	{"internal/sys", "internal/event", "internal/svg"}, // the ground; pictures, which no part of the library links
}

// sideways lists the imports between packages of one floor, each with its reason.
var sideways = map[string]string{
	"course → course": "the list of all lessons and the lessons share one frame",
}

// TestFloors: an import points down.
func TestFloors(t *testing.T) {
	floor := map[string]int{}
	for i, names := range floors {
		for _, name := range names {
			floor[name] = i
		}
	}
	seen := map[string]bool{}
	for _, s := range load(t) {
		if !s.library() || s.pkg == "internal/lint" {
			continue
		}
		from := onFloor(s.pkg)
		at, known := floor[from]
		if !known {
			if !seen[s.pkg] {
				t.Errorf("package %s stands on no floor: add it to the lattice in floors_test.go, with a page under docs/design", s.pkg)
			}
			seen[s.pkg] = true
			continue
		}
		for _, path := range s.imports() {
			to, ours := cutModule(path)
			if !ours {
				continue
			}
			below, known := floor[onFloor(to)]
			pair := name(from) + " → " + name(onFloor(to))
			switch {
			case !known:
				t.Errorf("%s imports %s, which stands on no floor", s.path, path)
			case below < at:
				t.Errorf("%s imports %s: upwards; move what is needed to a lower floor, or pass it in", s.path, path)
			case below == at && sideways[pair] == "":
				t.Errorf("%s imports %s: sideways (%s); if it must be, give the reason in the table sideways", s.path, path, pair)
			}
		}
	}
}

// onFloor folds the packages of the course into one place of the lattice.
func onFloor(pkg string) string {
	if strings.HasPrefix(pkg, "course/") {
		return "course"
	}
	return pkg
}

// cutModule turns an import path into a folder of the library module.
func cutModule(path string) (folder string, ours bool) {
	if path == modulePath {
		return "", true
	}
	return strings.CutPrefix(path, modulePath+"/")
}

func name(pkg string) string {
	if pkg == "" {
		return "tandem"
	}
	return pkg
}
