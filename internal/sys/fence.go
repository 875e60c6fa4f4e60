package sys

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// OrderedStores says that a plain store of a word, once all stores before it, is
// visible to whoever loads it atomically after Fence: no store of another thread can
// be missed then. Where it is false, the store must be an atomic one. The dear half
// of an order between store and load so falls to the side that is about to sleep,
// and not to one that stores every few nanoseconds: an atomic store drains the store
// buffer, which is 5 to 8 ns on amd64.
//
// It is false for some milliseconds after the first call, which asks the kernel for
// it in the background: with threads the kernel waits for all processors, 20 ms here.
// As long as Go code has but one processor nobody asks, since it would wait too.
func OrderedStores() bool {
	if ordersStores && !fences.Load() && runtime.GOMAXPROCS(0) > 1 {
		askFences()
	}
	return fences.Load()
}

var (
	fences    atomic.Bool
	askFences = sync.OnceFunc(func() { go func() { fences.Store(registerMembarrier()) }() })
)

// Fence makes all threads of this process pass a full memory barrier. It costs a
// microsecond or a few, and is for those to whom OrderedStores has said yes.
func Fence() { membarrier() }
