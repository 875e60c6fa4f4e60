//go:build !linux

package sys

import (
	"errors"
	"fmt"
	"runtime"
	"time"
)

func noFutex() error {
	return fmt.Errorf("tandem: waiting on shared memory needs Linux, this is %s: %w", runtime.GOOS, errors.ErrUnsupported)
}

// FutexWait would sleep on a word of shared memory; only Linux can.
func FutexWait(*uint32, uint32, uint32, time.Duration) error { return noFutex() }

// FutexWake would wake sleepers; only Linux can.
func FutexWake(*uint32, int) (int, error) { return 0, noFutex() }

// FutexInterrupt would wake marked sleepers; only Linux can.
func FutexInterrupt(*uint32, uint32) (int, error) { return 0, noFutex() }

// RobustList is the kernel's list of locks to release at death; only Linux has
// it.
type RobustList struct{}

// NewRobustList would make a list; only Linux can.
func NewRobustList(uintptr) (*RobustList, error) { return nil, noFutex() }

// Arm would hand the list to the kernel; only Linux can.
func (*RobustList) Arm() error { return noFutex() }

// Disarm does nothing: there is nothing armed.
func (*RobustList) Disarm() {}

// Insert does nothing: no list was ever made.
func (*RobustList) Insert(*uintptr) {}

// Remove does nothing: no list was ever made.
func (*RobustList) Remove(*uintptr) {}

// ProcessStart would tell processes apart whose ids are equal; only Linux can.
func ProcessStart(int) (uint64, error) { return 0, noFutex() }

// ProcessGone would wait for a process's end; without shared locks nobody asks.
func ProcessGone(int, uint64, time.Duration) bool { return false }

// ThreadLives would look for a thread of any process; without shared locks nobody asks.
func ThreadLives(int) bool { return false }

// PIDNamespace would identify the space of process ids; only Linux has several.
func PIDNamespace() (uint64, error) { return 0, noFutex() }

// MostFutexes is how many words one thread can sleep on at once, where one can.
const MostFutexes = 128

// Futex is a word to sleep on; only Linux can.
type Futex struct{}

// NewFutex is for FutexWaitMany.
func NewFutex(*uint32, uint32) Futex { return Futex{} }

// FutexWaitMany would sleep on many words; only Linux can.
func FutexWaitMany([]Futex, time.Duration) (int, error) { return -1, noFutex() }
