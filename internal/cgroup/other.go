//go:build !linux

package cgroup

import (
	"errors"
	"syscall"
)

func counters() []string { return nil }

// The controllers that are used on Linux.
const (
	Memory = "memory"
	PIDs   = "pids"
)

// Place is none on this system.
type Place struct{}

// Find is not offered on this system.
func Find(controller string, move bool) (Place, error) { return Place{}, errors.ErrUnsupported }

// Path is the folder.
func (Place) Path() string { return "" }

// Version is that of the groups.
func (Place) Version() int { return 0 }

// Bounds are what the processes of a group may have together.
type Bounds struct {
	Memory    int64
	Processes int
}

// Group is not offered on this system.
type Group struct{}

// Make is not offered on this system.
func Make(Bounds, Place, Place) (*Group, error) { return nil, errors.ErrUnsupported }

// BoundsMemory reports false.
func (*Group) BoundsMemory() bool { return false }

// SetMemory is not offered on this system.
func (*Group) SetMemory(int64) error { return errors.ErrUnsupported }

// Used is not offered on this system.
func (*Group) Used() (int64, error) { return 0, errors.ErrUnsupported }

// Enter is not offered on this system.
func (*Group) Enter(*syscall.SysProcAttr) (func() error, error) { return nil, errors.ErrUnsupported }

// Admit is not offered on this system.
func (*Group) Admit(int) error { return errors.ErrUnsupported }

// Killed reports false.
func (*Group) Killed() (any, own bool) { return false, false }

// OnOverrun is not offered on this system.
func (*Group) OnOverrun(func()) error { return errors.ErrUnsupported }

// Close does nothing.
func (*Group) Close() {}

// Common is not offered on this system.
type Common struct {
	Outer, Rest *Group
	Inner       Place
}

// MakeCommon is not offered on this system.
func MakeCommon(int64, Place) (*Common, error) { return nil, errors.ErrUnsupported }

// Used is not offered on this system.
func (*Common) Used() (int64, error) { return 0, errors.ErrUnsupported }

// Counter is no file.
func (*Common) Counter() string { return "" }

// Close does nothing.
func (*Common) Close() {}

// Inherit does nothing.
func Inherit(func(pid int) bool) {}

// Ceiling is the least limit of memory above this process, which has none on this system.
type Ceiling struct {
	Dir   string
	Bytes int64
	Whole bool
}

// FindCeiling finds none.
func FindCeiling() (Ceiling, bool) { return Ceiling{}, false }

// Used is not offered on this system.
func (Ceiling) Used() (int64, error) { return 0, errors.ErrUnsupported }

// Hit reports false.
func (Ceiling) Hit() bool { return false }
