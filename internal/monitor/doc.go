// Package monitor is what the shared things that people wait for have in common: a
// table in shared memory with a place for each process, a robust lock around it,
// and in each process a queue of the goroutines that wait. A semaphore or a barrier
// is a small [Machine] on top: what the words mean, and who is served next. The
// layout and the rules are on the page README.md beside this file.
package monitor
