// Command join waits for a child process, for a while and then to its end.
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

var child = tandem.NewTask("child", func(ctx context.Context, nap time.Duration) (string, error) {
	fmt.Println("child starts...")
	time.Sleep(nap)
	fmt.Println("child ends...")
	return "the child's result", nil
})

func main() {
	tandem.Init()
	ctx := context.Background()
	fmt.Println("parent starts...")
	p, err := process.Start(ctx, process.Config{}, child, 3*time.Second)
	if err != nil {
		fmt.Println(err)
		return
	}

	// p.join(1): this context ends the waiting, not the child.
	short, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	_, err = p.Wait(short)
	fmt.Println("after 1 s:", err, "- alive:", p.Process.Alive())

	result, err := p.Wait(ctx) // p.join()
	fmt.Println("parent ends...", result, err)
}
