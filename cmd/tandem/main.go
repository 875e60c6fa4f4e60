// Command tandem shows what tandem does and what this machine lets it do.
//
//	tandem tour      the lessons of the course, played and judged
//	tandem doctor    what tandem can use on this machine, and what it falls back to
//	tandem bench     what tandem costs on this machine, beside its rivals
//	tandem version   which build this is
//
// It exits with 0, with 1 if a law of the tour does not hold or something went
// wrong, and with 2 for wrong usage. `tandem completion --help` tells how a
// shell completes its commands.
package main

import (
	"context"
	"os"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/cmd/tandem/bench"
)

func main() {
	tandem.Init() // the lessons' child processes never get past this line
	bench.Peer()  // nor does the bare child that bench compares them with
	os.Exit(run(context.Background(), os.Args, os.Stdout, os.Stderr))
}
