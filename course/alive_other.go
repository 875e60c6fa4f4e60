//go:build !unix

package course

import "os"

// alive reports whether a process runs: where it does not, it cannot be found.
func alive(pid int) bool {
	p, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	p.Release()
	return true
}
