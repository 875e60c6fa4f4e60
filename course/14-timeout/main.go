// Command timeout stops a task that does not listen.
package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// work never looks at its context if it is told to spin.
var work = tandem.NewTask("work", func(ctx context.Context, spin bool) (string, error) {
	for spin {
	}
	return "done", nil
})

func main() {
	tandem.Init()
	pool := &process.Pool{
		Workers: 2,
		Limits:  tandem.Limits{Time: 2 * time.Second, Grace: time.Second},
	}
	defer pool.Close()
	began := time.Now()
	results, err := work.On(pool).All(context.Background(), []bool{false, true, false, false})
	fmt.Printf("%q\n", results)
	fmt.Println("a timeout:", errors.Is(err, tandem.ErrTimeout), "after", time.Since(began).Round(time.Second))
	fmt.Println(err)
}
