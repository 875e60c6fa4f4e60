package tour_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tandem-go/tandem/cmd/tandem/tour"
	"github.com/tandem-go/tandem/course"
)

// TestKeys answers the prompts on a real terminal: a key is typed as soon as
// the prompt before it stands there.
func TestKeys(t *testing.T) {
	const guess, next = "Guess first.", "Enter: go on"
	for _, c := range []struct {
		name    string
		typed   []string // a prompt, then the key for it
		screens int      // how far the tour comes
		prompts int
	}{
		{"Enter goes on", []string{next, "\r", guess, "\r", next, "\r", guess, "\r", next, "\r", guess, "\r"}, 3, 6},
		{"a runs on", []string{next, "\r", guess, "a"}, 3, 2},
		{"q quits before the answer", []string{next, "\r", guess, "q"}, 0, 2},
		{"q quits at the index", []string{next, "q"}, 0, 1},
		{"Ctrl-C quits", []string{next, "\r", guess, "\r", next, "\x03"}, 1, 3},
		{"other keys do nothing", []string{next, "xy\r", guess, "zq"}, 0, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			hand, terminal := openTerminal(t)
			before := mode(t, terminal)
			l := lesson("L05", holds)
			screen := newScreen()
			x := tour.Tour{All: []*course.Lesson{l}, Lessons: []*course.Lesson{l, l, l}, Index: true, Terminal: terminal, Out: screen}
			done := make(chan error, 1)
			go func() {
				_, err := x.Run(t.Context())
				screen.end()
				done <- err
			}()
			for i := 0; i < len(c.typed); i += 2 {
				if !screen.await(c.typed[i]) {
					t.Fatalf("the prompt %q did not come:\n%s", c.typed[i], screen)
				}
				if _, err := io.WriteString(hand, c.typed[i+1]); err != nil {
					t.Fatal(err)
				}
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
			text := screen.String()
			if n := strings.Count(text, "change it:"); n != c.screens {
				t.Errorf("%d screens, want %d:\n%s", n, c.screens, text)
			}
			if n := strings.Count(text, "\r\x1b[K"); n != c.prompts {
				t.Errorf("%d prompts were wiped away, want %d:\n%q", n, c.prompts, text)
			}
			if after := mode(t, terminal); after != before {
				t.Errorf("the terminal was left in another mode: %+v, was %+v", after, before)
			}
		})
	}
}

// screen is what the tour prints, for somebody who waits for prompts.
type screen struct {
	mu    sync.Mutex
	more  *sync.Cond
	b     bytes.Buffer
	seen  int
	ended bool
}

func newScreen() *screen {
	s := &screen{}
	s.more = sync.NewCond(&s.mu)
	return s
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.more.Broadcast()
	return s.b.Write(p)
}

func (s *screen) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.more.Broadcast()
}

// await waits for text that stands behind what was awaited before.
func (s *screen) await(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if i := strings.Index(s.b.String()[s.seen:], text); i >= 0 {
			s.seen += i + len(text)
			return true
		}
		if s.ended {
			return false
		}
		s.more.Wait()
	}
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// openTerminal makes a pseudo terminal: the hand types, the terminal is typed at.
func openTerminal(t *testing.T) (hand, terminal *os.File) {
	t.Helper()
	hand, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("this system has no pseudo terminals")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { hand.Close() })
	if err := unix.IoctlSetPointerInt(int(hand.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(hand.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	return hand, terminal
}

func mode(t *testing.T, terminal *os.File) unix.Termios {
	t.Helper()
	m, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return *m
}
