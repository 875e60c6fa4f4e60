//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/bench/internal/drive"
	"github.com/tandem-go/tandem/internal/codec"
	"github.com/tandem-go/tandem/process"
	"github.com/tandem-go/tandem/shared"
)

// Parts of tandem by themselves.
var tandemParts = []contender{
	{
		name: "tandem codec", family: familyTandem, note: "encoding and decoding alone", local: true, can: []string{drive.Codec},
		open: func(tools, int) (drive.Session, error) {
			c, err := codec.Of[drive.Struct]()
			if err != nil {
				return nil, err
			}
			var (
				buf      []byte
				from, to drive.Struct // in a place of their own, or each round would make two
			)
			return &drive.Local{Codec: func(in drive.Struct) (drive.Struct, error) {
				from = in
				if buf, err = c.Append(buf[:0], &from, nil); err == nil {
					err = c.Decode(buf, &to, nil)
				}
				return to, err
			}}, nil
		},
	},
	{
		name: "tandem Mutex", family: familyTandem, note: "shared.Mutex, without anybody else who wants it", can: []string{drive.Lock},
		open: func(tools, int) (drive.Session, error) { return &drive.Local{Lock: lockAlone}, nil },
	},
	{
		name: contenderSmall, family: familyTandem, note: "bench/small: a program that links nothing but tandem", can: []string{drive.Crowd},
		large: true,
		lacks: func(t tools) string { return t.NoSmall },
		open:  func(t tools, _ int) (drive.Session, error) { return remote(t.Small) },
	},
}

var count = tandem.NewTask("count", func(ctx context.Context, c counting) (struct{}, error) {
	for range c.N {
		if err := c.Value.Update(ctx, func(n *int64) error { *n++; return nil }); err != nil {
			return struct{}{}, err
		}
	}
	return struct{}{}, c.Value.Close()
})

type counting struct {
	Value *shared.Value[int64]
	N     int
}

// lockTandem counts in a shared value, whose lock is a shared.Mutex: alone in
// this process, or in as many workers as there are owners.
func lockTandem(n, owners int) (d time.Duration, err error) {
	ctx := context.Background()
	v, err := shared.NewValue[int64](0)
	if err != nil {
		return 0, err
	}
	defer v.Close()
	if owners == 1 {
		begin := time.Now()
		for range n {
			if err := v.Update(ctx, func(n *int64) error { *n++; return nil }); err != nil {
				return 0, err
			}
		}
		d = time.Since(begin)
	} else {
		pool := &process.Pool{Workers: owners}
		defer pool.Close()
		if err := pool.Start(ctx); err != nil {
			return 0, err
		}
		work := make([]counting, owners)
		for i := range work {
			work[i] = counting{v, n}
		}
		begin := time.Now()
		if _, err := count.On(pool).All(ctx, work); err != nil {
			return 0, err
		}
		d = time.Since(begin)
	}
	total, err := v.Load(ctx)
	if err == nil && total != int64(n*owners) {
		err = fmt.Errorf("the count is %d, want %d", total, n*owners)
	}
	return d, err
}

func lockAlone(n, owners int) (time.Duration, error) {
	if owners != 1 {
		return 0, errors.ErrUnsupported
	}
	m, err := shared.NewMutex()
	if err != nil {
		return 0, err
	}
	defer m.Close()
	counted, ctx := 0, context.Background()
	begin := time.Now()
	for range n {
		if err := m.Lock(ctx); err != nil {
			return 0, err
		}
		counted++
		m.Unlock()
	}
	d := time.Since(begin)
	if counted != n {
		err = fmt.Errorf("the count is %d, want %d", counted, n)
	}
	return d, err
}
