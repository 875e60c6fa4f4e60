//go:build linux

package main

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tandem-go/tandem/internal/spawn"
)

// otherClocks has all processes that are born from now on live in a time namespace of
// their own, whose clocks since boot are so far from this process's. The time of day
// cannot be another: it is the whole machine's.
func otherClocks(by time.Duration) (err error) {
	spawn.OnStarter(func() {
		if err = unix.Unshare(unix.CLONE_NEWTIME); err != nil {
			err = fmt.Errorf("a time namespace: %w", err)
			return
		}
		offsets := fmt.Sprintf("monotonic %d 0\nboottime %d 0\n", by/time.Second, by/time.Second)
		err = os.WriteFile(fmt.Sprintf("/proc/%d/timens_offsets", unix.Gettid()), []byte(offsets), 0)
	})
	return err
}

// someClocks are offsets such that the clocks of successive workers jump back and forth,
// by a little and by a lot. A clock since boot is not negative, and the machine may have
// booted a moment ago.
func someClocks(dice uint64) time.Duration {
	const most = 10_000_000 // seconds: four months
	return time.Duration(dice%most>>(dice>>32%24)) * time.Second
}
