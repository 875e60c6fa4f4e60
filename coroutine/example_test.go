package coroutine_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/coroutine"
)

// A coroutine that keeps a running mean of what it is sent.
func ExampleCoroutine() {
	mean := coroutine.New(func(y *coroutine.Yielder[float64, float64], x float64) error {
		sum := 0.0
		for n := 1.0; ; n++ {
			sum += x
			x = y.Yield(sum / n)
		}
	})
	defer mean.Stop()
	for _, x := range []float64{10, 20, 60} {
		m, _ := mean.Send(x)
		fmt.Println(m)
	}
	// Output:
	// 10
	// 15
	// 30
}

// A generator: nothing is sent, and range takes what comes.
func ExampleCoroutine_All() {
	squares := coroutine.New(func(y *coroutine.Yielder[struct{}, int], _ struct{}) error {
		defer fmt.Println("closed")
		for i := 1; ; i++ {
			y.Yield(i * i)
		}
	})
	for v, err := range squares.All() {
		if err != nil || v > 10 {
			break
		}
		fmt.Println(v)
	}
	// Output:
	// 1
	// 4
	// 9
	// closed
}

// Two coroutines take turns on one thread.
func ExampleLoop() {
	say := func(word string) func(context.Context) (int, error) {
		return func(ctx context.Context) (int, error) {
			for range 2 {
				fmt.Println(word)
				if err := coroutine.Yield(ctx); err != nil {
					return 0, err
				}
			}
			return len(word), nil
		}
	}
	err := coroutine.Run(context.Background(), func(ctx context.Context) error {
		sing := coroutine.Go(ctx, "sing", say("sing"))
		dance := coroutine.Go(ctx, "dance", say("dance"))
		if err := coroutine.Await(ctx, sing); err != nil {
			return err
		}
		n, err := dance.Wait(ctx)
		fmt.Println(n, err)
		return nil
	})
	fmt.Println(err)
	// Output:
	// sing
	// dance
	// sing
	// dance
	// 5 <nil>
	// <nil>
}

func ExampleGather() {
	err := coroutine.Run(context.Background(), func(ctx context.Context) error {
		lengths, err := coroutine.Gather(ctx,
			func(ctx context.Context) (int, error) { return 1, coroutine.Sleep(ctx, 2*time.Millisecond) },
			func(ctx context.Context) (int, error) { return 2, coroutine.Sleep(ctx, time.Millisecond) })
		fmt.Println(lengths, err)
		return nil
	})
	fmt.Println(err)
	// Output:
	// [1 2] <nil>
	// <nil>
}

func ExampleWithTimeout() {
	err := coroutine.Run(context.Background(), func(ctx context.Context) error {
		return coroutine.WithTimeout(ctx, time.Millisecond, func(ctx context.Context) error {
			return coroutine.Sleep(ctx, time.Hour)
		})
	})
	fmt.Println(errors.Is(err, tandem.ErrTimeout))
	// Output: true
}

// A loop in which nobody can ever go on says who waits for what.
func ExampleAsleepError() {
	err := coroutine.Run(context.Background(), func(ctx context.Context) error {
		var hen, egg *coroutine.Task[int]
		hen = coroutine.Go(ctx, "hen", func(ctx context.Context) (int, error) { return egg.Wait(ctx) })
		egg = coroutine.Go(ctx, "egg", func(ctx context.Context) (int, error) { return hen.Wait(ctx) })
		_, err := hen.Wait(ctx)
		return err
	})
	var asleep *coroutine.AsleepError
	if errors.As(err, &asleep) {
		for _, w := range asleep.Waits {
			fmt.Println(w.Name, "waits for", w.For)
		}
	}
	// Output:
	// main waits for coroutine hen
	// hen waits for coroutine egg
	// egg waits for coroutine hen
}
