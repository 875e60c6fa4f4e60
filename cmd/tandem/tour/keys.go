package tour

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// key is what a reader may answer a prompt with.
type key int

const (
	goOn  key = iota // Enter
	runOn            // a: no more prompts
	quit             // q
)

// keys asks the reader for a single key. The terminal is in raw mode only
// while it waits, so that Ctrl-C ends a running lesson as it ends any program;
// here it arrives as a byte and means quit.
type keys struct {
	in  *os.File
	out io.Writer
}

func (k keys) ask(prompt string) (key, error) {
	state, err := term.MakeRaw(int(k.in.Fd()))
	if err != nil {
		return quit, fmt.Errorf("tandem: tour: this terminal gives no single keys: %w; use --all", err)
	}
	defer term.Restore(int(k.in.Fd()), state)
	fmt.Fprint(k.out, prompt)
	defer fmt.Fprint(k.out, "\r\x1b[K") // the prompt leaves no row behind

	for {
		var b [1]byte
		if _, err := k.in.Read(b[:]); err != nil {
			return quit, nil // the terminal has gone
		}
		switch b[0] {
		case '\r', '\n', ' ':
			return goOn, nil
		case 'a', 'A':
			return runOn, nil
		case 'q', 'Q', 3, 4: // Ctrl-C, Ctrl-D
			return quit, nil
		}
	}
}
