//go:build linux

package ring_test

import (
	"encoding/binary"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/ring"
)

// The audit is memory in which a worker counts how often it ran each call. It
// outlives the worker.
const (
	kindAudit  mem.Kind = 200
	auditCalls          = 1 << 16
)

func auditOf(s *mem.Segment) *[auditCalls]atomic.Uint32 {
	return mem.At[[auditCalls]atomic.Uint32](s.View, mem.HeaderSize)
}

func init() {
	helpers["audited"] = func(files []*os.File) {
		s, err := mem.Open(files[3], kindAudit, 0)
		if err != nil {
			panic(err)
		}
		audit := auditOf(s)
		serve(files[:3], func(in *ring.Inbox, r ring.Request) {
			run := func(b []byte) {
				id := binary.NativeEndian.Uint32(b)
				audit[id].Add(1)
				if id%16 == 0 {
					time.Sleep(100 * time.Microsecond) // so that some calls are met while they run
				}
			}
			if r.Items == 0 {
				run(r.Bytes)
				in.Done(r.Bytes)
				return
			}
			out := in.Room()
			for i := 0; i < r.Items && in.Begin(i); i++ {
				run(r.Bytes[4*i:])
				out = append(out, r.Bytes[4*i:4*i+4]...)
			}
			in.Done(out)
		})
	}
}

// TestKill kills workers at random moments, and takes random calls back, while
// many callers are at work. Each call has one outcome, and it is true.
func TestKill(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	var counts [5]atomic.Int64
	var chunks [4]atomic.Int64
	rare := func() bool { // a slow machine makes few calls before a kill
		return min(chunks[0].Load(), chunks[1].Load(), chunks[2].Load(), chunks[3].Load(),
			counts[1].Load(), counts[2].Load(), counts[3].Load(), counts[4].Load()) == 0
	}
	for round := uint64(0); round < 50 || round < 1000 && rare(); round++ {
		killRound(t, rand.New(rand.NewPCG(seed, round)), &counts, &chunks)
	}
	t.Logf("chunks: whole %d, trimmed %d, unstarted %d, gone %d", chunks[0].Load(), chunks[1].Load(), chunks[2].Load(), chunks[3].Load())
	t.Logf("answered %d, taken %d, unstarted %d, gone %d", counts[1].Load(), counts[2].Load(), counts[3].Load(), counts[4].Load())
	for i := range 4 {
		if chunks[i].Load() == 0 {
			t.Errorf("outcome %d of 4 of a chunk never came: this test saw too little", 1+i)
		}
		if counts[1+i].Load() == 0 {
			t.Errorf("outcome %d of 4 never came: this test saw too little", 1+i)
		}
	}
}

func killRound(t *testing.T, random *rand.Rand, counts *[5]atomic.Int64, chunks *[4]atomic.Int64) {
	segment, err := mem.Create(kindAudit, 0, 4*auditCalls)
	if err != nil {
		t.Fatal(err)
	}
	defer segment.Release()
	audit := auditOf(segment)
	w := start(t, "audited", ring.Config{Lanes: 1 + random.IntN(3), Slots: 4 << random.IntN(3), Spinners: newSpinners(t, 2)}, -1, segment.File())
	p := newPool(w)
	p.call(binary.NativeEndian.AppendUint32(nil, 0), nil) // it is up
	var calls atomic.Uint32
	var over atomic.Bool
	var callers sync.WaitGroup
	for i := range 1 + random.IntN(8) {
		callers.Go(func() {
			random := rand.New(rand.NewPCG(uint64(i), 0))
			for !over.Load() {
				if random.IntN(4) == 0 {
					if n := uint32(1 + random.IntN(40)); !killChunk(t, p, audit, random, calls.Add(n)-n+1, n, chunks) {
						return
					}
					continue
				}
				id := calls.Add(1)
				if id >= auditCalls {
					return
				}
				lane, s := p.reserve()
				o := p.lanes[lane]
				o.Publish(s, binary.NativeEndian.AppendUint32(nil, id))
				took := false
				var canceller sync.WaitGroup
				if random.IntN(4) == 0 {
					canceller.Go(func() { took = o.TakeBack(s) })
				}
				answer, _, err := o.Wait(s, nil, nil)
				canceller.Wait()
				p.release(lane)
				ran := audit[id].Load()
				switch {
				case took != (err == ring.ErrTaken):
					t.Errorf("TakeBack = %v, and then Wait = %v", took, err)
				case err == nil:
					counts[1].Add(1)
					if ran != 1 || len(answer) != 4 || binary.NativeEndian.Uint32(answer) != id {
						t.Errorf("call %d: answer %x, ran %d times", id, answer, ran)
					}
				case err == ring.ErrTaken, err == ring.ErrUnstarted:
					if err == ring.ErrTaken {
						counts[2].Add(1)
					} else {
						counts[3].Add(1)
					}
					if ran != 0 {
						t.Errorf("call %d: %v, but it ran", id, err)
					}
				case err == ring.ErrGone:
					counts[4].Add(1)
					if ran > 1 {
						t.Errorf("call %d ran %d times", id, ran)
					}
				default:
					t.Errorf("call %d: %v", id, err)
				}
			}
		})
	}
	time.Sleep(time.Duration(random.IntN(int(10 * time.Millisecond)))) // the random moment
	w.cmd.Process.Kill()
	w.cmd.Wait()
	over.Store(true)
	w.Fail()
	callers.Wait()
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

// killChunk makes one call of n items and reports whether there is room for more.
// Each item has an outcome, or was not begun and never ran, or is the one that ran
// when its worker died.
func killChunk(t *testing.T, p *pool, audit *[auditCalls]atomic.Uint32, random *rand.Rand, first, n uint32, counts *[4]atomic.Int64) bool {
	if first+n >= auditCalls {
		return false
	}
	var request []byte
	for i := range n {
		request = binary.NativeEndian.AppendUint32(request, first+i)
	}
	lane, s := p.reserve()
	o := p.lanes[lane]
	o.PublishItems(s, request, int(n))
	remain := ring.Untaken
	var trimmer sync.WaitGroup
	if random.IntN(4) == 0 {
		trimmer.Go(func() { remain = o.Trim(s) })
	}
	answer, begun, _, err := o.WaitItems(s, nil, nil)
	trimmer.Wait()
	p.release(lane)
	whole := begun // so many outcomes are in answer
	switch {
	case err == ring.ErrGone:
		whole = max(0, begun-1)
		counts[3].Add(1)
	case err == ring.ErrUnstarted:
		counts[2].Add(1)
	case err != nil:
		t.Errorf("a chunk: %v", err)
	case begun < int(n):
		counts[1].Add(1)
	default:
		counts[0].Add(1)
	}
	if remain != ring.Untaken && err != ring.ErrUnstarted && begun != remain {
		t.Errorf("Trim = %d, and then %d were begun", remain, begun)
	}
	if remain == ring.Untaken && err == nil && begun != int(n) {
		t.Errorf("%d of %d were begun, and Trim took nothing back", begun, n)
	}
	for i := range int(n) {
		ran := audit[first+uint32(i)].Load()
		switch {
		case i < whole && (ran != 1 || len(answer) < 4*i+4 || binary.NativeEndian.Uint32(answer[4*i:]) != first+uint32(i)):
			t.Errorf("item %d of %d: ran %d times, answer %x", i, n, ran, answer[:min(len(answer), 4*i+4)])
		case i < begun && ran > 1, i >= begun && ran > 0:
			t.Errorf("item %d of %d: ran %d times, %d begun", i, n, ran, begun)
		}
	}
	return true
}
