// Package cgroup is what a program without a manager of its own can use of Linux
// control groups, of both versions: it finds the groups that this process is in and
// the limit of memory above it, reads how often the kernel's out-of-memory killer
// struck there, and makes groups below them that bound memory and the number of
// processes, in which processes are born. It changes nothing of a group that it did
// not make, but that in version 2 it hands controllers down, and moves this program
// into a group of its own for that.
//
// Elsewhere its functions answer errors.ErrUnsupported.
package cgroup
