// Command thread starts an OS thread and waits for it.
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/thread"
)

// job is what the thread works on: it shares the memory of its program.
type job struct{ num int }

func (j job) run(ctx context.Context) (int, error) {
	fmt.Println("thread", thread.Current().Name(), "starts...")
	time.Sleep(2 * time.Second)
	fmt.Println(j.num)
	time.Sleep(2 * time.Second)
	fmt.Println("thread", thread.Current().Name(), "ends...")
	return j.num, nil
}

func main() {
	tandem.Init()
	ctx := context.Background()
	fmt.Println("main thread", thread.Main().Name(), "starts...")
	t := thread.Start(ctx, thread.Config{}, job{1}.run)
	fmt.Println("its id is", t.Thread.ID(), "and the main thread's", thread.Main().ID())
	num, err := t.Wait(ctx) // t.join()
	fmt.Println("main thread", thread.Main().Name(), "ends...", num, err)
}
