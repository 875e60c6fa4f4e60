// Package deadlock finds goroutines, in any number of processes, that wait for each
// other in a circle. It looks only in programs that run with TANDEMDEBUG=locks. What
// is promised, and why it is true, is on the page README.md beside this file.
package deadlock
