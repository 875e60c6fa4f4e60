package thread_test

import (
	"context"
	"fmt"
	"log"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/thread"
)

func ExampleStart() {
	ctx := context.Background()
	h := thread.Start(ctx, thread.Config{Name: "adder"}, func(context.Context) (string, error) {
		t := thread.Current()
		return fmt.Sprintf("%s is the main thread: %v", t.Name(), t.ID() == thread.Main().ID()), nil
	})
	text, err := h.Wait(ctx) // as often as you like
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(text)
	// Output: adder is the main thread: false
}

var double = tandem.NewTask("double", func(ctx context.Context, n int) (int, error) { return 2 * n, nil })

func ExamplePool() {
	pool := &thread.Pool{Threads: 2}
	defer pool.Close()
	outs, err := double.On(pool).All(context.Background(), []int{1, 2, 3})
	fmt.Println(outs, err)
	// Output: [2 4 6] <nil>
}
