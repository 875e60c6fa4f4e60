//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/bench/internal/drive"
)

func main() {
	mode := drive.Mode()
	if mode != modeMeasure {
		bareChild(mode) // a child of the bare side never gets past it
	}
	tandem.Init() // a worker never gets past it
	err := error(nil)
	if mode == modeMeasure {
		err = measureMain()
	} else {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		err = command(ctx, os.Args[1:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are the command line.
type options struct {
	check, json, all, short, large, list bool
	only, out                            string
}

func command(ctx context.Context, args []string) error {
	var o options
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.BoolVar(&o.check, "check", false, "exit with status 1 if a ratio to the system's primitives is over its bound")
	f.BoolVar(&o.json, "json", false, "print JSON instead of tables")
	f.BoolVar(&o.all, "all", false, "measure everything, beside all rivals (under 5 minutes)")
	f.BoolVar(&o.short, "short", false, "with -all or -only: briefly (under a minute)")
	f.BoolVar(&o.large, "large", false, "with -all or -only: payloads of 1 GiB too (minutes more, and 8 GiB of memory)")
	f.BoolVar(&o.list, "list", false, "name the measures and the contenders")
	f.StringVar(&o.only, "only", "", "measure only these: names of measures and contenders, with commas")
	f.StringVar(&o.out, "out", "", "folder for README.md, results.json and the plots")
	f.Usage = func() {
		fmt.Fprintln(f.Output(), "Usage: go run ./bench [flags]; TANDEM_BENCH_PYTHON names the Python to use")
		f.PrintDefaults()
	}
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("%q is no flag; -h lists them", f.Arg(0))
	}
	if o.all || o.only != "" || o.list {
		return o.full(ctx)
	}
	return o.ratios(ctx)
}

// ratios is the short form: tandem beside what the system itself offers.
func (o options) ratios(ctx context.Context) error {
	rows, err := compare(ctx, io.Discard)
	if err != nil {
		return err
	}
	if o.json {
		err = printJSON(os.Stdout, rows)
	} else {
		printRows(os.Stdout, rows)
	}
	for _, r := range rows {
		if o.check && r.Bound > 0 && r.Ratio > r.Bound {
			err = errors.Join(err, fmt.Errorf("%s (%s): ratio %.2f is over %.2f", r.Name, r.Placement, r.Ratio, r.Bound))
		}
	}
	return err
}

// full measures tandem beside its rivals.
func (o options) full(ctx context.Context) error {
	t, remove, err := prepare(os.Getenv("TANDEM_BENCH_PYTHON"), os.Stderr)
	if err != nil {
		return err
	}
	defer remove()
	if o.list {
		fmt.Print("measures:\n")
		for _, m := range measures {
			fmt.Printf("  %-12s %s\n", m.name, strings.Join(m.placements, ", "))
		}
		fmt.Print("contenders, and what they can do:\n" + describe(t))
		return nil
	}
	j := job{Share: 60 * time.Millisecond, Rounds: 5, Largest: 64 << 20, Crowds: []int{20, 100}, Tools: t}
	if o.short {
		j.Share, j.Rounds, j.Largest, j.Crowds = 15*time.Millisecond, 3, 1<<20, []int{20}
	}
	if o.large {
		j.Largest = 1 << 30
	}
	var only []string
	if o.only != "" {
		only = strings.Split(o.only, ",")
	}
	p, err := planned(j, only)
	if err != nil {
		return err
	}
	rep, err := p.conduct(ctx, os.Stderr)
	if err != nil {
		return err
	}
	if err := o.write(rep); err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, tally(rep.Goals))
	if n := len(rep.failures()); n > 0 {
		return fmt.Errorf("%d figures are missing; the report says why", n)
	}
	return nil
}

// write puts the report into the folder, or on standard output.
func (o options) write(rep Report) error {
	if o.out == "" {
		if o.json {
			return printJSON(os.Stdout, rep)
		}
		_, err := fmt.Print(rep.Markdown(false))
		return err
	}
	files := rep.plots()
	files["README.md"] = rep.Markdown(true)
	var b strings.Builder
	if err := printJSON(&b, rep); err != nil {
		return err
	}
	files["results.json"] = b.String()
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(o.out, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	fmt.Fprintf(os.Stderr, "%.0f s; see %s\n", rep.Seconds, filepath.Join(o.out, "README.md"))
	return nil
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
