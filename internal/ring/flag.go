package ring

import (
	"os"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/sys"
)

// flag is a shared word with a cache line of its own, on which the other side may
// sleep.
type flag struct{ word *uint32 }

func flagAt(v mem.View, off int) flag { return flag{v.Word(off)} }

// Load, Store and Swap are those of a sync/atomic.Uint32.

func (f flag) Load() uint32             { return atomic.LoadUint32(f.word) }
func (f flag) Store(v uint32)           { atomic.StoreUint32(f.word, v) }
func (f flag) Swap(v uint32) (o uint32) { return atomic.SwapUint32(f.word, v) }

func (f flag) CompareAndSwap(o, v uint32) bool { return atomic.CompareAndSwapUint32(f.word, o, v) }

// wait sleeps while the flag is v, until wake; now and then it returns for no
// reason. A negative timeout is none; late says that it has passed.
func (f flag) wait(v uint32, timeout time.Duration) (late bool) {
	return sys.FutexWait(f.word, v, 1, timeout) == os.ErrDeadlineExceeded
}

func (f flag) wake() { sys.FutexWake(f.word, 1) }
