//go:build linux

package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// judge collects what is broken, and counts what was seen.
type judge struct {
	out     io.Writer
	settled atomic.Int64 // tasks of all kinds
	failed  atomic.Int64 // of which by an error that is explained

	mu     sync.Mutex
	broken []string
	count  int
}

// violated notes that an invariant does not hold. A thousand cases of one are as bad as a few.
func (j *judge) violated(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.count++; j.count > 20 {
		return
	}
	what := fmt.Sprintf(format, args...)
	j.broken = append(j.broken, what)
	fmt.Fprintf(j.out, "BROKEN: %s\n", what)
}

func (j *judge) verdict() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.broken
}

// footprint is what this process holds.
type footprint struct {
	descriptors, goroutines int
	children, mappings      int
	heap, resident          float64 // MB
}

func holdings() (f footprint) {
	fds, _ := os.ReadDir("/proc/self/fd")
	f.descriptors = len(fds) - 1 // the folder itself
	f.goroutines = runtime.NumGoroutine()
	tasks, _ := os.ReadDir("/proc/self/task")
	for _, task := range tasks {
		b, _ := os.ReadFile("/proc/self/task/" + task.Name() + "/children")
		f.children += len(strings.Fields(string(b)))
	}
	maps, _ := os.ReadFile("/proc/self/maps")
	f.mappings = strings.Count(string(maps), "/memfd:")
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	f.heap = float64(stats.HeapInuse) / 1e6
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

// bounded: under load a process holds more at one moment than at another, such as a
// goroutine for each future.
func (j *judge) bounded(first, now footprint) {
	if now.descriptors > 2*first.descriptors+100 || now.goroutines > first.goroutines+1000 ||
		now.heap > 3*first.heap+100 || now.resident > 3*first.resident+200 {
		j.violated("this process grows: first %v, now %v", first, now)
	}
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

// patience is how long anything may take that is not to take long. Only a hang
// exceeds it.
const patience = 60 * time.Second
