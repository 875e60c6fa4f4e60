// Command sharing lets three threads add to one number without a lock.
package main

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/thread"
)

// num is shared by all threads. Each read and each write of it is whole; what is
// not whole is the pair of them: another thread may write in between.
var num atomic.Int64

func run(n int64) func(context.Context) (struct{}, error) {
	return func(context.Context) (struct{}, error) {
		for range 1_000_000 {
			num.Store(num.Load() + n)
			num.Store(num.Load() - n)
		}
		return struct{}{}, nil
	}
}

func main() {
	tandem.Init()
	ctx := context.Background()
	t3 := thread.Start(ctx, thread.Config{}, run(5))
	t1 := thread.Start(ctx, thread.Config{}, run(6))
	t2 := thread.Start(ctx, thread.Config{}, run(9))
	t1.Wait(ctx)
	t2.Wait(ctx)
	t3.Wait(ctx)
	fmt.Println("num =", num.Load())
}
