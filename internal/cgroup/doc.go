// Package cgroup is what a program without a manager of its own can use of Linux
// control groups: it finds the groups that this process is in, reads how often the
// kernel's out-of-memory killer struck there, and makes a group below them that
// bounds the number of processes. It changes nothing of a group that it did not make.
//
// Elsewhere its functions answer errors.ErrUnsupported.
package cgroup
