package process_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// speaking writes lines of one letter, of many lengths, from several goroutines: some
// far longer than what a pipe takes at once, or than a piece.
var speaking = tandem.NewTask("speaking", func(_ context.Context, letter string) (int, error) {
	var all sync.WaitGroup
	for _, f := range []*os.File{os.Stdout, os.Stderr} {
		all.Go(func() {
			for i := range 40 {
				n := 1 + i*i*7
				if i%20 == 19 {
					n = 300_000
				}
				fmt.Fprintln(f, strings.Repeat(letter, n))
			}
		})
	}
	all.Wait()
	return 0, nil
})

// TestLinesNeverMix: no line holds the text of two workers, also when lines are long
// and the workers have threads.
func TestLinesNeverMix(t *testing.T) {
	leaveNothing(t)
	for _, prefix := range []bool{false, true} {
		var out bytes.Buffer // one for both streams, and without a lock
		pool := &process.Pool{Workers: 4, Threads: 2, Config: process.Config{Stdout: &out, Stderr: &out, Prefix: prefix}}
		letters := strings.Split("abcdefgh", "")
		if _, err := speaking.On(pool).All(t.Context(), letters); err != nil {
			t.Fatal(err)
		}
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
		// Two threads of a worker write to one pipe, and the system may put a short write
		// between the parts of a long one: letters of a line are of one worker, each of
		// which has its own.
		counts := map[rune]int{}
		for line := range strings.Lines(out.String()) {
			if prefix {
				_, rest, found := strings.Cut(line, "] ")
				if !found || !strings.HasPrefix(line, "[Pool-") {
					t.Fatalf("a line without its prefix: %.50q", line)
				}
				line = rest
			}
			for _, letter := range line {
				counts[letter]++
			}
		}
		for _, letter := range letters {
			want := 0
			for i := range 40 {
				if i%20 == 19 {
					want += 2 * 300_000
				} else {
					want += 2 * (1 + i*i*7)
				}
			}
			if got := counts[rune(letter[0])]; got != want {
				t.Errorf("prefix %v: %d times %q, want %d: something was lost or doubled", prefix, got, letter, want)
			}
		}
	}
}

// saying writes beginnings of lines, waits, and writes their ends.
var saying = tandem.NewTask("saying", func(_ context.Context, file *os.File) (int, error) {
	fmt.Print(os.Getpid(), " begins ")
	if _, err := file.Write([]byte{1}); err != nil { // others may go on
		return 0, err
	}
	fmt.Print(strings.Repeat("x", 100_000))
	fmt.Println(" and ends")
	return os.Getpid(), nil
})

// TestLinesOfOneWorker: a line whose parts come late, and which is longer than a
// piece, is whole if nobody else wrote meanwhile, and otherwise was given an end.
func TestLinesOfOneWorker(t *testing.T) {
	leaveNothing(t)
	var out bytes.Buffer
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	pool := &process.Pool{Workers: 1, Config: process.Config{Stdout: &out, Prefix: true}}
	pid, err := saying.On(pool).Call(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	if err := pool.Close(); err != nil {
		t.Error(err)
	}
	want := fmt.Sprintf("%d begins %s and ends\n", pid, strings.Repeat("x", 100_000))
	got := regexp.MustCompile(`^\[Pool-\d+-1 process_test.saying\] `).ReplaceAllString(out.String(), "")
	if got != want {
		t.Errorf("%d bytes, want %d: %.200q", len(got), len(want), out.String())
	}
}

// gate is a Writer that waits until it is opened.
type gate struct {
	open    chan struct{}
	waiting chan struct{} // closed when somebody does
	once    sync.Once
	n       int
}

func newGate() *gate { return &gate{open: make(chan struct{}), waiting: make(chan struct{})} }

func (g *gate) Write(b []byte) (int, error) {
	g.once.Do(func() { close(g.waiting) })
	<-g.open
	g.n += len(b)
	return len(b), nil
}

var flooding = tandem.NewTask("flooding", func(_ context.Context, lines int) (int, error) {
	line := []byte(strings.Repeat("y", 1023) + "\n")
	for range lines {
		if _, err := os.Stdout.Write(line); err != nil {
			return 0, err
		}
	}
	return lines, nil
})

// TestFloodWaits: a task that writes faster than its Writer takes it waits; nothing is
// lost, and this process does not hold what it writes.
func TestFloodWaits(t *testing.T) {
	leaveNothing(t)
	g := newGate()
	const lines = 20_000
	h, err := process.Start(t.Context(), process.Config{Stdout: g, Stderr: io.Discard}, flooding, lines)
	if err != nil {
		t.Fatal(err)
	}
	<-g.waiting
	// 20 MB do not fit a pipe and a piece: it cannot have ended before the gate opens.
	select {
	case <-h.Done():
		t.Error("the task ended while nobody took what it wrote")
	default:
	}
	if _, ended := h.Process.ExitCode(); ended {
		t.Error("the process has ended")
	}
	close(g.open)
	if n, err := h.Wait(t.Context()); n != lines || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if g.n != lines<<10 {
		t.Errorf("%d bytes came, want %d", g.n, lines<<10)
	}
}
