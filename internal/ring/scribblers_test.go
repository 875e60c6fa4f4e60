//go:build linux

package ring_test

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tandem-go/tandem/internal/ring"
	"github.com/tandem-go/tandem/internal/wire"
)

// TestScribblers: a thousand workers that write anything anywhere, mostly into the
// words that matter, at any moment. They fail their own calls and nothing else: no
// panic, nobody held beyond Fail, one outcome for each item, and after a violation
// nothing that is called not started.
func TestScribblers(t *testing.T) {
	workers := 1000
	if raceEnabled {
		workers = 300
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	var seen [5]atomic.Int64 // answered, taken, unstarted, gone, violation
	for i := range workers {
		scribbler(t, rand.New(rand.NewPCG(seed, uint64(i))), &seen)
	}
	for i, name := range []string{"answered", "taken", "unstarted", "gone", "violation"} {
		t.Logf("%s %d", name, seen[i].Load())
		if seen[i].Load() == 0 {
			t.Errorf("%s never came: this test saw too little", name)
		}
	}
}

func scribbler(t *testing.T, random *rand.Rand, seen *[5]atomic.Int64) {
	p, err := ring.Create(ring.Config{Lanes: 1, Slots: 4})
	if err != nil {
		t.Fatal(err)
	}
	b := rawMemory(t, p.Files()[0])
	defer unix.Munmap(b)
	pool := &pool{lanes: p.Lanes(), busy: make([]int, 1)}
	var broken, over atomic.Bool
	var callers sync.WaitGroup
	for range 1 + random.IntN(4) {
		random := rand.New(rand.NewPCG(random.Uint64(), 0))
		callers.Go(func() {
			for !over.Load() {
				hostileCall(t, pool, random, &broken, seen)
			}
		})
	}
	words := p.Words()
	for range random.IntN(1000) {
		at := random.IntN(len(b)/8) * 8
		if random.IntN(8) > 0 {
			at = words[random.IntN(len(words))]
		}
		w := binary.NativeEndian.Uint64(b[at:])
		switch random.IntN(4) {
		case 0:
			w = random.Uint64()
		case 1:
			w ^= 1 << random.IntN(64)
		case 2: // another state
			w = w&^7 | uint64(random.IntN(8))
		case 3: // one more item begun
			w++
		}
		binary.NativeEndian.PutUint64(b[at:], w)
		if random.IntN(4) == 0 {
			runtime.Gosched()
		}
	}
	over.Store(true)
	p.Fail()
	callers.Wait()
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// hostileCall makes one call, plain or a chunk, and meddles with it while it waits.
func hostileCall(t *testing.T, pool *pool, random *rand.Rand, broken *atomic.Bool, seen *[5]atomic.Int64) {
	lane, s := pool.reserve()
	defer pool.release(lane)
	o, n := pool.lanes[lane], random.IntN(20)
	if n > 0 {
		o.PublishItems(s, items(n), n)
	} else {
		o.Publish(s, []byte("x"))
	}
	took, remain := false, ring.Untaken
	var meddler sync.WaitGroup
	if what := random.IntN(6); what < 4 {
		meddler.Go(func() {
			switch what {
			case 0:
				took = o.TakeBack(s)
			case 1:
				remain = o.Trim(s)
			case 2:
				if answer, begun := o.Peek(s, nil); len(answer) > ring.Inline || begun > n {
					t.Errorf("Peek = %d bytes, %d of %d begun", len(answer), begun, n)
				}
			case 3:
				o.Begun(s)
				o.Started(s)
			}
		})
	}
	before := broken.Load()
	answer, begun, _, err := o.WaitItems(s, nil, nil)
	meddler.Wait()
	switch {
	case errors.Is(err, wire.ErrProtocol):
		broken.Store(true)
		seen[4].Add(1)
	case err == ring.ErrGone:
		seen[3].Add(1)
	case err == ring.ErrUnstarted:
		seen[2].Add(1)
	case err == ring.ErrTaken:
		seen[1].Add(1)
	case err == nil:
		seen[0].Add(1)
	default:
		t.Errorf("WaitItems = %v", err)
	}
	if took != (err == ring.ErrTaken) {
		t.Errorf("TakeBack = %v, and then WaitItems = %v", took, err)
	}
	if len(answer) > ring.Wide || begun > min(n, remain) {
		t.Errorf("%d bytes, %d begun of %d; Trim left %d", len(answer), begun, n, remain)
	}
	if before && (err == ring.ErrUnstarted || err != ring.ErrTaken && begun < min(n, remain)) {
		t.Errorf("after a violation %v, and %d of %d are called not begun", err, min(n, remain)-begun, n)
	}
}
