// Command schedule gives the same work to one core and to all of them.
package main

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/tandem-go/tandem"
)

// work keeps one core busy and never sleeps.
var work = tandem.NewTask("work", func(ctx context.Context, turns int) (sum uint64, err error) {
	for i := range turns {
		sum = sum*31 + uint64(i)
	}
	return sum, nil
})

func main() {
	tandem.Init()
	cores := runtime.GOMAXPROCS(0)
	run("one core, 3 tasks take turns", 1, 3)
	run("all cores, more tasks than cores: concurrent", cores, cores+1)
	run("all cores, as many tasks as cores: parallel", cores, cores)
}

func run(what string, cores, tasks int) {
	runtime.GOMAXPROCS(cores)
	began := time.Now()
	turns := make([]int, tasks)
	for i := range turns {
		turns[i] = 200_000_000
	}
	_, err := work.On(tandem.Goroutines(tasks)).All(context.Background(), turns)
	fmt.Println(what, time.Since(began).Round(time.Millisecond), err)
}
