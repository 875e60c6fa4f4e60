package ring

import (
	"os"
	"syscall"
	"time"

	"github.com/tandem-go/tandem/internal/sys"
)

// What is in a lane's word sleeping, beside awake.
const (
	blocked = 1 // it blocks a thread by the word
	dormant = 2 // it sleeps in the poller by the alarm
)

// blockFor is how long a lane blocks its thread before it sleeps in the poller. It is
// less than the ten milliseconds after which the runtime takes the processor of a
// blocked thread away.
const blockFor = 5 * time.Millisecond

// pollAgain is how long after it has left the poller a lane goes back there at once. A
// blocked thread would wake the runtime's monitor, which then looks sixty times what
// there is to do, most of them 20 µs apart, and interrupts the calls by that.
const pollAgain = time.Millisecond

// alarm is the parent's end of what wakes a worker that sleeps in the poller. Workers
// with several lanes have none: a goroutine that owns its thread is woken by way of
// another.
type alarm struct {
	near int
	far  *os.File // the worker's end
}

func (a *alarm) open() (err error) {
	a.near, a.far, err = sys.NewAlarm()
	return err
}

func (a *alarm) sound() {
	if a.far != nil {
		sys.Sound(a.near)
	}
}

func (a *alarm) close() error {
	if a.far == nil {
		return nil
	}
	sys.CloseFD(a.near)
	return a.far.Close()
}

// wakened is the worker's end of an alarm, without a file if it has none.
type wakened struct {
	file *os.File
	raw  syscall.RawConn
}

func newWakened(file *os.File) (w wakened) {
	if file == nil {
		return w
	}
	w.file = file
	w.raw, _ = file.SyscallConn() // which fails for a nil file only
	return w
}

// end ends the lane's sleep for good, whose reason is gone from its word.
func (w wakened) end() {
	if w.file != nil {
		w.file.SetReadDeadline(time.Unix(1, 0))
	}
}

func (w wakened) close() error {
	if w.file == nil {
		return nil
	}
	return w.file.Close()
}

// roused is whether a lane that sleeps in the poller is awake, as a RawConn asks.
func roused(sleeping flag) func(uintptr) bool {
	return func(fd uintptr) bool {
		if sleeping.Load() == dormant {
			return false
		}
		sys.Hush(int(fd))
		return true
	}
}
