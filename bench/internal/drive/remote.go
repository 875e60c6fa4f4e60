package drive

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Remote is a session in another program, which reads orders from its standard
// input and writes replies to its standard output, one JSON value a line.
type Remote struct {
	cmd    *exec.Cmd
	in     io.Closer
	orders *json.Encoder
	lines  *bufio.Reader
	stderr tail
}

// Open starts the program. Its first line must be a Reply without an error: then
// it is ready.
func Open(cmd *exec.Cmd) (*Remote, error) {
	r := &Remote{cmd: cmd}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr, cmd.WaitDelay = &r.stderr, 5*time.Second // grandchildren may keep it open
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	r.in, r.orders, r.lines = in, json.NewEncoder(in), bufio.NewReader(out)
	if _, err := r.read("to begin"); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// Do sends an order and waits for its reply.
func (r *Remote) Do(o Order) (Reply, error) {
	if err := r.orders.Encode(o); err != nil {
		return Reply{}, err
	}
	return r.read(o.Do)
}

func (r *Remote) read(what string) (reply Reply, err error) {
	line, err := r.lines.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &reply)
	}
	if err == nil && reply.Error != "" {
		err = errors.New(reply.Error)
	}
	if err != nil {
		err = fmt.Errorf("%s: %s: %w", filepath.Base(r.cmd.Path), what, err)
	}
	return reply, err
}

// PID is the other program.
func (r *Remote) PID() int { return r.cmd.Process.Pid }

// Close ends the program by the end of its input, and waits for it. Its error
// has the last lines of its standard error.
func (r *Remote) Close() error {
	r.in.Close()
	io.Copy(io.Discard, r.lines) // Wait must not close what is still read
	if err := r.cmd.Wait(); err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(r.cmd.Path), err, r.stderr.text())
	}
	return nil
}

// tail keeps the end of what is written to it.
type tail []byte

func (t *tail) Write(b []byte) (int, error) {
	const most = 400
	*t = append(*t, b...)
	if len(*t) > most {
		*t = append((*t)[:0], (*t)[len(*t)-most:]...)
	}
	return len(b), nil
}

func (t tail) text() string { return strings.Join(strings.Fields(string(t)), " ") }

// Serve is the other side: it obeys the orders of standard input until its end.
// s is nil if err says why there is no session.
func Serve(s Session, err error) error {
	replies := json.NewEncoder(os.Stdout)
	if err != nil {
		return replies.Encode(Reply{Error: err.Error()})
	}
	if err := replies.Encode(Reply{}); err != nil {
		return err
	}
	orders := json.NewDecoder(os.Stdin)
	for {
		var o Order
		switch err := orders.Decode(&o); err {
		case nil:
		case io.EOF:
			return s.Close()
		default:
			return err
		}
		reply, err := s.Do(o)
		if err != nil {
			reply = Reply{Error: err.Error()}
		}
		if err := replies.Encode(reply); err != nil {
			return err
		}
	}
}
