package main

import (
	"fmt"
	"os"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"
)

// progress shows how far the work is: a bar with the time that is left on a
// terminal, otherwise a line for each failure and each twentieth file.
type progress struct {
	out         *os.File
	done, total int
	failed      int64
	bars        *mpb.Progress // nil: lines
	bar         *mpb.Bar
}

func newProgress(out *os.File, total int) *progress {
	p := &progress{out: out, total: total}
	if !term.IsTerminal(int(out.Fd())) || os.Getenv("TERM") == "dumb" {
		return p
	}
	p.bars = mpb.New(mpb.WithOutput(out), mpb.WithWidth(78))
	p.bar = p.bars.AddBar(int64(total),
		mpb.PrependDecorators(decor.CountersNoUnit("%d of %d ", decor.WC{W: 11})),
		mpb.AppendDecorators(
			decor.NewPercentage("%d", decor.WC{W: 5}),
			decor.AverageETA(decor.ET_STYLE_MMSS, decor.WC{W: 7}),
			decor.OnComplete(decor.Name(" left"), " done"),
		),
	)
	return p
}

func (p *progress) add(r result) {
	p.done++
	switch {
	case p.bar != nil:
		p.bar.Increment()
	case r.err != nil:
		fmt.Fprintf(p.out, "%4d of %d  failed: %s\n", p.done, p.total, shorten(r.name, 57))
	case p.done%20 == 0 || p.done == p.total:
		fmt.Fprintf(p.out, "%4d of %d\n", p.done, p.total)
	}
}

// end leaves the bar as it is and gives the terminal back.
func (p *progress) end() {
	if p.bar != nil {
		p.bar.Abort(false) // nothing happens to a bar that is full
		p.bars.Wait()
	}
}
