//go:build race

package process

import "time"

const raceEnabled = true

// exitTime: the race detector sleeps for a second before a process ends, so that
// races of other threads are seen (GORACE=atexit_sleep_ms).
const exitTime = 3 * time.Second
