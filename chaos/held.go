//go:build linux

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"time"
)

// footprint is what this process holds.
type footprint struct {
	descriptors, goroutines int
	children, mappings      int
	heap, resident          float64 // MB; of the heap what was alive at the last collection
}

func holdings() (f footprint) {
	fds, _ := os.ReadDir("/proc/self/fd")
	f.descriptors = len(fds) - 1 // the folder itself
	f.goroutines = runtime.NumGoroutine()
	f.children = len(childrenOf("self"))
	maps, _ := os.ReadFile("/proc/self/maps")
	f.mappings = bytes.Count(maps, []byte("/memfd:"))
	alive := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(alive)
	f.heap = float64(alive[0].Value.Uint64()) / 1e6
	statm, _ := os.ReadFile("/proc/self/statm")
	if fields := strings.Fields(string(statm)); len(fields) > 1 {
		pages, _ := strconv.Atoi(fields[1])
		f.resident = float64(pages*os.Getpagesize()) / 1e6
	}
	return f
}

func (f footprint) String() string {
	return fmt.Sprintf("%d fds, %d goroutines, heap %.0f MB, resident %.0f MB", f.descriptors, f.goroutines, f.heap, f.resident)
}

// childrenOf lists the processes that a process, or any thread of it, has started.
func childrenOf(pid string) (list []string) {
	threads, _ := os.ReadDir("/proc/" + pid + "/task")
	for _, thread := range threads {
		b, _ := os.ReadFile("/proc/" + pid + "/task/" + thread.Name() + "/children")
		list = append(list, strings.Fields(string(b))...)
	}
	return list
}

// tree counts this process and all below it, and their memory in MB. Memory that
// several of them share is counted once: each page is shared out among its users.
func tree() (processes int, memory float64) {
	for all := []string{"self"}; len(all) > 0; all = all[1:] {
		processes++
		memory += proportional(all[0])
		all = append(all, childrenOf(all[0])...)
	}
	return processes, memory
}

// proportional is a process's part of the memory, in MB; 0 for one that has just ended.
func proportional(pid string) float64 {
	b, _ := os.ReadFile("/proc/" + pid + "/smaps_rollup")
	for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
		if kB, ok := strings.CutPrefix(s.Text(), "Pss:"); ok {
			n, _ := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(kB, "kB")))
			return float64(n) * 1024 / 1e6
		}
	}
	return 0
}

// live is the memory that the collector cannot take away, in MB.
func live() float64 {
	runtime.GC()
	runtime.GC() // what finalizers and cleanups let go at the first
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return float64(stats.HeapAlloc) / 1e6
}

// nothingLeft waits until this process holds no more than before.
func (j *judge) nothingLeft(before footprint) {
	var now footprint
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		now = holdings()
		if now.descriptors <= before.descriptors && now.goroutines <= before.goroutines &&
			now.children <= before.children && now.mappings <= before.mappings {
			return
		}
	}
	stacks := make([]byte, 1<<20)
	j.violated("left over: %v, %d children, %d mappings; before %v, %d, %d\n%s", now, now.children, now.mappings,
		before, before.children, before.mappings, stacks[:runtime.Stack(stacks, true)])
}

// forgotten: what is alive when all is closed does not depend on how many tasks there were.
func (j *judge) forgotten(before, now float64) {
	const slack = 4 // MB
	fmt.Fprintf(j.out, "alive in the heap: %.2f MB, before %.2f\n", now, before)
	if now > before+slack {
		j.violated("%.1f MB are alive in the heap with all closed, before %.1f", now, before)
	}
}

// markEnv is in the environment of all that a run starts, so that what got away is known.
const markEnv = "TANDEM_CHAOS_RUN"

// orphans: no process of the run is left, wherever it hangs in the tree. The mark is
// "name=value".
func (j *judge) orphans(mark string) {
	var left []string
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if left = marked(mark); len(left) == 0 {
			return
		}
	}
	j.violated("processes are left over: %s", strings.Join(left, ", "))
}

// marked lists the processes but this one that have the mark in their environment.
func marked(mark string) (list []string) {
	all, _ := filepath.Glob("/proc/[0-9]*")
	for _, path := range all {
		b, _ := os.ReadFile(path + "/environ")
		if bytes.Contains(b, []byte(mark+"\x00")) && filepath.Base(path) != strconv.Itoa(os.Getpid()) {
			name, _ := os.ReadFile(path + "/comm")
			list = append(list, filepath.Base(path)+" "+strings.TrimSpace(string(name)))
		}
	}
	return list
}
