package process_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
	"github.com/tandem-go/tandem/shared"
)

var (
	length = tandem.NewTask("length", func(_ context.Context, b []byte) (int, error) { return len(b), nil })
	kept   []byte
	given  = tandem.NewTask("given", func(_ context.Context, n int) ([]byte, error) {
		if len(kept) != n {
			kept = make([]byte, n)
		}
		return kept, nil
	})
	passed = tandem.NewTask("passed", func(_ context.Context, b *shared.Buffer) (*shared.Buffer, error) { return b, nil })
)

// BenchmarkLarge is bytes in and their length out, a number in and bytes out, and a
// shared.Buffer in and out, in segments and through the socket.
func BenchmarkLarge(b *testing.B) {
	ctx := context.Background()
	for _, transport := range []process.Transport{process.SharedMemory, process.Sockets} {
		for _, kib := range []int{32, 64, 127, 128, 256, 1 << 10, 4 << 10, 64 << 10, 1 << 20} {
			pool := &process.Pool{Workers: 1, Transport: transport}
			n := kib << 10
			in := make([]byte, n)
			for i := range in {
				in[i] = byte(i)
			}
			buffer, err := shared.NewBuffer(n)
			if err != nil {
				b.Fatal(err)
			}
			for name, call := range map[string]func() (int, error){
				"in":  func() (int, error) { return length.On(pool).Call(ctx, in) },
				"out": func() (int, error) { got, err := given.On(pool).Call(ctx, n); return len(got), err },
				"buffer": func() (int, error) {
					got, err := passed.On(pool).Call(ctx, buffer)
					if err != nil {
						return 0, err
					}
					return got.Len(), got.Close()
				},
			} {
				b.Run(fmt.Sprintf("%v/%d KiB/%s", transport, kib, name), func(b *testing.B) {
					for range 4 { // first touch is dear, and not what is asked here
						call()
					}
					b.SetBytes(int64(n))
					for b.Loop() {
						if got, err := call(); err != nil || got != n {
							b.Fatalf("%d of %d bytes, %v", got, n, err)
						}
					}
				})
			}
			buffer.Close()
			pool.Close()
		}
	}
}
