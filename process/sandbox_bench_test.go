package process_test

import (
	"errors"
	"testing"

	"github.com/tandem-go/tandem/process"
)

// BenchmarkSandbox is a process from Start to its end, without a sandbox and with more
// and more of it.
func BenchmarkSandbox(b *testing.B) {
	for _, c := range []struct {
		name string
		s    *process.Sandbox
	}{
		{"none", nil},
		{"base", &process.Sandbox{}},
		{"closed", &process.Sandbox{NoFiles: true, NoNetwork: true, NoExec: true}},
		{"pids", &process.Sandbox{NoFiles: true, NoNetwork: true, NoExec: true, PIDNamespace: true, UserNamespace: true}},
		{"network", &process.Sandbox{NoFiles: true, NetworkNamespace: true, UserNamespace: true}},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				h, err := process.Start(b.Context(), process.Config{Sandbox: c.s}, double, 21)
				if errors.Is(err, errors.ErrUnsupported) {
					b.Skip(err)
				}
				if err != nil {
					b.Fatal(err)
				}
				if got, err := h.Wait(b.Context()); got != 42 || err != nil {
					b.Fatal(got, err)
				}
			}
		})
	}
}
