// Command covered runs tasks in a pool and in a process of its own, and one
// function nowhere.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

var (
	pooled = tandem.NewTask("pooled", func(ctx context.Context, n int) (int, error) { return onlyInPool(n), nil })
	alone  = tandem.NewTask("alone", func(ctx context.Context, n int) (int, error) { return onlyInProcess(n), nil })
)

func onlyInPool(n int) int    { return n + 1 }
func onlyInProcess(n int) int { return n + 2 }
func onlyInParent(n int) int  { return n + 3 }
func nowhere(n int) int       { return n + 4 }

func main() {
	tandem.Init()
	pool := &process.Pool{Workers: 2}
	a, err := pooled.On(pool).Call(context.Background(), 0)
	check(err)
	check(pool.Close())
	h, err := process.Start(context.Background(), process.Config{}, alone, 0)
	check(err)
	b, err := h.Wait(context.Background())
	check(err)
	fmt.Println(a, b, onlyInParent(0))
	if len(os.Args) > 1 {
		fmt.Println(nowhere(0))
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
