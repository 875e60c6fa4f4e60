// Command timeout is the program of the README: a time limit that stops the work.
package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

var spin = tandem.NewTask("spin", func(ctx context.Context, n int) (string, error) {
	for n > 0 { // never looks at ctx: so do a C library, a regexp, a PDF parser
	}
	return "done", nil
})

func main() {
	tandem.Init() // first line of main: a worker never gets past it
	pool := &process.Pool{Limits: tandem.Limits{Time: time.Second, Memory: 256 << 20}}
	defer pool.Close()

	_, err := spin.On(pool).Call(context.Background(), 1)
	fmt.Println(errors.Is(err, tandem.ErrTimeout), err)
	fmt.Println(spin.On(pool).Call(context.Background(), 0)) // the worker was replaced
}
