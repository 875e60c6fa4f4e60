package tandemtest

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/tandem-go/tandem"
)

// errand is an argument with files: Text is to be written to Out.
type errand struct {
	Text string
	Out  *os.File
	More []*os.File
}

var (
	write = tandem.NewTask("write", func(_ context.Context, e errand) (int, error) {
		for _, f := range e.More {
			if f == e.Out {
				return 0, errors.New("two files in one variable")
			}
		}
		defer e.Out.Close()
		return io.WriteString(e.Out, e.Text)
	})
	open = tandem.NewTask("open", func(_ context.Context, text string) (*os.File, error) {
		if text == "" {
			return nil, nil
		}
		r, w, err := os.Pipe()
		if err != nil {
			return nil, err
		}
		defer w.Close()
		_, err = io.WriteString(w, text)
		return r, err
	})
	shut = tandem.NewTask("shut", func(context.Context, int) (*os.File, error) {
		f, err := os.Open(os.DevNull)
		if err == nil {
			err = f.Close()
		}
		return f, err
	})
)

var fileCases = []testCase{
	{"argument", func(s *suite) {
		for range 3 {
			r, w := s.pipe()
			n, err := write.On(s.place).Call(s.context(), errand{Text: "through the pipe", Out: w})
			if !s.has.Handles {
				s.refused(err, "descriptors")
				return
			}
			w.Close()
			got, _ := io.ReadAll(r) // the end comes when the task's descriptor is closed too
			if n != 16 || err != nil || string(got) != "through the pipe" {
				s.Errorf("got %d, %v and %q", n, err, got)
			}
		}
	}},
	{"result", func(s *suite) {
		f, err := open.On(s.place).Call(s.context(), "from the task")
		if !s.has.Handles {
			s.refused(err, "descriptors")
			return
		}
		if err != nil {
			s.Fatal(err)
		}
		defer f.Close()
		if got, err := io.ReadAll(f); string(got) != "from the task" || err != nil {
			s.Errorf("got %q, %v", got, err)
		}
		if f, err := open.On(s.place).Call(s.context(), ""); f != nil || err != nil {
			s.Errorf("a nil file: got %v, %v", f, err)
		}
	}},
	{"beside a big value", func(s *suite) {
		if !s.has.Handles {
			return // refused above
		}
		r, w := s.pipe()
		text := strings.Repeat("0123456789abcdef", 1<<16)
		read := make(chan int)
		go func() {
			got, _ := io.ReadAll(r)
			read <- len(got)
		}()
		n, err := write.On(s.place).Call(s.context(), errand{Text: text, Out: w})
		w.Close()
		if got := <-read; n != len(text) || err != nil || got != n {
			s.Errorf("1 MiB and a file: got %d, %v; read %d", n, err, got)
		}
	}},
	{"too many", func(s *suite) {
		if !s.has.Handles {
			return
		}
		_, w := s.pipe()
		_, other := s.pipe()
		e := errand{Text: "x", Out: w}
		for range 63 {
			e.More = append(e.More, other)
		}
		if _, err := write.On(s.place).Call(s.context(), e); err != nil {
			s.Errorf("64 files: %v", err)
		}
		_, e.Out = s.pipe()
		e.More = append(e.More, other)
		_, err := write.On(s.place).Call(s.context(), e)
		if s.copies() && (err == nil || !strings.Contains(err.Error(), "64")) {
			s.Errorf("65 files: got %v, want an error that names the bound", err)
		}
		s.alive()
	}},
	{"closed", func(s *suite) {
		if !s.has.Handles {
			return
		}
		_, w := s.pipe()
		w.Close()
		if _, err := write.On(s.place).Call(s.context(), errand{Text: "x", Out: w}); err == nil || isCrash(err) {
			s.Errorf("a closed file as argument: got %v, want an error that costs no worker", err)
		}
		if _, err := shut.On(s.place).Call(s.context(), 0); s.copies() && err == nil || isCrash(err) {
			s.Errorf("a closed file as result: got %v, want an error that costs no worker", err)
		}
		s.alive()
	}},
}

func isCrash(err error) bool {
	var crash *tandem.CrashError
	return errors.As(err, &crash)
}

// pipe is closed when the case is over.
func (s *suite) pipe() (r, w *os.File) {
	s.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() {
		r.Close()
		w.Close()
	})
	return r, w
}
