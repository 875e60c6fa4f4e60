//go:build linux

package main

import (
	"debug/buildinfo"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tandem-go/tandem"
)

// rivalModules are those whose versions a report names.
var rivalModules = []string{
	"github.com/hashicorp/go-plugin", "google.golang.org/grpc", "google.golang.org/protobuf",
	"github.com/sourcegraph/conc", "github.com/panjf2000/ants/v2", "github.com/alitto/pond/v2", "golang.org/x/sync",
}

// lookAround describes the machine, before the run makes work for it.
func lookAround(t tools) Machine {
	m := Machine{
		Date:    time.Now().Format("2006-01-02 15:04 -0700"),
		Command: strings.TrimSpace("go run ./bench " + strings.Join(os.Args[1:], " ")),
		CPUs:    tandem.CPUs(),
		Go:      runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH,
		Python:  t.Version,
		Rivals:  map[string]string{},
	}
	info := string(read("/proc/cpuinfo"))
	m.CPU = field(info, "model name")
	m.Virtual = strings.Contains(field(info, "flags"), " hypervisor")
	var si unix.Sysinfo_t
	if unix.Sysinfo(&si) == nil {
		m.Memory = int64(si.Totalram) * int64(si.Unit)
	}
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		m.Kernel = unix.ByteSliceToString(u.Sysname[:]) + " " + unix.ByteSliceToString(u.Release[:])
	}
	fmt.Sscan(string(read("/proc/loadavg")), &m.Load)
	for _, binary := range []string{t.Rivals, t.Locals} {
		b, err := buildinfo.ReadFile(binary)
		if err != nil {
			continue // no rivals
		}
		for _, d := range b.Deps {
			for _, name := range rivalModules {
				if d.Path == name {
					m.Rivals[name] = d.Version
				}
			}
		}
	}
	if s, err := os.Stat("/proc/self/exe"); err == nil {
		m.Binary = s.Size()
	}
	return m
}

func read(name string) []byte {
	b, _ := os.ReadFile(name)
	return b
}

// field is the value of the first line "name : value".
func field(text, name string) string {
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
