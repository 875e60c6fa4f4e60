//go:build linux

package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/tandem-go/tandem"
)

func main() {
	suspendAnother()
	dieAtBirth()
	tandem.Init() // a worker never gets past it
	fillDiskOfOurs()
	length := flag.Duration("for", 2*time.Minute, "how long to disturb")
	seed := flag.Uint64("seed", 0, "replay the disturbances of this seed; 0 takes a new one")
	picture := flag.String("plot", "", "SVG file to draw what was held and done over time; the samples go beside it, as CSV")
	flag.Parse()
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	broken, err := show(ctx, *picture, options{length: *length, seed: *seed})
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(2)
	}
	if len(broken) > 0 {
		fmt.Printf("broken; again with: go run ./chaos -for %v -seed %d\n", *length, *seed)
		os.Exit(1)
	}
}

// show runs, and draws what was seen if there is a file for it.
func show(ctx context.Context, picture string, o options) (broken []string, err error) {
	if picture == "" {
		broken, _ = run(ctx, os.Stdout, o)
		return broken, nil
	}
	table := strings.TrimSuffix(picture, ".svg") + ".csv"
	f, err := os.Create(table)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	o.table = f
	broken, samples := run(ctx, os.Stdout, o)
	result := "all held"
	if len(broken) > 0 {
		result = fmt.Sprintf("%d broken", len(broken))
	}
	title := fmt.Sprintf("chaos -for %v -seed %d: %s", o.length, o.seed, result)
	fmt.Println("samples:", table, "picture:", picture)
	return broken, os.WriteFile(picture, []byte(plot(title, samples, trends(samples))), 0o644)
}

// birthEnv makes a worker die before it is one.
const birthEnv = "TANDEM_CHAOS_BIRTH"

func dieAtBirth() {
	if os.Getenv(birthEnv) != "" {
		os.Exit(7)
	}
}
