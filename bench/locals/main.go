// Command locals obeys the benchmark's orders with pools of goroutines: what stays
// in the process. They are a program of their own because of what some of them
// start when they are linked. The benchmark builds and starts it.
//
//	locals CONTENDER WORKERS   reads orders from standard input
package main

import (
	"fmt"
	"os"
	"strconv"

	"github.com/sourcegraph/conc/iter"

	"github.com/tandem-go/tandem/bench/internal/drive"
)

var contenders = map[string]func(workers int) (inside, error){
	"goroutines": openGoroutines,
	"channel":    openChannel,
	"errgroup":   openErrgroup,
	"conc":       openConc,
	"ants":       openAnts,
	"pond":       openPond,
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "locals: want CONTENDER WORKERS; the benchmark starts this program")
		os.Exit(2)
	}
	if err := drive.Serve(open(os.Args[1], os.Args[2])); err != nil {
		fmt.Fprintln(os.Stderr, "locals:", err)
		os.Exit(1)
	}
}

func open(name, count string) (drive.Session, error) {
	one := contenders[name]
	workers, err := strconv.Atoi(count)
	if name == "conc-iter" && err == nil { // which only maps
		m := iter.Iterator[int]{MaxGoroutines: workers}
		return &drive.Local{Each: func(out []int, turns int) error {
			m.ForEachIdx(out, func(i int, v *int) { *v = drive.Item(drive.Pack(i, turns)) })
			return nil
		}}, nil
	}
	if one == nil || err != nil {
		return nil, fmt.Errorf("no contender %q with %s workers", name, count)
	}
	p, err := one(workers)
	if err != nil {
		return nil, err
	}
	return &drive.Local{
		Echo: func(in drive.Bytes) (out drive.Bytes, err error) {
			p.one(func() { out = in })
			return out, nil
		},
		Next: func(in int) (out int, err error) {
			p.one(func() { out = in + 1 })
			return out, nil
		},
		Each: func(out []int, turns int) error {
			p.each(len(out), func(i int) { out[i] = drive.Item(drive.Pack(i, turns)) })
			return nil
		},
		Closer: func() error {
			if p.close != nil {
				p.close()
			}
			return nil
		},
	}, nil
}
