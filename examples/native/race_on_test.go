//go:build race

package main

// raceBuild: such a process keeps no limit of memory.
const raceBuild = true
