//go:build linux

package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/tandem-go/tandem"
)

func main() {
	dieAtBirth()
	tandem.Init() // a worker never gets past it
	length := flag.Duration("for", 2*time.Minute, "how long to disturb")
	seed := flag.Uint64("seed", 0, "replay the disturbances of this seed; 0 takes a new one")
	flag.Parse()
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if broken := run(ctx, os.Stdout, *seed, *length); len(broken) > 0 {
		fmt.Printf("broken; again with: go run ./chaos -for %v -seed %d\n", *length, *seed)
		os.Exit(1)
	}
}

// birthEnv makes a worker die before it is one.
const birthEnv = "TANDEM_CHAOS_BIRTH"

func dieAtBirth() {
	if os.Getenv(birthEnv) != "" {
		os.Exit(7)
	}
}
