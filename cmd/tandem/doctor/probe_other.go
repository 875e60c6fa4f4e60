//go:build !linux

package doctor

import (
	"context"
	"runtime"
)

// What is looked at here exists on Linux only; other systems say so.

func absent(what string) []Row {
	return []Row{{what, nil, "not looked at on " + runtime.GOOS}}
}

func memory() []Row { return absent("memory") }
func limits() []Row { return absent("limits") }
func cgroup() []Row { return []Row{{"version", nil, "none: cgroups are Linux's"}} }

func kernel(context.Context) []Row {
	return []Row{{"landlock", 0, "no"}, {"seccomp", false, ""}, {"memfd", false, ""}, {"pidfd", false, ""}}
}

func descendants(context.Context) []Row {
	groups := runtime.GOOS != "windows"
	text := "in force: the warden kills them when this program ends"
	if !groups {
		text = "not on this system"
	}
	return []Row{
		{"process groups", groups, text},
		{"death signal", false, "not on this system: a worker ends when its channel does"},
		{"runaways", nil, "what calls setsid escapes"},
	}
}
