package spawn

import (
	"runtime"

	"github.com/tandem-go/tandem/internal/sys"
)

// onConfined runs f on a new thread and returns when f has. If f is well, the thread
// stays until done is closed: the kernel sends the parent-death signal to what it
// forked when it ends. Then undo is called, and the thread ends with all that f has
// done to it.
//
// There is one for each process and not one for each kind of sandbox: what is forked
// from one thread is in one domain, whose members may trace and signal each other.
func onConfined(done <-chan struct{}, f func() (undo func(), well bool)) {
	ready := make(chan struct{})
	go confined(ready, done, f)
	<-ready
}

func confined(ready chan<- struct{}, done <-chan struct{}, f func() (undo func(), well bool)) {
	runtime.LockOSThread() // never undone: the thread ends with this goroutine
	if sys.Gettid() == sys.MainTid() {
		// The main thread cannot end, and what is done to it shows as the program's. While
		// this goroutine holds it, the next one is bound to get another.
		onConfined(done, f)
		runtime.UnlockOSThread()
		close(ready)
		return
	}
	undo, well := f()
	close(ready)
	if well {
		<-done
	}
	if undo != nil {
		undo()
	}
}
