//go:build !race

package process

import "time"

const raceEnabled = false

// exitTime is what an orderly end by os.Exit may take beyond the grace time, which
// is the task's and may be nothing.
const exitTime = time.Second
