package process_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// sockets lists the descriptors of this process that lead to its parent. A task
// in a worker can find them; C code with a wild pointer does without looking.
func sockets() (fds []int) {
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		var fd int
		target, err := os.Readlink("/proc/self/fd/" + e.Name())
		if _, bad := fmt.Sscan(e.Name(), &fd); err == nil && bad == nil && strings.HasPrefix(target, "socket:") {
			fds = append(fds, fd)
		}
	}
	return fds
}

// frame forges a header: version, kind, descriptors, sequence, length.
func frame(kind byte, handles uint16, seq uint32, length uint64, body string) []byte {
	b := []byte{1, kind}
	b = binary.LittleEndian.AppendUint16(b, handles)
	b = binary.LittleEndian.AppendUint32(b, seq)
	b = binary.LittleEndian.AppendUint64(b, length)
	return append(b, body...)
}

const resultKind = 7

// attacks are what a hostile worker does to its parent.
var attacks = map[string]func(fd int){
	"garbage":          func(fd int) { syscall.Write(fd, []byte("garbage, and enough of it to be read as a header")) },
	"another version":  func(fd int) { syscall.Write(fd, append([]byte{9}, frame(resultKind, 0, 1, 0, "")[1:]...)) },
	"an unknown kind":  func(fd int) { syscall.Write(fd, frame(200, 0, 1, 0, "")) },
	"no outcome":       func(fd int) { syscall.Write(fd, frame(resultKind, 0, 1, 3, "\x01\xff\xff")) },
	"another call":     func(fd int) { syscall.Write(fd, frame(resultKind, 0, 77, 1, "\x01")) },
	"two answers":      func(fd int) { syscall.Write(fd, append(frame(resultKind, 0, 1, 1, "\x02"), "more"...)) },
	"absurd length":    func(fd int) { syscall.Write(fd, frame(resultKind, 0, 1, 1<<63, "")) },
	"descriptors":      func(fd int) { send(fd, frame(resultKind, 0, 1, 1, "\x01"), 3) },
	"fewer than said":  func(fd int) { send(fd, frame(resultKind, 9, 1, 1, "\x01"), 3) },
	"too many of them": func(fd int) { send(fd, frame(resultKind, 200, 1, 1, "\x01"), 200) },
	"half a header": func(fd int) {
		syscall.Write(fd, frame(resultKind, 0, 1, 0, "")[:7])
		syscall.Shutdown(fd, syscall.SHUT_WR)
	},
	"end of file":       func(fd int) { syscall.Shutdown(fd, syscall.SHUT_RDWR) },
	"a closed socket":   func(fd int) { syscall.Close(fd) },
	"a flood of frames": func(fd int) { syscall.Write(fd, []byte(strings.Repeat(string(frame(2, 0, 0, 0, "")), 1000))) },
}

func send(fd int, bytes []byte, descriptors int) {
	list := make([]int, descriptors)
	for i := range list {
		list[i] = fd
	}
	syscall.Sendmsg(fd, bytes, syscall.UnixRights(list...), nil, 0)
}

var hostile = tandem.NewTask("hostile", func(_ context.Context, attack string) (int, error) {
	for _, fd := range sockets() {
		attacks[attack](fd)
	}
	return 1, nil
})

// TestHostileWorker: its own call fails, or has the value that it would have had;
// the others' do not; nothing settles twice, nothing hangs, nothing stays.
func TestHostileWorker(t *testing.T) {
	for attack := range attacks {
		t.Run(attack, func(t *testing.T) {
			leaveNothing(t)
			pool := &process.Pool{Workers: 2, Transport: process.Sockets, Limits: tandem.Limits{Grace: 100 * time.Millisecond}, Config: process.Config{Stderr: io.Discard}}
			defer pool.Close() // its error is the worker's; the test is about the calls
			var calls []*tandem.Future[int]
			var others []*tandem.Future[int]
			for i := range 40 {
				if i%10 == 5 {
					calls = append(calls, hostile.On(pool).Go(t.Context(), attack))
				}
				others = append(others, double.On(pool).Go(t.Context(), i))
			}
			for _, c := range calls {
				v, err := c.Wait(t.Context())
				if again, err2 := c.Wait(t.Context()); v != again || err != err2 || err != nil && v != 0 {
					t.Errorf("%v, %v, then %v, %v", v, err, again, err2)
				}
				var crash *tandem.CrashError
				if err == nil && v != 1 || err != nil && !errors.As(err, &crash) && !errors.Is(err, tandem.ErrMalformed) {
					t.Errorf("the hostile call: %v, %v", v, err)
				}
			}
			if s := pool.Stats(); s.Started < 3 {
				t.Errorf("no worker was lost, so nothing was attacked: %+v", s)
			}
			for i, f := range others {
				if v, err := f.Wait(t.Context()); v != 2*i || err != nil {
					t.Errorf("another's call %d: %v, %v", i, v, err)
				}
			}
		})
	}
}

// TestHostileLog: the channel of the log is attacked too, and nobody else notices.
func TestHostileLog(t *testing.T) {
	for attack := range attacks {
		t.Run(attack, func(t *testing.T) {
			leaveNothing(t)
			pool := &process.Pool{Workers: 1, Limits: tandem.Limits{Grace: 100 * time.Millisecond}, Config: process.Config{Logger: slog.New(new(counting))}}
			defer pool.Close() // its error is the worker's
			hostile.On(pool).Call(t.Context(), attack)
			// The next call may still meet the worker that is about to be lost.
			eventually(t, "another call has its value", func() bool {
				v, err := double.On(pool).Call(t.Context(), 2)
				return v == 4 && err == nil
			})
			eventually(t, "the worker was lost", func() bool { return pool.Stats().Ended >= 1 || attack == "a closed socket" })
		})
	}
}

// stalling announces a result of a terabyte and then says nothing more.
var stalling = tandem.NewTask("stalling", func(context.Context, int) (int, error) {
	for _, fd := range sockets() {
		syscall.Write(fd, frame(resultKind, 0, 1, 1<<40, "a little"))
	}
	select {}
})

func TestStallingWorker(t *testing.T) {
	leaveNothing(t)
	pool := &process.Pool{Workers: 1, Transport: process.Sockets, Config: process.Config{Stderr: io.Discard}, Limits: tandem.Limits{Grace: 50 * time.Millisecond}}
	defer pool.Close()
	var crash *tandem.CrashError
	_, err := stalling.On(pool).Limit(tandem.Limits{Output: 1 << 20}).Call(t.Context(), 0)
	if !errors.As(err, &crash) || !strings.Contains(crash.Reason, "protocol violation") {
		t.Errorf("with a limit on results: %v, want a *CrashError for a broken rule", err)
	}
	_, err = stalling.On(pool).Limit(tandem.Limits{Time: 100 * time.Millisecond}).Call(t.Context(), 0)
	if !errors.Is(err, tandem.ErrTimeout) && !errors.As(err, &crash) {
		t.Errorf("with a limit on time: %v, want ErrTimeout, or a *CrashError for the channel", err)
	}
	if v, err := double.On(pool).Call(t.Context(), 3); v != 6 || err != nil {
		t.Errorf("the next call: %v, %v", v, err)
	}
}

// forging wipes the marks of what its worker has begun, and dies.
var forging = tandem.NewTask("forging", func(_ context.Context, file string) (int, error) {
	if err := remark(file, "ran"); err != nil {
		return 0, err
	}
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		path := "/proc/self/fd/" + e.Name()
		if target, _ := os.Readlink(path); strings.HasPrefix(target, "/memfd:tandem-page") {
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				return 0, err
			}
			f.WriteAt(make([]byte, 4096), 0)
		}
	}
	os.Exit(1)
	return 0, nil
})

// TestForgedMarks: a worker that says it has not begun what it ran can make a task
// run again, but not for ever, and it settles once.
func TestForgedMarks(t *testing.T) {
	leaveNothing(t)
	pool := &process.Pool{Workers: 1, Transport: process.Sockets, Config: process.Config{Stderr: io.Discard}}
	closing(t, pool)
	file := t.TempDir() + "/runs"
	_, err := forging.On(pool).Call(t.Context(), file)
	var crash *tandem.CrashError
	if n := remarks(t, file); !errors.As(err, &crash) || n < 2 || n > 11 {
		t.Errorf("got %v after %d runs; want a *CrashError after 2 to 11", err, n)
	}
}
