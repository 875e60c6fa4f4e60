//go:build race

package main

// raceBuild: the race detector's shadow memory counts as a process's own, so that
// there is no limit of memory, and no task that takes all of it.
const raceBuild = true
