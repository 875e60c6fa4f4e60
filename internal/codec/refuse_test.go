package codec_test

import (
	"context"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unique"
	"unsafe"

	"github.com/tandem-go/tandem/internal/codec"
)

type (
	deepChan struct {
		Meta struct {
			tags []map[string]struct{ cache chan int }
		}
	}
	locked  struct{ sync.Mutex }
	ownLock struct{ n int }
	loop    struct {
		Self *loop
		Done func()
	}
	protoish struct{ state int }
	iface    struct{ R io.Reader }
	ptrKey   struct{ p *int }
)

func (*ownLock) Lock()          {}
func (*ownLock) Unlock()        {}
func (*protoish) ProtoReflect() {}

func TestRefused(t *testing.T) {
	refused[chan int](t, "type chan int cannot travel; a channel stays in its process")
	refused[[]chan int](t, "element [] of []chan int: chan int cannot travel")
	refused[struct{ F func() }](t, ".F: func() cannot travel; code is not copied")
	refused[deepChan](t, "field deepChan.Meta.tags[][].cache: chan int cannot travel")
	refused[loop](t, "field loop.Done: func() cannot travel")
	refused[unsafe.Pointer](t, "an address means nothing")
	refused[struct{ U uintptr }](t, ".U: uintptr cannot travel; an address or handle means nothing in another process; use uint64")
	refused[iface](t, "field iface.R: io.Reader cannot travel; of the interfaces only error and any travel; use the concrete type")
	refused[context.Context](t, "context.Context cannot travel; a task gets a context of its own")
	refused[net.Conn](t, "send the *os.File of its File method")
	refused[struct{ C *net.TCPConn }](t, ".C: net.TCPConn cannot travel; send the *os.File of its File method")
	refused[os.File](t, "os.File cannot travel; send a *os.File")
	refused[locked](t, "field locked.Mutex: sync.Mutex cannot travel; it works inside one process; use shared.Mutex")
	refused[*sync.RWMutex](t, "use shared.RWMutex")
	refused[sync.WaitGroup](t, "sync.WaitGroup cannot travel")
	refused[struct{ N atomic.Int64 }](t, ".N: atomic.Int64 cannot travel; it works inside one process; use shared.Value")
	refused[struct{ N ownLock }](t, ".N: codec_test.ownLock cannot travel; a copied lock locks nothing; use shared.Mutex")
	refused[*time.Location](t, "use time.LoadLocation")
	refused[strings.Builder](t, "send its String()")
	refused[unique.Handle[string]](t, "send its Value()")
	refused[*protoish](t, "send the bytes of proto.Marshal")
	refused[map[any]int](t, "element [key] of map[interface {}]int: interface {} cannot travel; a key is found again by its value")
	refused[map[*int]int](t, "*int cannot travel; a key is found")
	refused[map[ptrKey]int](t, "[key].p: *int cannot travel; a key is found")
	refused[struct{ M map[string]chan int }](t, ".M[]: chan int cannot travel")
}

func refused[T any](t *testing.T, want string) {
	t.Helper()
	if _, err := codec.Of[T](); err == nil {
		t.Errorf("%T is not refused, want an error with %q", *new(T), want)
	} else if !strings.Contains(err.Error(), want) {
		t.Errorf("got  %q\nwant %q in it", err, want)
	}
}

// A type that was refused must not be half remembered: neither for itself nor
// for what contains it or is contained in it.
func TestRefusedTwice(t *testing.T) {
	type part struct{ Name string }
	type whole struct {
		Parts []part
		Up    *whole
		Ch    chan int
	}
	type above struct{ W []whole }
	for range 2 {
		refused[whole](t, "field whole.Ch:")
		refused[above](t, "field above.W[].Ch:")
	}
	roundTrip(t, "part", part{"p"})
}
