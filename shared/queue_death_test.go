//go:build linux

package shared_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
	"github.com/tandem-go/tandem/shared"
)

// The ledger of a storm: for each producer how many items it knows to have put, and
// for each item how often it came.
const (
	mostProducers = 400
	mostOfOne     = 1 << 14
	atOnce        = 5 // items that a producer or a consumer may have in its hands
)

func known(p []byte, from int) []byte { return p[8*from:] }

func came(p []byte, w ware) *byte { return &p[8*mostProducers+mostOfOne*w.From+w.N] }

// note marks items that came.
func note(b *shared.Buffer, items []ware) error {
	return b.View(func(p []byte) error {
		for _, w := range items {
			if w.From < 0 || w.From >= mostProducers || w.N < 0 || w.N >= mostOfOne {
				return fmt.Errorf("%+v came, which nobody put", w)
			}
			*came(p, w)++
		}
		return nil
	})
}

var (
	_ = scene("produce and count", func(ctx context.Context, c cast) (n int, err error) {
		some := make([]ware, 1+c.N%2*(atOnce-1)) // every second one puts many at once
		for n+len(some) <= mostOfOne && err == nil {
			for i := range some {
				some[i] = ware{From: c.N, N: n + i}
			}
			k := 0
			k, err = c.Line.PutAll(ctx, some)
			n += k
			c.Data.View(func(p []byte) error {
				binary.NativeEndian.PutUint64(known(p, c.N), uint64(n))
				return nil
			})
		}
		if err == nil {
			<-ctx.Done() // until killed
		}
		return n, err
	})
	_ = scene("consume and note", func(ctx context.Context, c cast) (int, error) {
		into := make([]ware, 1+c.N%2*(atOnce-1))
		for {
			n, err := c.Line.GetSome(ctx, into)
			if err != nil {
				return 0, err
			}
			if err := note(c.Data, into[:n]); err != nil {
				return 0, err
			}
		}
	})
)

// TestKillStormQueue: producers, consumers or both are killed at any instruction.
// What a producer knows to have put came once, or is in the queue once; but for what
// a consumer had in its hands when it was killed.
func TestKillStormQueue(t *testing.T) {
	for name, roles := range map[string][]string{
		"producers": {"produce and count", "produce and count"},
		"consumers": {"consume and note", "consume and note"},
		"both":      {"produce and count", "consume and note", "produce and count", "consume and note"},
	} {
		t.Run(name, func(t *testing.T) {
			for end := time.Now().Add(*stormTime / 2); time.Now().Before(end); {
				queueStorm(t, roles) // each with a queue of its own
			}
		})
	}
}

func queueStorm(t *testing.T, roles []string) {
	c := cast{Line: newLine(t, 16), Data: newBuffer(t, mostProducers*(8+mostOfOne))}
	producers, consumers, own := 1, 0, 0 // producer 0 is this process
	take := func() {
		mine := make([]ware, 3)
		n, err := c.Line.GetSome(soon(t), mine)
		if err == nil {
			err = note(c.Data, mine[:n])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for end := time.Now().Add(1500 * time.Millisecond); time.Now().Before(end) && producers < mostProducers-2; {
		var players []*process.Handle[int]
		for _, role := range roles {
			c.Role = role
			if role == "produce and count" {
				c.N = producers
				producers++
			} else {
				c.N = consumers
				consumers++
			}
			players = append(players, alone(t, c))
		}
		if producers > 1 {
			for range 10 { // they play, and who is killed is in nobody's way
				take()
			}
		} else {
			for range min(100, mostOfOne-own) {
				if err := c.Line.Put(soon(t), ware{N: own}); err != nil {
					t.Fatal(err)
				}
				own++
			}
		}
		for _, h := range players {
			time.Sleep(time.Duration(rand.IntN(2000)) * time.Microsecond)
			select {
			case <-h.Done():
				t.Fatal(h.Err())
			default:
			}
			kill(h)
			if len(roles) == 2 && producers > 1 { // nobody may be left who puts
				item, ok, err := c.Line.TryGet()
				if err == nil && ok {
					err = note(c.Data, []ware{item})
				}
				if err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	for c.Line.Len() > 0 {
		take()
	}
	put, missing := 0, 0
	c.Data.View(func(p []byte) error {
		binary.NativeEndian.PutUint64(known(p, 0), uint64(own))
		for from := range producers {
			count := int(binary.NativeEndian.Uint64(known(p, from)))
			put += count
			for n := range mostOfOne {
				switch k := *came(p, ware{From: from, N: n}); {
				case k > 1:
					t.Errorf("item %d of %d came %d times", n, from, k)
				case k == 1 && n >= count+atOnce:
					t.Errorf("item %d of %d came, which had put %d", n, from, count)
				case k == 0 && n < count:
					missing++
				}
			}
		}
		return nil
	})
	if most := (consumers + 1) / 2 * (1 + atOnce); missing > most {
		t.Errorf("%d items are missing, and those who were killed had at most %d in their hands", missing, most)
	}
	t.Logf("%d items, %d producers, %d consumers killed with %d items in their hands", put, producers-1, consumers, missing)
	if put < producers {
		t.Error("hardly anything was put")
	}
}

var _ = scene("take one", func(ctx context.Context, c cast) (int, error) {
	if _, err := c.Line.Get(ctx); err != nil {
		return 0, err
	}
	c.Ready.Set()
	if err := c.Event.Wait(ctx); err != nil {
		return 0, err
	}
	return 0, c.Line.TaskDone()
})

// TestQueueJoin: Join waits for what was put to be done, and not for what nobody can
// do any more.
func TestQueueJoin(t *testing.T) {
	everywhere(t, 1, func(t *testing.T, place tandem.Runner) {
		c := cast{Role: "take one", Line: newLine(t, 3), Ready: newEvent(t), Event: newEvent(t)}
		if err := c.Line.Join(background); err != nil {
			t.Errorf("Join of nothing: %v", err)
		}
		if err := c.Line.TaskDone(); err == nil {
			t.Error("TaskDone of nothing")
		}
		c.Line.Put(background, ware{})
		h := act.On(place).Go(soon(t), c)
		c.Ready.Wait(soon(t))
		joined := make(chan error, 1)
		go func() { joined <- c.Line.Join(soon(t)) }()
		until(t, "one joins", func() bool { return c.Line.Waiting() == 1 })
		ended, cancel := cancelled()
		defer cancel()
		if err := c.Line.Join(ended); err != errCause {
			t.Errorf("Join of what is not done: %v", err)
		}
		c.Event.Set()
		if err := <-joined; err != nil {
			t.Error(err)
		}
		waitAll(t, []*tandem.Future[int]{h})
	})
	t.Run("killed", func(t *testing.T) {
		c := cast{Role: "take one", Line: newLine(t, 3), Ready: newEvent(t), Event: newEvent(t)}
		c.Line.Put(background, ware{})
		h := alone(t, c)
		if err := c.Ready.Wait(soon(t)); err != nil {
			t.Fatal(err)
		}
		joined := make(chan error, 1)
		go func() { joined <- c.Line.Join(soon(t)) }()
		until(t, "one joins", func() bool { return c.Line.Waiting() == 1 })
		if err := c.Line.TaskDone(); err == nil {
			t.Error("TaskDone of what another has")
		}
		kill(h)
		if err := <-joined; err != shared.ErrItemsLost {
			t.Errorf("Join of what a dead one had: %v", err)
		}
		c.Line.Put(background, ware{})
		if err := c.Line.TaskDone(); err != nil {
			t.Error(err)
		}
		if _, err := c.Line.Get(background); err != nil {
			t.Error(err)
		}
		if err := c.Line.TaskDone(); err != nil {
			t.Error(err)
		}
		if err := c.Line.Join(soon(t)); err != nil {
			t.Error(err)
		}
	})
}

// TestQueueWrong: a queue whose bounds are none is refused where it arrives.
func TestQueueWrong(t *testing.T) {
	const words = 144 // see internal/monitor
	for name, wrong := range map[string]struct {
		at    int
		value uint64
	}{
		"no items":      {words, 64},
		"no bytes":      {words, 1 << 32},
		"no power of 2": {words, 4<<32 | 100},
		"too many":      {words, 4<<32 | 1<<30},
		"other items":   {words + 8, 9},
	} {
		t.Run(name, func(t *testing.T) {
			c := cast{Role: "take one", Line: newLine(t, 4)}
			binary.NativeEndian.PutUint64(c.Line.Segment()[wrong.at:], wrong.value)
			h, err := process.Start(soon(t), process.Config{}, act, c)
			if err == nil {
				_, err = h.Wait(soon(t))
			}
			if err == nil || !strings.Contains(err.Error(), "shared.Queue: one ") {
				t.Errorf("the child said %v", err)
			}
		})
	}
}
