package crash

import (
	"context"
	"errors"
	"os"
	"runtime"

	"github.com/tandem-go/tandem"
)

const exitCode = 3

var square = tandem.NewTask("square", func(ctx context.Context, n int) (int, error) { return n * n, nil })

// die ends its process; of these only the panic could be recovered.
var die = tandem.NewTask("die", func(ctx context.Context, kind string) (struct{}, error) {
	switch kind {
	case "panic":
		var none []int
		_ = none[len(kind)]
	case "exit":
		os.Exit(exitCode)
	case "stack":
		deeper(0)
	case "map":
		writeTwice()
	case "memory":
		eat()
	}
	return struct{}{}, errors.New("nobody dies of " + kind)
})

func deeper(n int) int { return 1 + deeper(n+1) }

// writeTwice lets goroutines write one map until the runtime notices. It
// notices when one looks while another writes, so the goroutines are many and
// give way to each other.
func writeTwice() {
	m := map[int]int{}
	for range 4 {
		go func() {
			for i := 0; ; i++ {
				m[i%1024] = i
				if i%4096 == 0 {
					runtime.Gosched()
				}
			}
		}()
	}
	select {}
}

// eat takes memory, and touches it, until there is no more.
func eat() {
	const piece = 16 << 20
	for kept := [][]byte{}; ; {
		b := make([]byte, piece)
		for i := 0; i < piece; i += 4096 {
			b[i] = 1
		}
		kept = append(kept, b)
		runtime.KeepAlive(kept)
	}
}
