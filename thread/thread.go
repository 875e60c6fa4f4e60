package thread

import (
	"runtime"
	"slices"
	"sync"

	"github.com/tandem-go/tandem/internal/sys"
)

// Thread is one OS thread of this program, as it looks from outside. Its methods
// are safe for concurrent use and do not block.
type Thread struct {
	name    string
	id      int           // set before anyone but the thread itself sees it
	done    chan struct{} // nil: not started here
	running chan struct{} // closed when id is set
}

// Name is the name given in Config, or "Thread-1 (run)": a number and the
// function's own name. The main thread's is "MainThread". It is the full name,
// also where the kernel shows only 15 bytes of it.
func (t *Thread) Name() string { return t.name }

// ID is the kernel's id of the thread, the one in ps -L and in /proc; 0 for a
// thread that could not be started, and on systems that do not tell.
func (t *Thread) ID() int { return t.id }

// Alive reports whether the thread's function still runs. The main thread is
// alive as long as the program.
func (t *Thread) Alive() bool {
	if t.done == nil {
		return sys.ThreadAlive(t.id)
	}
	select {
	case <-t.done:
		return false
	default:
		return true
	}
}

// Done is closed when the thread's function has ended and its outcome is known.
// For the main thread and threads that were not started here it is nil: a
// receive from it blocks for ever.
func (t *Thread) Done() <-chan struct{} { return t.done }

// Main is the thread that the system started the program with. On Linux its ID
// is the process id.
func Main() *Thread { return mainThread() }

var mainThread = sync.OnceValue(func() *Thread { return &Thread{name: "MainThread", id: sys.MainTid()} })

// Current is the thread that the caller runs on. In a function started by this
// package, and in a task of a Pool, it is that thread, always the same *Thread.
// Elsewhere the Go scheduler moves goroutines between threads as it likes, so
// the answer may be outdated when it arrives; unless it is the main thread it is
// a new Thread that only describes the kernel's, by its id and the kernel's name
// for it. Goroutines started by a thread's function do not run on that thread.
// It costs one system call.
func Current() *Thread {
	id := sys.Gettid()
	started.Lock()
	t := started.byID[id]
	started.Unlock()
	switch {
	case t != nil && id != 0:
		return t
	case id == sys.MainTid():
		return Main()
	}
	name, _ := sys.ThreadName(id) // no name is no reason to fail
	return &Thread{name: name, id: id}
}

// All lists the main thread, and then the living threads that this package
// started, in the order of their starts. The runtime's own threads are not in
// it.
func All() []*Thread {
	started.Lock()
	defer started.Unlock()
	return append([]*Thread{Main()}, started.inOrder...)
}

// started holds the threads of this package that are alive.
var started struct {
	sync.Mutex
	byID    map[int]*Thread
	inOrder []*Thread
}

func newThread(name string) *Thread {
	return &Thread{name: name, done: make(chan struct{}), running: make(chan struct{})}
}

// stillborn is a Thread that never ran.
func stillborn(name string) *Thread {
	t := newThread(name)
	close(t.done)
	return t
}

// start runs body on a new kernel thread that ends with it, however it ends.
// t.running is closed when t is known to Current and All, and then body begins.
func (t *Thread) start(body func()) { go t.live(body) }

func (t *Thread) live(body func()) {
	runtime.LockOSThread() // never undone: so the kernel thread ends with this goroutine
	id := sys.Gettid()
	if id != 0 && id == sys.MainTid() {
		// The main thread has a name and an id of its own and cannot end. While this
		// goroutine holds it, the next one is bound to get another.
		go t.live(body)
		<-t.running
		runtime.UnlockOSThread()
		return
	}
	t.id = id
	_ = sys.SetThreadName(t.name) // a courtesy to who looks from outside; nothing depends on it
	t.enter()
	defer t.leave()
	close(t.running)
	body()
}

func (t *Thread) enter() {
	started.Lock()
	defer started.Unlock()
	if started.byID == nil {
		started.byID = make(map[int]*Thread)
	}
	started.byID[t.id] = t
	started.inOrder = append(started.inOrder, t)
}

func (t *Thread) leave() {
	started.Lock()
	if started.byID[t.id] == t {
		delete(started.byID, t.id)
	}
	started.inOrder = slices.DeleteFunc(started.inOrder, func(o *Thread) bool { return o == t })
	started.Unlock()
	close(t.done)
}
