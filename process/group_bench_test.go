package process_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// BenchmarkStartMemory is a process from its start to its result and to its end: with no
// limit of memory, with one that is kept by RLIMIT_DATA, and with a cgroup. The three
// take turns, so that what disturbs one disturbs all.
func BenchmarkStartMemory(b *testing.B) {
	if raceEnabled {
		b.Skip("a race build keeps no limit of memory")
	}
	if _, _, err := process.MemoryGroups(); err != nil {
		b.Skip(err)
	}
	limits := tandem.Limits{Memory: 256 << 20}
	ways := []struct {
		name   string
		limits tandem.Limits
		groups bool
	}{{"none", tandem.Limits{}, true}, {"RLIMIT_DATA", limits, false}, {"cgroup", limits, true}}
	results, ends := make([][]time.Duration, len(ways)), make([][]time.Duration, len(ways))
	for b.Loop() {
		for i, w := range ways {
			restore := func() {}
			if !w.groups {
				restore = process.WithoutGroups()
			}
			begun := time.Now()
			h, err := process.Start(b.Context(), process.Config{Limits: w.limits}, double, 1)
			if err == nil {
				_, err = h.Result(b.Context())
			}
			results[i] = append(results[i], time.Since(begun))
			if err == nil {
				_, err = h.Wait(b.Context())
			}
			ends[i] = append(ends[i], time.Since(begun))
			if restore(); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(0, "ns/op")
	for i, w := range ways {
		slices.Sort(results[i])
		slices.Sort(ends[i])
		half := len(ends[i]) / 2
		b.ReportMetric(float64(results[i][half].Microseconds()), w.name+"-result-µs")
		b.ReportMetric(float64(ends[i][half].Microseconds()), w.name+"-end-µs")
	}
}
