// Command anywhere runs one task in five places. The place is a value.
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
	"github.com/tandem-go/tandem/thread"
)

// primes counts the primes below n, the slow way.
var primes = tandem.NewTask("primes", func(ctx context.Context, n int) (count int, err error) {
	for p := 2; p < n; p++ {
		d := 2
		for ; d*d <= p && p%d != 0; d++ {
		}
		if d*d > p {
			count++
		}
	}
	return count, nil
})

func main() {
	tandem.Init()
	run("inline", tandem.Inline)
	run("goroutines", tandem.Goroutines(4))
	run("threads", &thread.Pool{Threads: 4})
	run("processes", &process.Pool{Workers: 4})
	run("processes of threads", &process.Pool{Workers: 2, Threads: 2})
}

func run(name string, place tandem.Runner) {
	began, inputs := time.Now(), []int{1000, 20_000, 300_000, 400_000}
	counts, err := primes.On(place).All(context.Background(), inputs)
	fmt.Printf("%-20s %v %v %v\n", name, counts, err, time.Since(began).Round(time.Millisecond))
}
