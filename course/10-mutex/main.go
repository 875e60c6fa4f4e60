// Command mutex lets two goroutines, then two processes, change a number under a lock.
package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
	"github.com/tandem-go/tandem/shared"
)

// work is an argument with a lock in it: both sides have the same one.
type work struct {
	Lock *shared.Mutex
	Num  *shared.Value[int]
	N    int
}

var run = tandem.NewTask("run", func(ctx context.Context, w work) (_ struct{}, err error) {
	for i := 0; i < 50_000 && err == nil; i++ {
		err = w.Lock.With(ctx, func() error { // one at a time
			v, err := w.Num.Load(ctx)
			return errors.Join(err, w.Num.Store(ctx, v+w.N), w.Num.Store(ctx, v))
		})
	}
	return struct{}{}, err
})

func main() {
	tandem.Init()
	lock, err1 := shared.NewMutex()
	num, err2 := shared.NewValue(0)
	for _, place := range []tandem.Runner{tandem.Goroutines(2), &process.Pool{Workers: 2}} {
		_, err3 := run.On(place).All(context.Background(), []work{{lock, num, 6}, {lock, num, 9}})
		v, err := num.Load(context.Background())
		fmt.Println("num =", v, errors.Join(err, err1, err2, err3))
	}
}
