//go:build linux

package ring_test

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tandem-go/tandem/internal/ring"
	"github.com/tandem-go/tandem/internal/sys"
)

// helpers are what this test binary does as a second process, by name.
var helpers = map[string]func(files []*os.File){}

const helperVariable = "TANDEM_RING_HELPER"

func TestMain(m *testing.M) {
	if name := os.Getenv(helperVariable); name != "" {
		var files []*os.File
		for fd := 3; ; fd++ {
			if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || fd >= 3+len(os.Args[1]) {
				break
			}
			files = append(files, os.NewFile(uintptr(fd), "inherited"))
		}
		if cpu := os.Getenv("TANDEM_RING_CPU"); cpu != "" {
			pin(int(cpu[0] - '0'))
		}
		helpers[name](files)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// pin binds all threads of this process to one CPU.
func pin(cpu int) {
	tasks, _ := os.ReadDir("/proc/self/task")
	for _, t := range tasks {
		var tid int
		fmt.Sscan(t.Name(), &tid)
		if err := sys.SetAffinity(tid, []int{cpu}); err != nil {
			panic(err)
		}
	}
}

// unpin undoes pin.
func unpin(mask []int) {
	tasks, _ := os.ReadDir("/proc/self/task")
	for _, t := range tasks {
		var tid int
		fmt.Sscan(t.Name(), &tid)
		sys.SetAffinity(tid, mask)
	}
}

// helper starts this test binary as a second process that runs a helper. cpu -1 is
// any.
func helper(t testing.TB, name string, cpu int, files ...*os.File) *exec.Cmd {
	t.Helper()
	// As many letters as files, so that the helper knows what it inherited.
	cmd := exec.Command(os.Args[0], strings.Repeat("f", len(files)))
	cmd.Env = append(os.Environ(), helperVariable+"="+name)
	if cpu >= 0 {
		cmd.Env = append(cmd.Env, fmt.Sprintf("TANDEM_RING_CPU=%d", cpu))
	}
	cmd.ExtraFiles = files
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

func init() {
	helpers["echo"] = func(files []*os.File) { serve(files, echo) }
}

// echo answers what it is asked.
func echo(in *ring.Inbox, r ring.Request) { in.Done(r.Bytes) }

// serve runs a worker whose lanes answer by answer; the files are segment, eventfd
// and, if there are three, the spinners.
func serve(files []*os.File, answer func(*ring.Inbox, ring.Request)) {
	var spinners *ring.Spinners
	if len(files) > 2 {
		var err error
		if spinners, err = ring.OpenSpinners(files[2]); err != nil {
			panic(err)
		}
	}
	w, err := ring.Open(files[0], files[1], nil, spinners)
	if err != nil {
		panic(err)
	}
	var lanes sync.WaitGroup
	for i, in := range w.Lanes() {
		lanes.Go(func() {
			if i > 0 || len(w.Lanes()) > 1 {
				runtime.LockOSThread()
			}
			for {
				r, err := in.Next()
				if err != nil {
					return
				}
				answer(in, r)
			}
		})
	}
	lanes.Wait()
}

// again opens a second descriptor of what f leads to, as if it had been sent.
func again(t testing.TB, f *os.File) *os.File {
	t.Helper()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		t.Fatal(err)
	}
	return os.NewFile(uintptr(fd), f.Name())
}

// polled is again for an alarm, of which there may be none.
func polled(t testing.TB, f *os.File) *os.File {
	t.Helper()
	if f == nil {
		return nil
	}
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 3)
	if err == nil {
		f, err = sys.File(fd, "alarm", true)
	}
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// worker is a second process that serves rings.
type worker struct {
	*ring.Parent
	cmd *exec.Cmd
}

func start(t testing.TB, name string, c ring.Config, cpu int, extra ...*os.File) *worker {
	t.Helper()
	p, err := ring.Create(c)
	if err != nil {
		t.Fatal(err)
	}
	files := p.Files()
	if c.Spinners != nil {
		files = append(files, c.Spinners.File())
	}
	return &worker{p, helper(t, name, cpu, append(files, extra...)...)}
}

// stop kills the process and ends the rings.
func (w *worker) stop(t testing.TB) {
	t.Helper()
	w.cmd.Process.Kill()
	w.cmd.Wait()
	w.Fail()
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

func newSpinners(t testing.TB, cpus int) *ring.Spinners {
	t.Helper()
	s, err := ring.NewSpinners(cpus)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// pool chooses lanes as a pool would: its mutex guards Reserve, the lane with the
// fewest calls gets the next one, the first of several.
type pool struct {
	mu    sync.Mutex
	lanes []*ring.Outbox
	busy  []int
}

func newPool(workers ...*worker) *pool {
	p := new(pool)
	for _, w := range workers {
		p.lanes = append(p.lanes, w.Lanes()...)
	}
	p.busy = make([]int, len(p.lanes))
	return p
}

func (p *pool) reserve() (lane int, s ring.Slot) {
	for {
		p.mu.Lock()
		lane = 0
		for i, n := range p.busy {
			if n < p.busy[lane] {
				lane = i
			}
		}
		s, ok := p.lanes[lane].Reserve()
		if ok {
			p.busy[lane]++
			p.mu.Unlock()
			return lane, s
		}
		p.mu.Unlock()
		runtime.Gosched() // somebody has not fetched an answer of a round ago
	}
}

func (p *pool) release(lane int) {
	p.mu.Lock()
	p.busy[lane]--
	p.mu.Unlock()
}

// call makes one call.
func (p *pool) call(request, dst []byte) ([]byte, error) {
	lane, s := p.reserve()
	p.lanes[lane].Publish(s, request)
	answer, _, err := p.lanes[lane].Wait(s, dst, nil)
	p.release(lane)
	return answer, err
}
