//go:build linux

package ring_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tandem-go/tandem/internal/ring"
	"github.com/tandem-go/tandem/internal/sys"
)

// placements are where the two sides run: the same benchmark has several truths,
// and only figures of one placement can be compared.
var placements = []struct {
	name          string
	parent, child int // -1: anywhere
}{{"anywhere", -1, -1}, {"two_cpus", 0, 1}, {"one_cpu", 0, 0}}

// BenchmarkAlone: one caller, 64 bytes there and back, by a ring and by a socket
// pair with blocking system calls.
func BenchmarkAlone(b *testing.B) {
	for _, at := range placements {
		b.Run(at.name+"/ring", func(b *testing.B) {
			mask := twoCPUs(b)
			w := start(b, "echo", ring.Config{Lanes: 1, Spinners: newSpinners(b, 2)}, at.child)
			defer w.stop(b)
			place(b, at.parent, mask)
			p := newPool(w)
			request, dst := make([]byte, 64), make([]byte, 0, 64)
			percentiles(b, func() {
				if answer, err := p.call(request, dst); err != nil || len(answer) != 64 {
					b.Fatal(len(answer), err)
				}
			})
		})
		b.Run(at.name+"/socketpair", func(b *testing.B) {
			mask := twoCPUs(b)
			fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				b.Fatal(err)
			}
			theirs := os.NewFile(uintptr(fds[1]), "theirs")
			cmd := helper(b, "socket", at.child, theirs)
			theirs.Close()
			defer cmd.Wait()
			defer unix.Close(fds[0])
			place(b, at.parent, mask)
			buf := make([]byte, 64)
			percentiles(b, func() {
				unix.Write(fds[0], buf)
				if n, err := unix.Read(fds[0], buf); n != 64 {
					b.Fatal(n, err)
				}
			})
		})
	}
}

func init() {
	helpers["socket"] = func(files []*os.File) {
		fd, buf := int(files[0].Fd()), make([]byte, 64)
		for {
			if n, _ := unix.Read(fd, buf); n != 64 {
				return
			}
			unix.Write(fd, buf)
		}
	}
	helpers["busy"] = func(files []*os.File) {
		serve(files, func(in *ring.Inbox, r ring.Request) {
			begin, long := time.Now(), time.Duration(binary.NativeEndian.Uint64(r.Bytes))
			if long >= time.Millisecond {
				time.Sleep(long)
			}
			for time.Since(begin) < long {
			}
			in.Done(nil)
		})
	}
}

// twoCPUs is the affinity of this process; without two CPUs there is nothing to
// compare.
func twoCPUs(b *testing.B) []int {
	mask, err := sys.Affinity(0)
	if err != nil || len(mask) < 2 {
		b.Skip("needs two CPUs")
	}
	return mask
}

// place binds this process to a CPU until the end of b.
func place(b *testing.B, cpu int, mask []int) {
	if cpu >= 0 {
		pin(cpu)
		b.Cleanup(func() { unpin(mask) })
	}
}

// percentiles runs f and reports how long one takes, the reading of the clock
// included.
func percentiles(b *testing.B, f func()) {
	for range 1000 {
		f()
	}
	var d []time.Duration
	for b.Loop() {
		t := time.Now()
		f()
		d = append(d, time.Since(t))
	}
	slices.Sort(d)
	b.ReportMetric(float64(d[len(d)/2]), "p50-ns")
	b.ReportMetric(float64(d[len(d)*99/100]), "p99-ns")
}

// BenchmarkMany: 1 to 100 callers on one worker and on two.
func BenchmarkMany(b *testing.B) {
	for _, workers := range []int{1, 2} {
		for _, callers := range []int{1, 2, 8, 100} {
			b.Run(fmt.Sprintf("%d_workers/%d_callers", workers, callers), func(b *testing.B) {
				spinners := newSpinners(b, runtime.NumCPU())
				var list []*worker
				for range workers {
					w := start(b, "echo", ring.Config{Lanes: 1, Slots: 256, Spinners: spinners}, -1)
					defer w.stop(b)
					list = append(list, w)
				}
				p := newPool(list...)
				share(b, callers, func(dst []byte) error { _, err := p.call(dst, dst); return err })
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e3, "kcalls/s")
			})
		}
	}
}

// share makes b.N calls by so many goroutines.
func share(b *testing.B, callers int, call func(dst []byte) error) {
	before := usage(b)
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			dst := make([]byte, 8, 64)
			for range b.N/callers + min(1, max(0, b.N%callers-i)) {
				if err := call(dst); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	after := usage(b)
	b.ReportMetric(float64(after.Nvcsw-before.Nvcsw)/float64(b.N), "sleeps/op")
}

func usage(b *testing.B) (u unix.Rusage) {
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u
}

// BenchmarkGC: how long a collection takes with nothing beside it, beside a caller
// that spins, and beside one that sleeps.
func BenchmarkGC(b *testing.B) {
	for _, c := range []struct {
		name string
		task time.Duration // 0: no calls
	}{{"quiet", 0}, {"spinning", 40 * time.Microsecond}, {"asleep", 5 * time.Millisecond}} {
		b.Run(c.name, func(b *testing.B) {
			w := start(b, "busy", ring.Config{Lanes: 1, Spinners: newSpinners(b, 2)}, -1)
			defer w.stop(b)
			p := newPool(w)
			stop, ended := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(ended)
				for c.task > 0 {
					select {
					case <-stop:
						return
					default:
						p.call(binary.NativeEndian.AppendUint64(nil, uint64(c.task)), nil)
					}
				}
			}()
			var d []time.Duration
			for b.Loop() {
				t := time.Now()
				runtime.GC()
				d = append(d, time.Since(t))
			}
			close(stop)
			<-ended
			slices.Sort(d)
			b.ReportMetric(float64(d[len(d)/2])/1e3, "p50-us")
			b.ReportMetric(float64(d[len(d)*99/100])/1e3, "p99-us")
		})
	}
}
