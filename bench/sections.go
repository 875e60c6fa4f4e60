package main

// section is how a measure is shown: its tables, its plots, and how to read them.
type section struct {
	measure string
	title   string
	reading string
	tables  []tableOf
	plots   []plotOf
}

// tableOf makes a table of the results that of picks.
type tableOf struct {
	caption string
	of      func(Result) bool
	column  func(Result) string
	cell    func(Result) string
}

// plotOf makes a plot of the results that of picks.
type plotOf struct {
	file, title string
	of          func(Result) bool
	series      func(Result) string // of dots; nil: curves over X
	xUnit       string
	linearTop   float64
}

func byCase(r Result) string      { return r.Case }
func byPlacement(r Result) string { return r.Placement }
func every(Result) bool           { return true }

func at(placement string) func(Result) bool {
	return func(r Result) bool { return r.Placement == placement }
}

func in(name string) func(Result) bool { return func(r Result) bool { return r.Case == name } }
func inUnit(unit string) func(Result) bool {
	return func(r Result) bool { return r.Unit == unit }
}

func median(r Result) string { return human(r.Median, r.Unit) }

// micros is median, p99 and mean of a latency.
func micros(r Result) string {
	return digits(r.Median/1e3) + " / " + digits(r.P99/1e3) + " / " + digits(r.Mean/1e3)
}

func shortMicros(r Result) string { return digits(r.Median/1e3) + " / " + digits(r.P99/1e3) }

func medianAndP99(r Result) string {
	return human(r.Median, r.Unit) + " / " + human(r.P99, r.Unit)
}

const goalsReading = "What tandem should reach on two processors of a virtual machine, and what it did here, in this run. " +
	"A tick marks a stretch that is reached. What has no figure was not part of the run, or is not here: see the end. "

var sections = []section{
	{
		measure: "latency", title: "Latency of a call",
		reading: "One call at a time, one worker. 64 bytes there and back, and a small struct (an int, a string, 16 floats). " +
			"Where caller and worker share a processor a wake is cheap; on two it is dear unless somebody spins. " +
			"`apart` forces the latter, `two CPUs` leaves it to the kernel. Less is better.",
		tables: []tableOf{
			{"64 bytes; median / p99 / mean in µs", in(caseEcho), byPlacement, micros},
			{"Small struct; median / p99 / mean in µs", in(caseRecord), byPlacement, micros},
			{"How many times tandem's median, small struct (64 bytes where there is no struct)", in(caseTimes), byPlacement, median},
		},
		plots: []plotOf{
			{file: "latency-64-bytes", title: "Latency of a call, 64 bytes: dot median, line to p99, tick mean", of: in(caseEcho), series: byPlacement},
			{file: "latency-small-struct", title: "Latency of a call, small struct: dot median, line to p99, tick mean", of: in(caseRecord), series: byPlacement},
		},
	},
	{
		measure: "calls", title: "Calls a second",
		reading: "int → int, two workers, 1 to 100 callers at once. More is better.",
		tables: []tableOf{
			{"two CPUs", at(placeBoth), byCase, median},
			{"one CPU", at(placeOne), byCase, median},
		},
		plots: []plotOf{
			{file: "calls-two-cpus", title: "Calls a second over callers, two CPUs", of: at(placeBoth)},
			{file: "calls-one-cpu", title: "Calls a second over callers, one CPU", of: at(placeOne)},
		},
	},
	{
		measure: "map", title: "Map of int → int",
		reading: "Items a second that cost nothing by themselves, two workers, nothing tuned. More is better.",
		tables:  []tableOf{{"", every, byPlacement, median}},
		plots:   []plotOf{{file: "map", title: "Items a second of a map int → int", of: every, series: byPlacement}},
	},
	{
		measure: "speedup", title: "Speed-up of two workers",
		reading: "The time of a plain loop of the same language over that of the map, by the time that one item takes. The best possible is 2. More is better.",
		tables:  []tableOf{{"", every, byCase, median}},
		plots:   []plotOf{{file: "speedup", title: "Speed-up of two workers over the time of an item", of: every, xUnit: "µs", linearTop: 2.2}},
	},
	{
		measure: "payload", title: "Payload",
		reading: "Bytes in, their length and a probe of them out; median. Less is better.",
		tables: []tableOf{
			{"two CPUs", at(placeBoth), byCase, median},
			{"one CPU", at(placeOne), byCase, median},
		},
		plots: []plotOf{
			{file: "payload-two-cpus", title: "Time of a call over its payload, two CPUs", of: at(placeBoth), xUnit: unitBytes},
			{file: "payload-one-cpu", title: "Time of a call over its payload, one CPU", of: at(placeOne), xUnit: unitBytes},
		},
	},
	{
		measure: "start", title: "Start of a process",
		reading: "To its first byte (of an RPC server: its first reply) and until it is gone; median / p99. Each program pays for what it links: " +
			"`bare os/exec` is the floor of tandem, `os/exec with gRPC` that of the RPC rivals. Less is better.",
		tables: []tableOf{
			{"two CPUs", at(placeBoth), byCase, medianAndP99},
			{"one CPU", at(placeOne), byCase, medianAndP99},
		},
		plots: []plotOf{{file: "start", title: "Start of a process, two CPUs: dot median, line to p99, tick mean", of: at(placeBoth), series: byCase}},
	},
	{
		measure: "memory", title: "Idle workers",
		reading: "Memory for each worker (PSS: shared pages are divided among those who map them; helper processes count), and the time until all serve. Less is better.",
		tables: []tableOf{
			{"Memory for each worker", inUnit(unitBytes), byCase, median},
			{"Time until all have answered", inUnit(unitTime), byCase, median},
			{"Processor time that they and their parent use while nothing happens, in % of one processor", inUnit(unitShare), byCase, median},
			{"How often a second one of their threads wakes meanwhile, all together", inUnit(unitRate), byCase, median},
		},
		plots: []plotOf{{file: "memory", title: "Memory of an idle worker (PSS)", of: inUnit(unitBytes), series: byCase}},
	},
	{
		measure: "lock", title: "Locks",
		reading: "Lock, count, unlock; alone, and by two owners at once (processes, goroutines for sync.Mutex); time for each operation. " +
			"A low figure for two owners can also mean that one of them has long turns. Less is better.",
		tables: []tableOf{{"", every, byCase, median}},
		plots:  []plotOf{{file: "lock", title: "Time of lock, count, unlock", of: every, series: byCase}},
	},
	{
		measure: "codec", title: "Codec",
		reading: "The small struct to bytes and back, without any call. Less is better.",
		tables: []tableOf{
			{"Time", in(caseRecord), byCase, median},
			{"Allocated objects", in(caseAllocs), byCase, median},
		},
	},
	{
		measure: "allocations", title: "Allocations",
		reading: "Objects that one call allocates when everything is warm, in the caller and, where it can be asked, in the worker. Less is better.",
		tables:  []tableOf{{"", every, byCase, median}},
	},
	{
		measure: "gc", title: "Garbage collection",
		reading: "The time of runtime.GC beside somebody who waits for the other process, asleep or awake. A waiting side must not delay it; " +
			"but where one side works and the other waits awake, both processors are taken. Less is better.",
		tables: []tableOf{{"Median / p99 in µs", every, byCase, shortMicros}},
	},
}

// The names that the measures and the sections share.
const (
	caseEcho   = "64 bytes"
	caseRecord = "small struct"
	caseTimes  = "times"
	caseFirst  = "to first byte"
	caseJoin   = "to join"
	caseMap    = "int → int"
	caseAllocs = "allocations"

	// The situations of a garbage collection: where it is, and how somebody beside
	// it waits for the other process.
	gcHere       = "caller alone"
	gcHereWaits  = "caller sleeps"
	gcHereSpins  = "caller spins"
	gcThere      = "worker sleeps"
	gcThereSpins = "worker spins"

	// Where the processes may run. A blocked process wakes quickly on its waker's
	// processor and slowly on another: a figure without its placement says nothing.
	placeOne   = "one CPU"  // all on one processor
	placeApart = "apart"    // the caller on one, its children on another
	placeBoth  = "two CPUs" // all on two, where the kernel likes
)
