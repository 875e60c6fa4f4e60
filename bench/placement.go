//go:build linux

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// cpus are the processors that this program may use, in order.
func cpus() (list []int, err error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil, err
	}
	for i := range len(set) * strconv.IntSize {
		if set.IsSet(i) {
			list = append(list, i)
		}
	}
	return list, nil
}

// within starts a process in a placement, or refuses.
func within(placement string, start func() error) error {
	list, err := cpus()
	if err != nil {
		return err
	}
	n := 2
	if placement == placeOne {
		n = 1
	}
	if len(list) < n {
		return fmt.Errorf("the placement %q needs %d processors: %w", placement, n, errors.ErrUnsupported)
	}
	// A child inherits the affinity of the thread that starts it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.SchedSetaffinity(0, set(list[:n]...)); err != nil {
		return err
	}
	return errors.Join(start(), unix.SchedSetaffinity(0, set(list...)))
}

func set(cpus ...int) *unix.CPUSet {
	var s unix.CPUSet
	for _, c := range cpus {
		s.Set(c)
	}
	return &s
}

// separate puts a process on the first processor and all that it started on the
// second.
func separate(pid int, cpus []int) error {
	err := pin(pid, set(cpus[0]))
	for _, child := range descendants(pid) {
		err = errors.Join(err, pin(child, set(cpus[1])))
	}
	return err
}

// pin moves every thread of a process. New threads are where their maker is.
func pin(pid int, s *unix.CPUSet) error {
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it has ended
	}
	if err != nil {
		return err
	}
	for _, t := range threads {
		tid, _ := strconv.Atoi(t.Name())
		if err := unix.SchedSetaffinity(tid, s); err != nil && err != unix.ESRCH {
			return err
		}
	}
	return nil
}

// descendants lists the living processes that pid and its children started.
func descendants(pid int) (list []int) {
	children := map[int][]int{}
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		if child, err := strconv.Atoi(e.Name()); err == nil {
			parent := parentOf(child)
			children[parent] = append(children[parent], child)
		}
	}
	list = slices.Clone(children[pid])
	for i := 0; i < len(list); i++ {
		list = append(list, children[list[i]]...)
	}
	return list
}

// parentOf reads the fourth field of stat; the second is a name in brackets that
// may hold anything.
func parentOf(pid int) (parent int) {
	stat := string(read(fmt.Sprintf("/proc/%d/stat", pid)))
	fmt.Sscanf(stat[strings.LastIndexByte(stat, ')')+1:], " %1s %d", new(string), &parent)
	return parent
}
