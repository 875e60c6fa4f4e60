// Package lock is the mutex of package shared: a word in memory that processes
// share, taken with one compare-and-swap, whose owner's death the kernel
// reports. The protocol, with its state word and its numbered rules, is on the
// page README.md beside this file.
package lock
