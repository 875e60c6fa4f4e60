package main

import (
	"context"
	"encoding/json"
	"io"

	"github.com/urfave/cli/v3"

	"github.com/tandem-go/tandem/cmd/tandem/doctor"
)

func doctorCommand() *cli.Command {
	return &cli.Command{
		Name:  "doctor",
		Usage: "what tandem can use on this machine, and what it falls back to",
		Flags: []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "print the report as one JSON object"}},
		Action: func(ctx context.Context, c *cli.Command) error {
			if err := noArgs(c); err != nil {
				return err
			}
			report := doctor.Examine(ctx)
			text := report.String()
			if c.Bool("json") {
				b, err := json.MarshalIndent(report, "", "  ")
				if err != nil {
					return err
				}
				text = string(b) + "\n"
			}
			_, err := io.WriteString(c.Root().Writer, text)
			return err
		},
	}
}
