package process_test

import (
	"context"
	"fmt"
	"log"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync"
	"syscall"

	"github.com/tandem-go/tandem"
)

// perishing is a task that ends in the way that its argument names: see ways_linux_test.go
// for what is to come of each.
var perishing = tandem.NewTask("perishing", func(_ context.Context, e end) (string, error) {
	fmt.Fprintln(os.Stderr, "the last words of", e.How)
	waysOut[e.How](e)
	return "", fmt.Errorf("%q did not end it", e.How)
})

// end is its argument.
type end struct {
	How  string
	File string // for what needs one
}

var waysOut = map[string]func(end){
	// The task's own: the worker lives.
	"panic":       func(end) { panic(errOfEnd) },
	"nil pointer": func(end) { var p *end; p.How = "" },
	"goexit":      func(end) { runtime.Goexit() },

	// The process ends itself.
	"exit 3":    func(end) { os.Exit(3) },
	"exit 0":    func(end) { os.Exit(0) },
	"log.Fatal": func(end) { log.New(os.Stderr, "", 0).Fatal("no configuration") },

	// The Go runtime ends it.
	"panic elsewhere":       func(end) { go func() { panic("in a goroutine") }(); select {} },
	"nil pointer elsewhere": func(end) { go func() { var p *end; p.How = "" }(); select {} },
	"stack overflow":        func(end) { deeper(0) },
	"concurrent map":        raceOnMap,
	"unlock of unlocked":    func(end) { var mu sync.Mutex; mu.Unlock() },
	"threads":               tooManyThreads,
	"out of memory":         func(end) { hoard(1 << 10) },
	"one allocation":        func(end) { hoarded = append(hoarded, make([]byte, 4<<30)) },

	// The kernel ends it, or the runtime for it.
	"read-only memory": writeReadOnly,
	"truncated file":   readTruncated,
	"unmapped memory":  readUnmapped,
	"SIGKILL":          func(end) { raise(syscall.SIGKILL) },
	"SIGTERM":          func(end) { raise(syscall.SIGTERM) },
	"SIGSEGV":          func(end) { raise(syscall.SIGSEGV) },
	"SIGABRT":          func(end) { raise(syscall.SIGABRT) },
	"SIGQUIT":          func(end) { raise(syscall.SIGQUIT) },
	"SIGSYS":           func(end) { raise(syscall.SIGSYS) },

	// tandem ends it.
	"loop":           spin,
	"asleep":         func(end) { select {} },
	"blocked call":   func(end) { blockCall(syscall.RawSyscall6) },
	"SIGSTOP":        func(end) { raise(syscall.SIGSTOP) },
	"forged frame":   func(end) { attackParent("garbage") },
	"closed channel": func(end) { attackParent("end of file") },
}

var errOfEnd = tandemError("process_test.errOfEnd", "the end")

func raise(sig syscall.Signal) {
	syscall.Kill(os.Getpid(), sig)
	select {}
}

func spin(end) {
	for i := 0; i < math.MaxInt; i++ {
		i &= 0xffff
	}
}

// blockCall waits in the system for ever. With RawSyscall6 the Go scheduler knows
// nothing of it, as of C code.
func blockCall(call func(number, a, b, c, d, e, f uintptr) (uintptr, uintptr, syscall.Errno)) {
	for { // signals interrupt it
		call(syscall.SYS_PSELECT6, 0, 0, 0, 0, 0, 0)
	}
}

func attackParent(how string) {
	for _, fd := range sockets() {
		attacks[how](fd)
	}
	select {}
}

func raceOnMap(end) {
	m := map[int]int{}
	for range 4 {
		go func() {
			for i := 0; ; i++ {
				m[i%10]++
			}
		}()
	}
	select {}
}

// tooManyThreads asks for more than the runtime allows, which is set low first.
func tooManyThreads(end) {
	debug.SetMaxThreads(40)
	for range 50 {
		go blockCall(syscall.Syscall6)
	}
	select {}
}

func writeReadOnly(end) {
	b, err := syscall.Mmap(-1, 0, os.Getpagesize(), syscall.PROT_READ, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		panic(err)
	}
	b[0] = 1
}

func readUnmapped(end) {
	b, err := syscall.Mmap(-1, 0, os.Getpagesize(), syscall.PROT_READ, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		panic(err)
	}
	stale := b
	if err := syscall.Munmap(b); err != nil {
		panic(err)
	}
	fmt.Fprintln(os.Stderr, stale[0])
}

func readTruncated(e end) {
	f, err := os.OpenFile(filepath.Clean(e.File), os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		err = f.Truncate(int64(os.Getpagesize()))
	}
	if err != nil {
		panic(err)
	}
	b, err := syscall.Mmap(int(f.Fd()), 0, os.Getpagesize(), syscall.PROT_READ, syscall.MAP_SHARED)
	if err == nil {
		err = f.Truncate(0)
	}
	if err != nil {
		panic(err)
	}
	fmt.Fprintln(os.Stderr, b[100])
}
