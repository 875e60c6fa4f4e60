//go:build linux

package main

import (
	"time"

	"github.com/tandem-go/tandem/bench/internal/drive"
)

// startOf measures a peer from nothing to its first reply and to its end. There
// is no earlier sign of life that all of them give.
func startOf(open func() (*drive.Local, error)) func() (int64, int64, error) {
	return func() (first, join int64, err error) {
		begin := time.Now()
		p, err := open()
		if err != nil {
			return 0, 0, err
		}
		_, err = p.Echo(drive.Bytes{1})
		first = int64(time.Since(begin))
		if closed := p.Close(); err == nil {
			err = closed
		}
		return first, int64(time.Since(begin)), err
	}
}
