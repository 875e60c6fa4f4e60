// Package child is the worker's side: what Init does in a process that was
// started as a worker. It reads who it is, sets its limits, and serves its lanes
// until its parent lets it go or is gone.
package child

import (
	"fmt"

	"github.com/tandem-go/tandem/internal/sandbox"
	"github.com/tandem-go/tandem/internal/wire"
)

// Hello is the body of the Start frame. Its descriptors are the page, the
// warden's registrations if Warden, the rings, their bell and the spinners if
// Rings, the log channel if Log, and one socket for each lane, unless it is Direct.
type Hello struct {
	Build, Tasks uint64 // must be the worker's own
	Name         string // "Process-1:2"
	ParentName   string
	Depth        int // 1 for a worker of the root program
	Lanes        int // 0 or 1: one ordinary goroutine; more: OS threads
	MaxProcs     int
	MaxStack     int64
	Memory       int64
	Grouped      bool // a cgroup keeps Memory, and no limit on data is set beside it
	OpenFiles    int
	Core         int64 // how large a core dump may be, 0 as it was
	Nice         int
	IOClass      int // as the kernel counts, 0 as it is
	IOLevel      int
	CPUs         []int
	Single       bool // one call, then the process ends with its exit code
	Standby      bool // Single, and the call comes late, behind a Handover
	Warden       bool
	Rings        bool // the lanes are rings in shared memory, with the sockets beside them
	Log          bool // what is logged by log/slog goes to the parent
	LogLevel     int64
	Calls        *sandbox.Calls // the filter of system calls to install, nil for none
	Setup, Exit  Hook
	Vars         []byte
}

// Direct says that the one call comes through the control channel, right behind the
// Start frame. A socket of its own would cost 40 µs where both sides share a processor.
func (h *Hello) Direct() bool { return h.Single && !h.Standby }

// MaxDepth is how deep workers may start workers: a program that starts itself
// without end is stopped here.
const MaxDepth = 8

// The bits of a Hello. The last four say which filter of system calls to install.
const (
	flagSingle = 1 << iota
	flagWarden
	flagRings
	flagStandby
	flagLog
	flagGrouped
	flagFilter
	flagFilterNetwork
	flagFilterExec
	flagFilterAlone
)

// Append appends h to dst.
func (h *Hello) Append(dst []byte) []byte {
	flags := uint64(0)
	if h.Single {
		flags |= flagSingle
	}
	if h.Warden {
		flags |= flagWarden
	}
	if h.Rings {
		flags |= flagRings
	}
	if h.Standby {
		flags |= flagStandby
	}
	if h.Log {
		flags |= flagLog
	}
	if h.Grouped {
		flags |= flagGrouped
	}
	flags |= filterFlags(h.Calls)
	for _, v := range []uint64{
		h.Build, h.Tasks, flags, uint64(h.Depth), uint64(h.Lanes), uint64(h.MaxProcs),
		uint64(h.MaxStack), uint64(h.Memory), uint64(h.OpenFiles), uint64(h.Core), uint64(h.LogLevel),
		uint64(h.Nice), uint64(h.IOClass), uint64(h.IOLevel), uint64(len(h.CPUs)),
	} {
		dst = wire.AppendUint64(dst, v)
	}
	for _, c := range h.CPUs {
		dst = wire.AppendUint64(dst, uint64(c))
	}
	dst = wire.AppendBytes(wire.AppendBytes(dst, h.Name), h.ParentName)
	for _, k := range []*Hook{&h.Setup, &h.Exit} {
		dst = wire.AppendBytes(dst, append(k.Info.Append(nil), k.Input...))
	}
	return wire.AppendBytes(dst, h.Vars)
}

// parseHello is the inverse of Append.
func parseHello(body []byte) (h Hello, err error) {
	r := wire.NewReader(body)
	h.Build, h.Tasks = r.Uint64(), r.Uint64()
	flags := r.Uint64()
	h.Single, h.Warden, h.Rings, h.Standby = flags&flagSingle != 0, flags&flagWarden != 0, flags&flagRings != 0, flags&flagStandby != 0
	h.Calls = parseFilter(flags)
	h.Depth, h.Lanes, h.MaxProcs = int(r.Uint64()), int(r.Uint64()), int(r.Uint64())
	h.MaxStack, h.Memory = int64(r.Uint64()), int64(r.Uint64())
	h.OpenFiles, h.Core = int(r.Uint64()), int64(r.Uint64())
	h.Log, h.LogLevel, h.Grouped = flags&flagLog != 0, int64(r.Uint64()), flags&flagGrouped != 0
	h.Nice, h.IOClass, h.IOLevel = int(r.Uint64()), int(r.Uint64()), int(r.Uint64())
	for n := r.Uint64(); n > 0 && r.Err() == nil; n-- {
		h.CPUs = append(h.CPUs, int(r.Uint64()))
	}
	h.Name, h.ParentName = string(r.Bytes()), string(r.Bytes())
	for _, k := range []*Hook{&h.Setup, &h.Exit} {
		hook := append([]byte(nil), r.Bytes()...)
		if r.Err() == nil {
			if k.Info, k.Input, err = wire.ParseCall(hook); err != nil {
				return h, fmt.Errorf("hook: %w", err)
			}
		}
	}
	h.Vars = append([]byte(nil), r.Bytes()...)
	return h, r.Err()
}
