//go:build linux

package shared_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/tandem-go/tandem/shared"
)

// A counter that any number of processes can be given as a field of a task's
// argument.
func ExampleValue() {
	ctx := context.Background()
	counter, err := shared.NewValue(100)
	if err != nil {
		log.Fatal(err)
	}
	defer counter.Close()
	err = counter.Update(ctx, func(n *int) error { *n++; return nil })
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(counter.Load(ctx))
	// Output: 101 <nil>
}

// The one who takes a lock is the one to think of: another process may have
// died with it.
func ExampleMutex_Repair() {
	ctx := context.Background()
	mu, err := shared.NewMutex()
	if err != nil {
		log.Fatal(err)
	}
	defer mu.Close()
	err = mu.With(ctx, work)
	if died := (*shared.OwnerDiedError)(nil); errors.As(err, &died) {
		if err = mu.Repair(ctx, rebuild); err == nil {
			err = mu.With(ctx, work)
		}
	}
	fmt.Println(err)
	// Output:
	// working
	// <nil>
}

func work() error { fmt.Println("working"); return nil }

func rebuild(died *shared.OwnerDiedError) error { return nil }
