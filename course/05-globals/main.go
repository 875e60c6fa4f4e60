// Command globals changes a global variable in three processes.
package main

import (
	"context"
	"fmt"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

var num = tandem.NewVar("num", 100) // a child starts with a copy of it
var plain = 100                     // a child starts anew

var grandchild = tandem.NewTask("run1", func(ctx context.Context, _ struct{}) (struct{}, error) {
	fmt.Println("grandchild: num", num.Get(), "plain", plain) // 101 100
	return struct{}{}, nil
})

var child = tandem.NewTask("run", func(ctx context.Context, _ struct{}) (struct{}, error) {
	num.Set(num.Get() + 1)
	plain++
	fmt.Println("child: num", num.Get(), "plain", plain) // 101 101
	p, err := process.Start(ctx, process.Config{}, grandchild, struct{}{})
	if err != nil {
		return struct{}{}, err
	}
	return p.Wait(ctx)
})

func main() {
	tandem.Init()
	ctx := context.Background()
	p, err := process.Start(ctx, process.Config{}, child, struct{}{})
	if err == nil {
		_, err = p.Wait(ctx)
	}
	num.Set(num.Get() + 2)
	fmt.Println("parent: num", num.Get(), "plain", plain, err) // 102 100
}
