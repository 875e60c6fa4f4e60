//go:build !linux

package main

// escapes need a system that has sandboxes.
var escapes []escape
