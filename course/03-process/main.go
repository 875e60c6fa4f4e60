// Command process starts a child process and works beside it.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// child runs in a process of its own and gets its argument as a value.
var child = tandem.NewTask("child", func(ctx context.Context, str string) (struct{}, error) {
	for {
		fmt.Printf("this is process 2--%s--%d--%d\n", str, os.Getpid(), os.Getppid())
		time.Sleep(1500 * time.Millisecond)
	}
})

func main() {
	tandem.Init() // the child's process never gets past this line
	fmt.Printf("parent starts...--%d--%d\n", os.Getpid(), os.Getppid())
	p, err := process.Start(context.Background(), process.Config{}, child, "python")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("the child is", p.Process.Name(), p.Process.PID())
	for range 5 {
		fmt.Printf("this is a process 1--%d--%d\n", os.Getpid(), os.Getppid())
		time.Sleep(time.Second)
	}
	// The child ends with its parent.
}
