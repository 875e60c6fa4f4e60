// Adapters makes tandem the executor of a job queue's handlers. It runs the one for
// NATS against a server inside this program, which keeps its jobs in memory:
//
//	go run ./examples/adapters
//
// Of its jobs one kills its worker each time, one never ends and one has an error of
// its own; all others must be answered. The exit status is 1 if they are not.
//
// docs/adapters.md explains the files: executor.go and decide.go, which all handlers
// share; nats.go, river.go and asynq.go, the handlers; demo.go, the run.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/tandem-go/tandem"
)

func main() {
	tandem.Init()
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "adapters:", err)
		os.Exit(1)
	}
}
