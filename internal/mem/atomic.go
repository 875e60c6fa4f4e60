package mem

import (
	"sync/atomic"
	"unsafe"
)

// Number is what can be changed in one instruction. All are of 4 or 8 bytes.
type Number interface {
	~int | ~int32 | ~int64 | ~uint | ~uint32 | ~uint64 | ~float32 | ~float64
}

// The functions below do what those of package sync/atomic do, for any Number at an
// address that is aligned to its size.

// AtomicLoad returns *p.
func AtomicLoad[T Number](p *T) T {
	if short(p) {
		return from(uint64(atomic.LoadUint32(word32(p))), p)
	}
	return from(atomic.LoadUint64(word64(p)), p)
}

// AtomicStore sets *p.
func AtomicStore[T Number](p *T, v T) {
	if short(p) {
		atomic.StoreUint32(word32(p), *word32(&v))
		return
	}
	atomic.StoreUint64(word64(p), *word64(&v))
}

// AtomicSwap sets *p and returns what was there.
func AtomicSwap[T Number](p *T, v T) (old T) {
	if short(p) {
		return from(uint64(atomic.SwapUint32(word32(p), *word32(&v))), p)
	}
	return from(atomic.SwapUint64(word64(p), *word64(&v)), p)
}

// AtomicCompareAndSwap sets *p if it has the bits of old, and reports whether it did.
func AtomicCompareAndSwap[T Number](p *T, old, v T) bool {
	if short(p) {
		return atomic.CompareAndSwapUint32(word32(p), *word32(&old), *word32(&v))
	}
	return atomic.CompareAndSwapUint64(word64(p), *word64(&old), *word64(&v))
}

// AtomicAdd adds d to *p and returns the sum. There is no instruction for
// floating-point numbers: it tries until nobody came between.
func AtomicAdd[T Number](p *T, d T) (sum T) {
	if half := T(1) / 2; half != 0 {
		for {
			old := AtomicLoad(p)
			if AtomicCompareAndSwap(p, old, old+d) {
				return old + d
			}
		}
	}
	if short(p) {
		return from(uint64(atomic.AddUint32(word32(p), *word32(&d))), p)
	}
	return from(atomic.AddUint64(word64(p), *word64(&d)), p)
}

func short[T Number](*T) bool { var v T; return unsafe.Sizeof(v) == 4 }

// SAFETY: for these three: a Number of 4 bytes is seen as a word of 4 bytes, one of 8
// as one of 8, which short decides before each use; every word of bits is a Number.
// The pointer is the caller's own, alive and aligned.
func word32[T Number](p *T) *uint32 { return (*uint32)(unsafe.Pointer(p)) }
func word64[T Number](p *T) *uint64 { return (*uint64)(unsafe.Pointer(p)) }

// from is the Number with these bits; the pointer tells its type.
func from[T Number](bits uint64, p *T) (v T) {
	if short(p) {
		*word32(&v) = uint32(bits)
	} else {
		*word64(&v) = bits
	}
	return v
}
