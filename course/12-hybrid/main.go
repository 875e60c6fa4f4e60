// Command hybrid runs eight tasks at once: 2 processes of 4 threads each.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
	"github.com/tandem-go/tandem/thread"
)

// where tells which process and which thread it ran on.
var where = tandem.NewTask("where", func(ctx context.Context, _ int) (string, error) {
	t := thread.Start(ctx, thread.Config{}, func(context.Context) (string, error) {
		time.Sleep(time.Second)
		return fmt.Sprintf("process %d, thread %d", os.Getpid(), thread.Current().ID()), nil
	})
	return t.Wait(ctx)
})

func main() {
	tandem.Init()
	pool := &process.Pool{Workers: 2, Threads: 4}
	defer pool.Close()
	began := time.Now()
	places, err := where.On(pool).All(context.Background(), make([]int, 8))
	for _, p := range places {
		fmt.Println(p)
	}
	fmt.Println("8 tasks of 1 s took", time.Since(began).Round(10*time.Millisecond), err)
}
