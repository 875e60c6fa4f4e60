// Command levels does the same at two levels: a bare go statement, and a thread.
package main

import (
	"context"
	"fmt"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/thread"
)

func square(n int) int { return n * n }

func main() {
	tandem.Init()

	// Low level, as Python's _thread: it starts something, and the rest is yours.
	// There is no name, no id, no wait, no result; a panic ends the program.
	result := make(chan int)
	go func() { result <- square(7) }()
	fmt.Println("go statement:", <-result)

	// High level, as Python's threading: a name, an id, a wait, the result.
	ctx := context.Background()
	t := thread.Start(ctx, thread.Config{Name: "squares"}, func(ctx context.Context) (int, error) {
		return square(7), nil
	})
	n, err := t.Wait(ctx)
	fmt.Println("thread:", t.Thread.Name(), t.Thread.ID(), n, err)

	// A panic in it is an error, and the program goes on.
	bad := thread.Start(ctx, thread.Config{}, func(ctx context.Context) (int, error) {
		panic("no square root")
	})
	_, err = bad.Wait(ctx)
	fmt.Println("thread:", err)
}
