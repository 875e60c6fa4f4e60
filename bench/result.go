package main

// Result is one figure of one contender.
type Result struct {
	Measure   string  `json:"measure"`
	Case      string  `json:"case"`
	X         float64 `json:"x,omitempty"` // the case as a number: callers, bytes, µs, workers
	Placement string  `json:"placement"`
	Contender string  `json:"contender"`
	Family    string  `json:"family"`
	Unit      string  `json:"unit"`
	Figures
	Error string `json:"error,omitempty"` // why there is no figure
}

// The units of results.
const (
	unitTime  = "ns"
	unitCalls = "calls/s"
	unitItems = "items/s"
	unitRatio = "×"
	unitBytes = "bytes"
	unitShare = "%"
	unitRate  = "/s"
	unitCount = "" // of objects, or events
)

// Report is a whole run.
type Report struct {
	Machine    Machine   `json:"machine"`
	Contenders []Entry   `json:"contenders"` // in the order of the tables
	Results    []Result  `json:"results"`
	Goals      []Verdict `json:"goals"`
	Part       bool      `json:"part,omitempty"` // only some measures, or some contenders
	Left       []string  `json:"left"`           // what is not here, and why
	Seconds    float64   `json:"seconds"`
}

// Entry says how a contender is used.
type Entry struct {
	Name   string `json:"name"`
	Family string `json:"family"`
	Note   string `json:"note"`
}

// Machine is where and how the report was made.
type Machine struct {
	Date    string            `json:"date"` // with the zone
	Command string            `json:"command"`
	CPU     string            `json:"cpu"`
	CPUs    int               `json:"cpus"` // usable: affinity and quota
	Virtual bool              `json:"virtual"`
	Memory  int64             `json:"memory"` // bytes
	Kernel  string            `json:"kernel"`
	Go      string            `json:"go"`
	Python  string            `json:"python,omitempty"`
	Load    float64           `json:"load"`   // average of the last minute, at the start
	Binary  int64             `json:"binary"` // bytes of this program
	Rivals  map[string]string `json:"rivals"` // module → version
}
