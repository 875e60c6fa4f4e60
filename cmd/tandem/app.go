package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/urfave/cli/v3"
)

// The exit statuses.
const (
	statusOK     = 0
	statusFailed = 1
	statusUsage  = 2
)

// errBroken ends the command with statusFailed and no text: the screen has
// said already which law does not hold.
var errBroken = errors.New("a law does not hold")

// usageError is what the person at the keyboard can mend.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// run is the whole command: arguments in, exit status out.
func run(ctx context.Context, args []string, out, errs io.Writer) int {
	return finish(app(out, errs).Run(ctx, args), errs)
}

// finish says what went wrong, and which exit status that is.
func finish(err error, errs io.Writer) int {
	var usage usageError
	switch {
	case err == nil:
		return statusOK
	case errors.Is(err, errBroken):
		return statusFailed
	case errors.As(err, &usage):
		fmt.Fprintf(errs, "%v\nRun \"tandem --help\" for what there is.\n", err)
		return statusUsage
	}
	fmt.Fprintln(errs, err)
	return statusFailed
}

func app(out, errs io.Writer) *cli.Command {
	c := &cli.Command{
		Name:  "tandem",
		Usage: "processes, threads and coroutines in Go, to look at",
		Description: `The tour plays fifteen short lessons on multitasking, on real processes,
real threads and real locks, and judges each lesson's law from what
happened.

It exits with 0, with 1 if a law does not hold or something went wrong,
and with 2 for wrong usage.`,
		Commands:                        []*cli.Command{tourCommand(), doctorCommand(), benchCommand(), versionCommand()},
		EnableShellCompletion:           true,
		ConfigureShellCompletionCommand: func(c *cli.Command) { c.Hidden = false },
		Writer:                          out,
		ErrWriter:                       errs,
		ExitErrHandler:                  func(context.Context, *cli.Command, error) {}, // run alone decides how it ends
		Action: func(ctx context.Context, c *cli.Command) error {
			if c.Args().Present() {
				return usagef("tandem: there is no command %q", c.Args().First())
			}
			return cli.ShowRootCommandHelp(c)
		},
	}
	quiet(c)
	return c
}

// quiet makes the parser return what is wrong with the arguments instead of
// printing a page of help around it.
func quiet(c *cli.Command) {
	c.OnUsageError = func(_ context.Context, c *cli.Command, err error, _ bool) error {
		return usagef("%s: %v", c.FullName(), err)
	}
	for _, sub := range c.Commands {
		quiet(sub)
	}
}

// noArgs refuses arguments where a command takes none.
func noArgs(c *cli.Command) error {
	if c.Args().Present() {
		return usagef("%s takes no arguments, but got %q", c.FullName(), c.Args().First())
	}
	return nil
}
