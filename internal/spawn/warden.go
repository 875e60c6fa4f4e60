package spawn

import (
	"encoding/binary"
	"io"
	"math"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/tandem-go/tandem/internal/cgroup"
)

// The warden is one small process per root program. It knows the process groups
// of all workers, the workers' workers included, and kills them when the root
// program is gone, however it went: then also what tasks started with os/exec
// dies, which no parent-death signal of ours reaches. What calls setsid leaves
// its group and gets away.
//
// A worker that dies in the midst of its work leaves groups, too: those of its own
// workers, which die with it and are reaped by a stranger. The warden knows whose
// they were, and kills them when the worker's own group is taken off its list.
//
// It holds the read ends of two pipes. On "registrations" records arrive from the
// root and every worker; "life" has one writer, the root, and brings only the
// end of file.

// A record is one registration: a sign, a process group, and the process that
// registers it. Writes of this size are atomic on a pipe.
const recordSize = 9

func appendRecord(dst []byte, sign byte, pid, by int) []byte {
	dst = binary.LittleEndian.AppendUint32(append(dst, sign), uint32(pid))
	return binary.LittleEndian.AppendUint32(dst, uint32(by))
}

const (
	lifeFD          = 3
	registrationsFD = 4
)

// rest is how long the warden sleeps after it has read: records wait in the pipe,
// which holds 7000, and a start of a process is not slowed down by a second one
// that wakes up beside it. Those that follow wardens which die begin so far apart.
const rest = time.Second

// guard is the warden's whole life. It never returns.
func guard() {
	life, registrations := os.NewFile(lifeFD, "life"), os.NewFile(registrationsFD, "registrations")
	orphaned := make(chan struct{})
	go func() {
		life.Read(make([]byte, 1))
		close(orphaned)
	}()
	records := make(chan []byte)
	go func() {
		defer close(records)
		buf := make([]byte, recordSize*(64<<10/recordSize))
		for {
			n, err := io.ReadAtLeast(registrations, buf, recordSize)
			for err == nil && n%recordSize != 0 { // cannot happen: writes are atomic
				var more int
				more, err = registrations.Read(buf[n : n+recordSize-n%recordSize])
				n += more
			}
			if err != nil {
				return
			}
			records <- append([]byte(nil), buf[:n]...)
		}
	}()
	groups, makers := groups{}, makers{}
	for alive := true; alive; {
		select {
		case r := <-records:
			groups.note(r, makers)
			select {
			case <-time.After(rest):
			case <-orphaned:
				alive = false
			}
		case <-orphaned:
			alive = false
		}
	}
	// What is still in the pipe counts: a group may have ended since it was
	// registered. Then the rest is killed, and what registers after that, too, until
	// the last writer is gone or hangs in the kernel.
	last := time.After(5 * time.Second)
	for open := true; open; {
		var r []byte
		select {
		case r, open = <-records:
			groups.note(r, makers)
			continue
		case <-time.After(time.Millisecond):
		case <-last:
			open = false
		}
		for pid := range groups {
			killGroup(pid)
			delete(groups, pid)
		}
	}
	for pid := range groups {
		killGroup(pid)
	}
	cgroup.Inherit(func(pid int) bool { return makers[pid] })
	syscall.Exit(0) // not os.Exit, which in a race build sleeps for a second
}

// groups are the process groups to be killed, each with the process that
// registered it.
type groups map[int]int

// makers are the processes that have registered groups, and may have made cgroups.
type makers map[int]bool

// note applies records. What a maker that has ended has left of cgroups is removed, and
// what is in them ends: also what had left its process group.
func (g groups) note(records []byte, m makers) {
	for ; len(records) >= recordSize; records = records[recordSize:] {
		pid := int(binary.LittleEndian.Uint32(records[1:]))
		by := int(binary.LittleEndian.Uint32(records[5:]))
		if pid <= 1 || pid > math.MaxInt32 {
			continue // never "everybody", whatever a worker writes
		}
		if m[by] = true; records[0] == '+' {
			g[pid] = by
			continue
		}
		delete(g, pid)
		g.bereave(pid)
		if m[pid] {
			cgroup.Inherit(func(maker int) bool { return maker == pid })
			delete(m, pid)
		}
	}
}

// bereave kills the groups that were registered by a process that is gone, and
// theirs. To wait for the end of the root program would not do: by then their
// numbers may be those of strangers.
func (g groups) bereave(by int) {
	for pid, registrant := range g {
		if registrant == by {
			killGroup(pid)
			delete(g, pid)
			g.bereave(pid)
		}
	}
}

// warden is this process's side of it.
var warden wardenLink

type wardenLink struct {
	mu            sync.Mutex
	registrations *os.File      // write end; nil: not started
	life          *os.File      // write end, in the root program
	up            chan struct{} // closed when the warden of life has been started, or cannot be
	gone          chan struct{} // closed when it has ended
	adopted       int           // the write end as it came from the parent, until it is needed
	inherited     bool          // this process is a worker; its root has the warden
	groups        map[int]bool
	idle          *time.Timer

	restarted time.Time // for one that had died

	exec func(life, registrations *os.File) (end <-chan struct{}, err error) // for tests; nil: startWarden
}

// linger is how long the warden stays when no worker is left: long enough to
// serve a program that starts one process after the other.
const linger = 250 * time.Millisecond

func (w *wardenLink) adopt(registrations int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.adopted, w.inherited = registrations, true
}

// pipe is where records go, nil if there is no warden. A worker makes a file of
// the descriptor it was given only when it starts a process itself.
func (w *wardenLink) pipe() *os.File {
	if w.adopted > 0 {
		w.registrations, w.adopted = os.NewFile(uintptr(w.adopted), "registrations"), 0
	}
	return w.registrations
}

// add makes a process group known. It is called on the starter thread.
func (w *wardenLink) add(pid int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.groups == nil {
		w.groups = make(map[int]bool)
	}
	w.groups[pid] = true
	if w.idle != nil {
		w.idle.Stop()
	}
	if w.pipe() == nil && !w.inherited {
		w.start()
		return
	}
	w.write('+', pid)
}

func (w *wardenLink) remove(pid int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.groups, pid)
	w.write('-', pid)
	if len(w.groups) == 0 && w.life != nil {
		w.idle = time.AfterFunc(linger, func() { w.rest() })
	}
}

func (w *wardenLink) write(sign byte, pid int) {
	if w.pipe() == nil {
		return
	}
	// A warden that does not read (it was stopped) must not stop the program.
	w.registrations.SetWriteDeadline(time.Now().Add(time.Second))
	w.registrations.Write(appendRecord(nil, sign, pid, os.Getpid()))
}

// start makes the pipes and leaves the exec to another goroutine, which does it
// while the first worker boots.
func (w *wardenLink) start() {
	lifeR, lifeW, err := os.Pipe()
	if err != nil {
		return
	}
	regR, regW, err := os.Pipe()
	if err != nil {
		lifeR.Close()
		lifeW.Close()
		return
	}
	up, gone := make(chan struct{}), make(chan struct{})
	w.life, w.registrations, w.up, w.gone = lifeW, regW, up, gone
	for pid := range w.groups {
		w.write('+', pid)
	}
	exec := w.exec
	if exec == nil {
		exec = startWarden
	}
	go func() {
		end, err := exec(lifeR, regR)
		close(up)
		lifeR.Close()
		regR.Close()
		if err == nil {
			<-end
		}
		close(gone)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.forget(lifeW)
		if err == nil && w.missing() { // somebody ended it, or it cannot live here
			time.AfterFunc(rest-time.Since(w.restarted), w.restart)
		}
	}()
}

// missing reports whether there are workers without a warden. The lock is held.
func (w *wardenLink) missing() bool { return len(w.groups) > 0 && w.life == nil }

// restart starts another warden: the workers must not go unguarded.
func (w *wardenLink) restart() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.missing() {
		w.restarted = time.Now()
		w.start()
	}
}

func startWarden(life, registrations *os.File) (end <-chan struct{}, err error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	proc, err := Helper(wardenRole, "tandem-warden", []*os.File{null, null, null, life, registrations})
	if err != nil {
		return nil, err
	}
	return proc.Done(), nil
}

// forget drops the pipes of a warden that is gone, if they are still the present
// ones. The lock is held.
func (w *wardenLink) forget(life *os.File) {
	if w.life != life || life == nil {
		return
	}
	w.life.Close()
	w.registrations.Close()
	w.life, w.registrations = nil, nil
}

// rest lets the warden go if no worker is left. The result, if any, is closed
// when it is gone.
func (w *wardenLink) rest() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.groups) > 0 || w.life == nil {
		return nil
	}
	w.forget(w.life)
	return w.gone
}

// Rest lets the warden end if no worker is left, and waits for its end, so that
// nothing is left over after the last pool was closed.
func Rest() {
	if gone := warden.rest(); gone != nil {
		<-gone
	}
}

// Registrations is the descriptor through which a worker makes its own workers
// known; nil if there is no warden. It waits until the warden has been started: a
// worker is told nothing before, so that no task can start what nobody would end
// if this program were killed now.
func Registrations() *os.File {
	warden.mu.Lock()
	up := warden.up
	warden.mu.Unlock()
	if up != nil {
		<-up
	}
	warden.mu.Lock()
	defer warden.mu.Unlock()
	return warden.pipe()
}
