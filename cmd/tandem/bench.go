package main

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/tandem-go/tandem/cmd/tandem/bench"
)

func benchCommand() *cli.Command {
	return &cli.Command{
		Name:  "bench",
		Usage: "what tandem costs on this machine, beside its rivals",
		Description: `It prints one row as soon as it is measured. A ratio says what tandem
costs for each 1 that its rival costs in the same run: ratios travel from
one machine to another, microseconds do not.

The rivals are a child of this same program with two bare pipes, os/exec,
tandem on sockets, a goroutine for each item, and sync.Mutex. Memory is
the proportional set size (PSS). Items of Map cost nothing here, so a plain
loop in one goroutine would beat both sides.

--json prints one object: system, cpu, cores, usable, go, seconds, busy
(others used the machine meanwhile), and measures: call_p50, call_p99,
socket_call_p50, socket_call_p99, calls_1, calls_100, map, bytes_64mib,
buffer_64mib, start, mutex, memory. Each has unit (ns, 1/s or B), tandem,
rival, theirs and ratio; a value that this system does not have is null.`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "json", Usage: "print one JSON object at the end"},
			&cli.DurationFlag{Name: "time", Value: 10 * time.Second, Usage: "measure for about this `TIME`"},
		},
		Action: func(ctx context.Context, c *cli.Command) error {
			if err := noArgs(c); err != nil {
				return err
			}
			budget := c.Duration("time")
			if budget <= 0 {
				return usagef("tandem bench: --time is %v; give a time such as 10s", budget)
			}
			return runBench(ctx, c.Root().Writer, budget, c.Bool("json"))
		},
	}
}

func runBench(ctx context.Context, out io.Writer, budget time.Duration, asJSON bool) error {
	say := func(text string) error {
		if asJSON {
			return nil
		}
		_, err := io.WriteString(out, text)
		return err
	}
	if err := say(bench.Head()); err != nil {
		return err
	}
	report, err := bench.Run(ctx, budget, func(r bench.Row) error { return say(r.String()) })
	if err != nil {
		return err
	}
	if !asJSON {
		return say(report.Foot())
	}
	b, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	_, err = out.Write(append(b, '\n'))
	return err
}
