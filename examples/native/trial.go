//go:build linux && cgo

package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

const (
	workers = 4
	growth  = 8 << 20 // of a worker, after which it is replaced
	side    = 1024    // pixels of a picture are side × side
)

// file is what there is to decode.
type file struct {
	name    string
	bytes   []byte
	sum     uint32 // of the right pixels
	hostile bool
}

// outcome is what became of one file.
type outcome struct {
	reading
	err error
}

// trial is one decoder's files, decoded both ways.
type trial struct {
	decoder  string
	files    []file
	rounds   int // how often
	alone    ran // in process, zero after its death
	aloneErr error
	pool     []outcome
	stats    process.Stats
}

func run(ctx context.Context, out io.Writer) (code int, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	var trials []trial
	for _, t := range []trial{
		{decoder: overflowing, files: pictures(40, 7, 19, 31), rounds: 1},
		{decoder: leaking, files: pictures(40), rounds: 40},
		{decoder: shared, files: pictures(40), rounds: 5},
	} {
		if err := t.inProcess(ctx); err != nil {
			return 1, err
		}
		if err := t.inPool(ctx); err != nil {
			return 1, err
		}
		trials = append(trials, t)
	}
	return report(out, trials), nil
}

// inProcess decodes in a process of its own, so that this one can tell the end.
func (t *trial) inProcess(ctx context.Context) error {
	p := plain{Decoder: t.decoder, Goroutines: workers, Rounds: t.rounds}
	for _, f := range t.files {
		p.Files = append(p.Files, f.bytes)
	}
	h, err := process.Start(ctx, process.Config{Stderr: io.Discard}, program, p)
	if err != nil {
		return err
	}
	t.alone, t.aloneErr = h.Wait(ctx)
	return ctx.Err()
}

// inPool decodes in workers, each of which has one call at a time.
func (t *trial) inPool(ctx context.Context) error {
	pool := &process.Pool{Workers: workers, Limits: tandem.Limits{Time: 10 * time.Second}, Config: process.Config{Stderr: io.Discard}}
	if t.decoder == leaking {
		pool.MaxGrowth = growth
	}
	defer pool.Close()
	if err := pool.Start(ctx); err != nil {
		return err
	}
	t.pool = make([]outcome, t.rounds*len(t.files))
	for it := range decode.On(pool).Unordered(ctx, t.requests()) {
		if it.Index < 0 || it.Index >= len(t.pool) {
			return it.Err
		}
		t.pool[it.Index] = outcome{it.Out, it.Err}
	}
	t.stats = pool.Stats()
	return errors.Join(ctx.Err(), pool.Close())
}

func (t *trial) requests() func(yield func(request) bool) {
	return func(yield func(request) bool) {
		for i := range t.pool {
			if !yield(request{t.decoder, t.file(i).bytes}) {
				return
			}
		}
	}
}

// file is what call i decodes.
func (t *trial) file(i int) *file { return &t.files[i%len(t.files)] }

// pictures makes n files, each with another picture. Those whose numbers are given
// are hostile: their last run goes far beyond the picture.
func pictures(n int, hostile ...int) []file {
	const run = 16
	var files []file
	for i := range n {
		header := binary.LittleEndian.AppendUint32(nil, side)
		header = binary.LittleEndian.AppendUint32(header, side)
		f := file{name: fmt.Sprintf("%03d.rle", i), hostile: slices.Contains(hostile, i)}
		var runs, pixels []byte
		for at := range side * side / run {
			grey := byte(at*(2*i+1) + i)
			runs = append(binary.LittleEndian.AppendUint32(runs, run), grey)
			pixels = append(pixels, bytes.Repeat([]byte{grey}, run)...)
		}
		if f.hostile {
			binary.LittleEndian.PutUint32(runs[len(runs)-5:], 0xFFFF_FFF0)
		}
		f.bytes, f.sum = append(header, runs...), crc32.ChecksumIEEE(pixels)
		files = append(files, f)
	}
	return files
}
