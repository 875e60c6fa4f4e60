package sys

import "sync"

// OrderedStores says that a plain store of a word, once all stores before it, is
// visible to whoever loads it atomically after Fence: no store of another thread can
// be missed then. Where it is false, the store must be an atomic one. The dear half
// of an order between store and load so falls to the side that is about to sleep,
// and not to one that stores every few nanoseconds: an atomic store drains the store
// buffer, which is 5 to 8 ns on amd64.
//
// The first call costs a system call.
func OrderedStores() bool { return ordersStores && fenced() }

// Fence makes all threads of this process pass a full memory barrier. It costs a
// microsecond or a few; it does nothing where OrderedStores is false.
func Fence() {
	if OrderedStores() {
		membarrier()
	}
}

var fenced = sync.OnceValue(registerMembarrier)
