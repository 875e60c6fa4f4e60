// Command coroutine lets three coroutines take turns on one thread.
package main

import (
	"context"
	"fmt"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/coroutine"
)

func main() {
	tandem.Init()
	num := 0 // shared by all, with no lock: nobody is interrupted within a turn
	run := func(name string, n int) func(context.Context) (int, error) {
		return func(ctx context.Context) (int, error) {
			for step := range 3 {
				num += n
				num -= n
				fmt.Println(name, "step", step)
				if err := coroutine.Yield(ctx); err != nil { // the turn ends here, and only here
					return 0, err
				}
			}
			return n, nil
		}
	}
	err := coroutine.Run(context.Background(), func(ctx context.Context) error {
		results, err := coroutine.Gather(ctx, run("A", 6), run("B", 9), run("C", 5))
		fmt.Println("results", results)
		return err
	})
	fmt.Println("num =", num, err)
}
