//go:build linux

package main

import (
	"fmt"
	"os"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/bench/internal/drive"
)

// TestMain makes the test binary its own children, as main does.
func TestMain(m *testing.M) {
	mode := drive.Mode()
	if mode != modeMeasure {
		bareChild(mode)
	}
	tandem.Init()
	if mode == modeMeasure {
		if err := measureMain(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	if p, err := prepared(); err == nil {
		p.remove()
	}
	os.Exit(code)
}
