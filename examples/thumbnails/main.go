// Thumbnails makes a thumbnail of every image below a folder, and a contact
// sheet of them all, in worker processes with a time and a memory limit.
//
//	go run ./examples/thumbnails -out DIR
//
// Without -in it takes the image test files of the Go distribution, some of
// which are broken on purpose, and adds files that no error handling in Go can
// deal with: a decompression bomb, and three whose decoders never return,
// overflow the stack and write a map from two goroutines. Each costs its own
// thumbnail and nothing else.
//
//	-place goroutines
//
// shows what such files do to a program without worker processes.
//
// Read the files in this order: task.go, what a worker does; this one, how the
// work is given out; hostile.go, the bad files; report.go, what errors say;
// sheet.go, the picture; goroutines.go, the other place.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"iter"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

func main() {
	tandem.Init() // first line: a worker stays here
	o := parse(os.Args[1:])
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "thumbnails:", err)
		stop()
		os.Exit(1)
	}
}

// options is the command line.
type options struct {
	in, out string
	hostile bool
	place   string
	workers int
	limits  tandem.Limits
}

func parse(args []string) options {
	var o options
	megabytes := int64(256)
	if runtime.GOOS != "linux" {
		megabytes = 0 // only Linux can limit the memory of a process
	}
	f := flag.NewFlagSet("thumbnails", flag.ExitOnError)
	f.StringVar(&o.in, "in", "", "`folder` with images (default: those of the Go distribution)")
	f.StringVar(&o.out, "out", filepath.Join(os.TempDir(), "thumbnails"), "`folder` for the results")
	f.BoolVar(&o.hostile, "hostile", false, "add the hostile files to those of -in")
	f.StringVar(&o.place, "place", "processes", "processes or goroutines: `place` where the decoders run")
	f.IntVar(&o.workers, "workers", tandem.CPUs(), "`number` of decoders at once")
	f.DurationVar(&o.limits.Time, "timeout", 3*time.Second, "`time` that one image may take")
	f.Int64Var(&megabytes, "memory", megabytes, "`MiB` that one worker may use, 0 for no limit")
	f.Parse(args)
	o.hostile = o.hostile || o.in == ""
	o.limits.Memory = megabytes << 20
	o.limits.Grace = 200 * time.Millisecond // decoders do not listen: there is nothing to wait for
	o.limits.Output = 1 << 20               // a thumbnail is far smaller
	wrong := ""
	switch err := o.limits.Check(); {
	case f.NArg() > 0:
		wrong = "unexpected argument " + f.Arg(0)
	case o.place != "processes" && o.place != "goroutines":
		wrong = "-place is processes or goroutines, not " + o.place
	case o.workers < 1 || o.limits.Time <= 0:
		wrong = "-workers and -timeout must be more than 0"
	case err != nil:
		wrong = err.Error()
	}
	if wrong != "" {
		fmt.Fprintf(os.Stderr, "thumbnails: %s\n", wrong)
		f.Usage()
		os.Exit(2)
	}
	return o
}

func run(ctx context.Context, o options) error {
	if err := os.MkdirAll(o.out, 0o777); err != nil {
		return err
	}
	pictures, err := collect(ctx, o)
	if err != nil {
		return err
	}
	// What decoders print, crash traces above all, must not fill the terminal.
	log, err := os.Create(filepath.Join(o.out, "workers.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	if o.place == "goroutines" {
		return demonstrate(ctx, o, pictures, log)
	}

	begun := time.Now()
	results, stats, err := work(ctx, o, pictures, log)
	if err != nil {
		return err
	}
	took := time.Since(begun)
	sheet := filepath.Join(o.out, "contact.png")
	if err := savePNG(sheet, contactSheet(results, took)); err != nil {
		return err
	}
	return report(os.Stdout, o, results, stats, took)
}

// work gives the pictures out to a pool of processes and takes the thumbnails as
// they come. Its error is about the work as a whole; what is wrong with one
// picture is in its result.
func work(ctx context.Context, o options, pictures []picture, log *os.File) (_ []result, _ process.Stats, err error) {
	pool := &process.Pool{
		Workers: o.workers,
		Limits:  o.limits,
		Config:  process.Config{Stdout: log, Stderr: log},
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	if err := pool.Start(ctx); err != nil { // a limit that cannot be kept here is refused here
		return nil, process.Stats{}, err
	}
	results := make([]result, len(pictures))
	bar := newProgress(os.Stdout, len(pictures))
	defer bar.end()
	for it := range thumbnail.On(pool).Unordered(ctx, paths(pictures)) {
		if it.Index < 0 { // ctx ended: Ctrl-C
			return nil, process.Stats{}, it.Err
		}
		r := result{picture: pictures[it.Index], thumb: it.Out, err: it.Err}
		if r.err == nil {
			if err := r.save(filepath.Join(o.out, "thumbs")); err != nil {
				return nil, process.Stats{}, err
			}
		}
		results[it.Index] = r
		bar.add(r)
	}
	return results, pool.Stats(), nil
}

func paths(pictures []picture) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, p := range pictures {
			if !yield(p.path) {
				return
			}
		}
	}
}

// save writes the thumbnail under its picture's name.
func (r *result) save(dir string) error {
	name := filepath.Join(dir, filepath.FromSlash(r.name)+".png")
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	img, err := r.thumb.image()
	if err != nil {
		r.err = err
		return nil
	}
	return savePNG(name, img)
}
