//go:build !race

package process

const raceEnabled = false

// exitTime is what a process needs to end by os.Exit beyond its grace time.
const exitTime = 0
