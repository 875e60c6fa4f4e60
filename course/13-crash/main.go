// Command crash lets one task kill its process; the others do not notice.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

func deeper(n int) int { return 1 + deeper(n+1) }

// square is harmless but for one input: no recover could catch that.
var square = tandem.NewTask("square", func(ctx context.Context, n int) (int, error) {
	if n == 3 {
		return deeper(n), nil // a stack overflow ends the whole process
	}
	return n * n, nil
})

func main() {
	tandem.Init()
	pool := &process.Pool{Workers: 2, Config: process.Config{Stderr: io.Discard}}
	defer pool.Close()
	squares, err := square.On(pool).All(context.Background(), []int{1, 2, 3, 4, 5})
	fmt.Println(squares)

	var crash *tandem.CrashError
	if errors.As(err, &crash) {
		fmt.Println("process", crash.PID, "died:", crash.Reason)
	}
}
