//go:build !linux

package cgroup

import "errors"

func counters() []string { return nil }

// Pids is not offered on this system.
type Pids struct{}

// FindPids is not offered on this system.
func FindPids() (Pids, error) { return Pids{}, errors.ErrUnsupported }

// Path is the folder.
func (Pids) Path() string { return "" }

// Make is not offered on this system.
func (Pids) Make(most, pid int) (*Group, error) { return nil, errors.ErrUnsupported }

// Group is not offered on this system.
type Group struct{}

// Close does nothing.
func (*Group) Close() {}
