// Package drive is the language between the benchmark and what it measures. An
// [Order] says what is to be done and how often, a [Reply] how long it took. The
// same orders are obeyed by functions of this process ([Local]) and by other
// programs over a pipe ([Open], [Serve]): the binary of the rivals that link
// much, and a Python script. So nobody pays for what another contender links,
// and every loop runs in the language that it measures.
//
// Who obeys an order checks every result. A wrong one is an error, not a figure.
package drive

import "fmt"

// The orders. Each names the fields of Order and Reply that it uses.
const (
	Echo     = "echo"     // N calls with 64 bytes, one after the other: Samples
	Record   = "record"   // the same with a small struct
	Calls    = "calls"    // calls int → int by Callers callers for Nanos: Count, Nanos
	Map      = "map"      // N items of Turns turns, on all workers: Nanos
	Serial   = "serial"   // the same in a plain loop: Nanos
	Payload  = "payload"  // N calls with Size bytes, answered by a probe of them: Samples
	Start    = "start"    // N starts of a process: Samples to its first byte, Joins to its end
	Standby  = "standby"  // N starts of processes that wait, each after Nanos of idling: Samples to the result
	Crowd    = "crowd"    // start N workers that then idle: Nanos until all have answered
	Disperse = "disperse" // end them
	Lock     = "lock"     // N lock operations by each of Callers owners: Nanos
	Codec    = "codec"    // N small structs, each encoded and decoded: Nanos, Allocs
	Allocs   = "allocs"   // N calls of the kind Of (Echo or Record): Allocs, Theirs
	Collect  = "collect"  // N garbage collections in the situation Of: Samples
)

// Order is one thing to do.
type Order struct {
	Do      string `json:"do"`
	Of      string `json:"of,omitempty"`
	N       int    `json:"n,omitempty"`
	Size    int    `json:"size,omitempty"`
	Callers int    `json:"callers,omitempty"`
	Turns   int    `json:"turns,omitempty"`
	Nanos   int64  `json:"nanos,omitempty"`
}

// Reply is what came of it. All times are in nanoseconds.
type Reply struct {
	Samples []int64 `json:"samples,omitempty"`
	Joins   []int64 `json:"joins,omitempty"`
	Count   int     `json:"count,omitempty"`
	Nanos   int64   `json:"nanos,omitempty"`
	Allocs  uint64  `json:"allocs,omitempty"` // allocations of the calling process
	Theirs  *uint64 `json:"theirs,omitempty"` // of the worker, nil if it does not tell
	Error   string  `json:"error,omitempty"`
}

// Session obeys orders, one at a time, until it is closed.
type Session interface {
	Do(Order) (Reply, error)
	PID() int // the process that makes the calls
	Close() error
}

// Bytes is what an echo carries.
type Bytes [64]byte

// Struct is the small struct of the order Record.
type Struct struct {
	ID   int
	Name string
	Data []float64
}

// NewStruct returns the struct that call i carries.
func NewStruct(i int) Struct {
	s := Struct{ID: i, Name: "a name of some length", Data: make([]float64, 16)}
	for k := range s.Data {
		s.Data[k] = float64(i + k)
	}
	return s
}

// Pack makes the argument of item i with a number of turns, an int so that a map
// is one of int → int.
func Pack(i, turns int) int { return turns<<32 | i }

// Item is the work of one item: turns dependent steps of about a nanosecond.
func Item(packed int) int {
	return packed&0xffffffff*2 + 1 ^ int(spin(packed>>32)&0xffff)
}

// spin is a xorshift generator, which no compiler shortens.
func spin(turns int) uint64 {
	x := uint64(88172645463325252)
	for range turns {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	return x
}

// checkItems compares results with what they must be. The work depends on the
// number of turns alone, so checking costs far less than doing.
func checkItems(out []int, turns int) error {
	mask := int(spin(turns) & 0xffff)
	for i, got := range out {
		if want := i*2 + 1 ^ mask; got != want {
			return fmt.Errorf("item %d is %d, want %d", i, got, want)
		}
	}
	return nil
}

// Stamp marks a payload as that of call i, at three places.
func Stamp(b []byte, i int) {
	b[0], b[len(b)/2], b[len(b)-1] = byte(i), byte(i+1), byte(i+2)
}

// Probe is what is answered to a payload: its length and what stands at the
// three places. Reading all of it would measure memory and not the way here.
func Probe(b []byte) int {
	if len(b) == 0 {
		return 0
	}
	return len(b)<<24 | int(b[0])<<16 | int(b[len(b)/2])<<8 | int(b[len(b)-1])
}
