// Command sequential shows that what stands behind an endless loop never starts.
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

var forever = true

var program = tandem.NewTask("program", func(ctx context.Context, _ struct{}) (struct{}, error) {
	for forever {
		fmt.Println("this is a process1")
		time.Sleep(time.Second)
	}
	second()
	return struct{}{}, nil
})

func second() {
	for {
		fmt.Println("this is a process2")
		time.Sleep(1500 * time.Millisecond)
	}
}

func main() {
	tandem.Init()
	// The loop never ends by itself. A process can be ended all the same.
	limit := process.Config{Limits: tandem.Limits{Time: 5 * time.Second, Grace: -1}}
	h, err := process.Start(context.Background(), limit, program, struct{}{})
	if err == nil {
		_, err = h.Wait(context.Background())
	}
	fmt.Println(err)
}
