//go:build linux

package ring_test

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tandem-go/tandem/internal/ring"
	"github.com/tandem-go/tandem/internal/wire"
)

// rawMemory maps a whole segment, to write where no protocol allows it.
func rawMemory(t testing.TB, f *os.File) []byte {
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	b, err := unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func init() {
	helpers["scribbler"] = func(files []*os.File) {
		info, err := files[0].Stat()
		if err != nil {
			panic(err)
		}
		b, err := unix.Mmap(int(files[0].Fd()), 0, int(info.Size()), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		if err != nil {
			panic(err)
		}
		var once sync.Once
		serve(files, func(in *ring.Inbox, r ring.Request) {
			in.Done(r.Bytes)
			once.Do(func() { go scribble(b) })
		})
		select {} // its own side may have noticed the scribbling
	}
}

// scribble writes into b for ever: noise, and words that are nearly right.
func scribble(b []byte) {
	for {
		at := rand.IntN(len(b)/8) * 8
		w := binary.NativeEndian.Uint64(b[at:])
		switch rand.IntN(3) {
		case 0:
			w = rand.Uint64()
		case 1:
			w ^= 1 << rand.IntN(64)
		case 2:
			w = w&^7 | uint64(rand.IntN(8))
		}
		binary.NativeEndian.PutUint64(b[at:], w)
	}
}

// TestScribble: a worker that writes anything anywhere in its memory fails calls
// of its own, and can neither hold nor harm its parent.
func TestScribble(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]int{}
	for range 20 {
		w := start(t, "scribbler", ring.Config{Lanes: 2, Slots: 4, Spinners: newSpinners(t, 2)}, -1)
		var callers sync.WaitGroup
		for range 4 {
			callers.Go(func() {
				o := w.Lanes()[0]
				for {
					mu.Lock()
					s, ok := o.Reserve()
					mu.Unlock()
					if !ok {
						return
					}
					o.Publish(s, []byte("x"))
					answer, _, err := o.Wait(s, nil, nil)
					mu.Lock()
					switch {
					case len(answer) > ring.Wide:
						t.Errorf("an answer of %d bytes", len(answer))
					case err == nil, err == ring.ErrGone, err == ring.ErrUnstarted:
						seen["fair"]++
					case errors.Is(err, wire.ErrProtocol):
						seen["violation"]++
					default:
						t.Errorf("Wait = %v", err)
					}
					mu.Unlock()
					if err != nil {
						return
					}
				}
			})
		}
		time.Sleep(3 * time.Millisecond) // that long it may scribble
		w.cmd.Process.Kill()
		w.cmd.Wait()
		w.Fail()
		callers.Wait()
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Log(seen)
}

// TestViolation: each way to break a rule is called that, and then nobody is told
// that a call was not started.
func TestViolation(t *testing.T) {
	for name, scribble := range map[string]func(w uint64) uint64{
		"a state that is none":           func(w uint64) uint64 { return w | 7 },
		"taken, by the worker":           func(w uint64) uint64 { return w&^7 | 5 },
		"free, by the worker":            func(w uint64) uint64 { return w&^7 | 1 },
		"unused, by the worker":          func(w uint64) uint64 { return w &^ 7 },
		"another position":               func(w uint64) uint64 { return w ^ 1<<40 },
		"an answer at another position":  func(w uint64) uint64 { return (w&^7 | 4) ^ 1<<20 },
		"an answer longer than the slot": func(w uint64) uint64 { return w&^7 | 4 | 0xfff<<6 },
		"an answer longer by a byte":     func(w uint64) uint64 { return w&^0x3ffe7 | 4 | (ring.Inline+1)<<6 },
		"a wide answer that is nowhere":  func(w uint64) uint64 { return w&^7 | 4 | 1<<5 },
		"everything":                     func(uint64) uint64 { return ^uint64(0) },
		"nothing":                        func(uint64) uint64 { return 0 },
	} {
		p, _ := pair(t, ring.Config{Lanes: 1, Slots: 4})
		o := p.Lanes()[0]
		b := rawMemory(t, p.Files()[0])
		s := publish(t, o, "x")
		other := publish(t, o, "y")
		at := p.WordAt(0, s)
		binary.NativeEndian.PutUint64(b[at:], scribble(binary.NativeEndian.Uint64(b[at:])))
		if answer, _, err := o.Wait(s, nil, nil); !errors.Is(err, wire.ErrProtocol) || len(answer) != 0 {
			t.Errorf("%s: Wait = %d bytes, %v; want a protocol violation", name, len(answer), err)
		}
		p.Fail()
		if _, _, err := o.Wait(other, nil, nil); err != ring.ErrGone {
			t.Errorf("%s: then another call: %v, want ErrGone", name, err)
		}
		unix.Munmap(b)
	}
}

// FuzzParent plays a worker that writes what it likes between the parent's steps.
// Two bytes of the input are one step.
func FuzzParent(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 2, 3, 1, 0, 2, 11, 3, 0, 4, 1})
	f.Add([]byte{0, 5, 3, 12, 6, 192, 2, 130, 1, 0, 6, 193, 0, 7, 2, 200, 4, 255})
	f.Add([]byte{0, 0, 5, 0, 5, 1, 1, 0, 0, 1, 6, 9, 3, 3, 1, 1})
	f.Add([]byte{0, 0, 4, 5, 6, 9, 5, 0, 1, 0, 0, 0, 4, 5, 5, 0, 1, 0})
	f.Fuzz(func(t *testing.T, steps []byte) {
		p, err := ring.Create(ring.Config{Lanes: 1, Slots: 4})
		if err != nil {
			t.Fatal(err)
		}
		o := p.Lanes()[0]
		b := rawMemory(t, p.Files()[0])
		defer unix.Munmap(b)
		var waits sync.WaitGroup
		var list []ring.Slot
		took := map[ring.Slot]bool{}
		trimmed := map[ring.Slot]int{} // what Trim said, and one
		var mu sync.Mutex
		for ; len(steps) > 1; steps = steps[2:] {
			what, arg := steps[0]%8, uint64(steps[1])
			switch {
			case what == 0:
				if s, ok := o.Reserve(); ok {
					if n := int(arg % 8); n > 0 {
						o.PublishItems(s, steps[:1], n)
					} else {
						o.Publish(s, steps[:1])
					}
					list = append(list, s)
				}
			case len(list) == 0:
			case what == 1: // wait for the oldest; its outcome may come at the end only
				s := list[0]
				list = list[1:]
				waits.Go(func() {
					answer, begun, _, err := o.WaitItems(s, nil, nil)
					mu.Lock()
					defer mu.Unlock()
					switch {
					case len(answer) > ring.Wide || begun > 7:
						t.Errorf("an answer of %d bytes, %d items begun", len(answer), begun)
					case trimmed[s] > 0 && begun >= trimmed[s]:
						t.Errorf("%d begun, after Trim took back from %d on", begun, trimmed[s]-1)
					case err == ring.ErrTaken && !took[s]:
						t.Error("ErrTaken, and nobody took it back")
					case err != nil && err != ring.ErrTaken && err != ring.ErrGone && err != ring.ErrUnstarted && !errors.Is(err, wire.ErrProtocol):
						t.Error(err)
					}
				})
			case what == 2:
				s := list[arg%uint64(len(list))]
				mu.Lock()
				if arg < 128 {
					took[s] = o.TakeBack(s) || took[s]
				} else if n := o.Trim(s); n != ring.Untaken {
					trimmed[s] = n + 1
				}
				mu.Unlock()
				o.Peek(s, nil)
			default: // scribble: a state, a bit, or any byte
				at := p.WordAt(0, list[arg%uint64(len(list))])
				if arg >= 192 && what != 3 && what != 5 {
					at = p.ProgressAt(0, list[arg%uint64(len(list))])
				}
				switch what {
				case 3:
					b[at] = b[at]&^7 | byte(arg>>2&7)
				case 4:
					b[at+int(arg>>3&7)] ^= 1 << (arg & 7)
				case 5:
					b[at] = b[at]&^7 | 4 // an answer
				case 6:
					b[at+int(arg&7)+int(arg>>3&1)*16] = byte(arg) // the word, or where a room is
				case 7:
					b[p.BellAt()] = byte(arg)
				}
			}
		}
		p.Fail()
		for _, s := range list {
			waits.Go(func() { o.Wait(s, nil, nil) })
		}
		waits.Wait()
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}
