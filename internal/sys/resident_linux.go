package sys

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ResidentTrees is how much memory each of some processes has in use together with
// all that descend from it and have not lost their parents, in bytes. What several of
// them share counts for each. It reads a file for each process of the system.
func ResidentTrees(pids []int) map[int]int64 {
	all, _ := filepath.Glob("/proc/[0-9]*")
	parent, size := map[int]int{}, map[int]int64{}
	for _, dir := range all {
		pid, _ := strconv.Atoi(filepath.Base(dir))
		fields, err := ProcessStat(pid)
		if err != nil {
			continue
		}
		pages, _ := strconv.ParseInt(fields[StatResident], 10, 64)
		parent[pid], _ = strconv.Atoi(fields[StatParent])
		size[pid] = pages * int64(os.Getpagesize())
	}
	sums := map[int]int64{}
	for _, pid := range pids {
		sums[pid] = 0
	}
	for pid, bytes := range size {
		for steps := 0; pid > 1 && steps < len(parent); steps++ { // a number used again could make a circle
			if _, asked := sums[pid]; asked {
				sums[pid] += bytes
				break
			}
			pid = parent[pid]
		}
	}
	return sums
}

// HasSwap reports whether pages can go to a device when memory is short.
func HasSwap() bool {
	text, _ := os.ReadFile("/proc/swaps")
	return strings.Count(string(text), "\n") > 1 // the first line is a head
}
