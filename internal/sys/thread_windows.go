package sys

import "golang.org/x/sys/windows"

// Gettid is the system's id of the calling thread.
func Gettid() int { return int(windows.GetCurrentThreadId()) }
