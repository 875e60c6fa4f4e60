package codec_test

import (
	"os"
	"sync"
	"testing"
	"time"

	"github.com/tandem-go/tandem/internal/codec"
)

// Two types that hold the same doors, one deeper than the other. Between the type and
// its last part there are many, so that there is time to find the one without the other.
type (
	doored struct {
		A [1][2][3][4][5][6][7][8]string
		B [8][7][6][5][4][3][2]string
		C map[string]map[int]map[int8]map[uint8]map[int16]string
		D time.Time
		E *os.File
	}
	around struct {
		Inner doored
		Error error
	}
)

// Many lanes of a fresh worker compile what they are called for at the same time. All
// must find the schema that the caller has.
func TestSchemaOfTypesCompiledAtOnce(t *testing.T) {
	schema := func() (sum [2]uint64) {
		inner, err := codec.Of[doored]()
		if err != nil {
			t.Error(err)
			return
		}
		outer, err := codec.Of[around]()
		if err != nil {
			t.Error(err)
			return
		}
		return [2]uint64{inner.Schema(), outer.Schema()}
	}
	want := schema()
	for range 3000 {
		codec.Forget()
		var all sync.WaitGroup
		begin := make(chan struct{})
		for range 4 {
			all.Go(func() {
				<-begin
				if got := schema(); got != want {
					t.Errorf("schema %x, want %x", got, want)
				}
			})
		}
		close(begin)
		all.Wait()
	}
}
