// Command pool runs four tasks in a pool of two processes.
package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

var work = tandem.NewTask("func", func(ctx context.Context, name int) (struct{}, error) {
	fmt.Printf("child %d starts...\n", name)
	start := time.Now()
	time.Sleep(time.Duration(1+rand.IntN(3)) * time.Second)
	fmt.Printf("child %d ends...took %.2f\n", name, time.Since(start).Seconds())
	return struct{}{}, nil
})

func main() {
	tandem.Init()
	ctx := context.Background()
	fmt.Println("parent starts...")
	pp := &process.Pool{Workers: 2} // 0: as many as there are usable CPUs
	defer pp.Close()
	for i := range 4 {
		work.On(pp).Go(ctx, i) // apply_async
	}
	err := pp.Shutdown(ctx) // close() and join(): nothing new is taken
	_, late := work.On(pp).Call(ctx, 4)
	fmt.Println("one more:", late)
	fmt.Println("parent ends...", err)
}
