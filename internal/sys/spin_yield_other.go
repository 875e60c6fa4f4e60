//go:build !linux

package sys

import "runtime"

// Yield lets another goroutine run; other systems than Linux have no call that
// every program may make.
func Yield() { runtime.Gosched() }
