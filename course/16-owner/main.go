// Command owner lets a process die with a lock in its hand; the next one is told.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
	"github.com/tandem-go/tandem/shared"
)

// move moves one from the first account to the second, and dies there if it is broke.
var move = tandem.NewTask("move", func(ctx context.Context, accounts *shared.Slice[int]) (int, error) {
	return 1, accounts.Update(ctx, func(p []int) error {
		if p[0]--; p[0] == 0 {
			os.Exit(1) // with the lock held, and one missing
		}
		p[1]++
		return nil
	})
})

func main() {
	tandem.Init()
	ctx, pool := context.Background(), &process.Pool{Workers: 2}
	defer pool.Close()
	accounts, err := shared.NewSliceOf([]int{3, 0})
	for err == nil {
		_, err = move.On(pool).Call(ctx, accounts)
	}
	fmt.Println(err)
	show := func(p []int) error { fmt.Println(p); return nil }
	fmt.Println("the owner died:", errors.As(accounts.Update(ctx, show), new(*shared.OwnerDiedError)))
	accounts.Repair(ctx, func(p []int, died *shared.OwnerDiedError) error { p[0] = 3 - p[1]; return nil })
	fmt.Println(accounts.Update(ctx, show))
}
