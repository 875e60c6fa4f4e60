package tandem

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/tandem-go/tandem/internal/wire"
)

// far is err after a journey.
func far(t *testing.T, err error) error {
	t.Helper()
	b := appendError(nil, err)
	if len(b) > maxErrorBytes || len(b) > wire.MaxFailure {
		t.Fatalf("an error of %d bytes, the bound is %d", len(b), maxErrorBytes)
	}
	back, bad := decodeError(b)
	if bad != nil {
		t.Fatalf("%.100q does not survive: %v", err, bad)
	}
	return back
}

type valueError struct{ N int }

func (e valueError) Error() string { return fmt.Sprint("value ", e.N) }

// fileError cannot travel: it holds a descriptor.
type fileError struct{ File *os.File }

func (e *fileError) Error() string { return "with a file" }

// rude panics whenever it is asked.
type rude struct{}

func (rude) Error() string   { panic("no text") }
func (rude) Unwrap() error   { panic("no cause") }
func (rude) Timeout() bool   { panic("no idea") }
func (rude) Is(_ error) bool { return false }

// slices cannot be compared, so it is never looked up as a sentinel.
type sliceError []error

func (e sliceError) Error() string   { return "slice" }
func (e sliceError) Unwrap() []error { return e }

type boxed struct{ any }

func (boxed) Error() string { return "boxed" }

var errOwn = errors.New("own")

var _ = func() bool {
	RegisterError("errwire_test.errOwn", errOwn)
	RegisterErrorType[valueError]()
	RegisterErrorType[*fileError]()
	return true
}()

func TestErrorsSurvive(t *testing.T) {
	both := errors.Join(errOwn, fs.ErrNotExist)
	for name, err := range map[string]error{
		"sentinel":  errOwn,
		"own":       ErrTimeout,
		"wrapped":   fmt.Errorf("a: %w", fmt.Errorf("b: %w", io.EOF)),
		"two":       fmt.Errorf("%w and %w", errOwn, os.ErrDeadlineExceeded),
		"joined":    both,
		"by value":  valueError{5},
		"errno":     syscall.ENOSPC,
		"path":      &fs.PathError{Op: "open", Path: "x", Err: syscall.ENOENT},
		"link":      &os.LinkError{Op: "link", Old: "a", New: "b", Err: syscall.EXDEV},
		"syscall":   os.NewSyscallError("read", syscall.EIO),
		"panic":     &PanicError{Value: "v", Err: both, Stack: []byte("s")},
		"crash":     &CrashError{Task: "t", PID: 1, Signal: "killed", ExitCode: -1, Stderr: []string{"a"}, Err: ErrMemory, Collateral: true},
		"plain":     errors.New("plain"),
		"empty":     errors.New(""),
		"cause":     context.Cause(ended()),
		"comparing": boxed{[]int{1}}, // comparable by type, not by value
	} {
		back := far(t, err)
		if back.Error() != err.Error() {
			t.Errorf("%s: the text was %q and is %q", name, err, back)
		}
		for _, is := range []error{errOwn, io.EOF, fs.ErrNotExist, os.ErrDeadlineExceeded, ErrMemory, ErrTimeout, syscall.ENOSPC, syscall.EXDEV, context.Canceled, valueError{5}} {
			if errors.Is(err, is) != errors.Is(back, is) {
				t.Errorf("%s: errors.Is(%v) was %v and is %v", name, is, errors.Is(err, is), errors.Is(back, is))
			}
		}
		if again := far(t, back); again.Error() != err.Error() || errors.Is(again, errOwn) != errors.Is(err, errOwn) {
			t.Errorf("%s: the second journey made %q of it", name, again)
		}
	}
	if far(t, errOwn) != errOwn || far(t, valueError{5}) != error(valueError{5}) {
		t.Error("what is registered must come back as itself")
	}
	var crash *CrashError
	if !errors.As(far(t, fmt.Errorf("x: %w", &CrashError{PID: 12, Stderr: []string{"l"}})), &crash) || crash.PID != 12 || len(crash.Stderr) != 1 {
		t.Errorf("a wrapped *CrashError came back as %+v", crash)
	}
}

func ended() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(fmt.Errorf("because: %w", context.Canceled))
	return ctx
}

func TestOddErrorsSurvive(t *testing.T) {
	if got := far(t, rude{}).Error(); got != "" {
		t.Errorf("an error whose methods panic came back as %q", got)
	}
	if got := far(t, &fileError{os.Stdout}); got.Error() != "with a file" {
		t.Errorf("an error with a descriptor came back as %q", got)
	}
	if got := far(t, sliceError{errOwn, nil, io.EOF}); !errors.Is(got, errOwn) || !errors.Is(got, io.EOF) {
		t.Errorf("a slice of errors came back as %v", got)
	}
	if got := far(t, (*CrashError)(nil)); got == nil {
		t.Error("a typed nil became nil")
	}
	deep := errOwn
	for range 10_000 {
		deep = fmt.Errorf("%w", deep)
	}
	if got := far(t, deep); got.Error() != "own" {
		t.Errorf("10,000 wrappings came back as %.40q", got)
	}
	var wide []error
	for i := range 5000 {
		wide = append(wide, fmt.Errorf("%d: %s %w", i, strings.Repeat("x", 1000), errOwn))
	}
	if got := far(t, errors.Join(wide...)); !errors.Is(got, errOwn) || !strings.HasPrefix(got.Error(), "0: x") {
		t.Error("5,000 joined errors lost the first of them")
	}
	nested := error(&PanicError{Value: strings.Repeat("v", 4000), Err: errOwn})
	for range 300 {
		nested = &ItemError{1, &PanicError{Value: strings.Repeat("v", 4000), Err: nested}}
	}
	if got := far(t, nested); !strings.HasPrefix(got.Error(), "input 1: ") {
		t.Errorf("deeply nested types came back as %.40q", got)
	}
}

// TestHostileErrors: what a worker may write to make its parent suffer.
func TestHostileErrors(t *testing.T) {
	text := func(s string) string { return string(appendText(nil, s)) }
	many := string([]byte{nodeOpaque}) + text("t") + "\x01" + string(binary.AppendUvarint(nil, 1<<40))
	for name, src := range map[string]string{
		"nothing":           "",
		"nil":               "\x00",
		"unknown kind":      "\x09",
		"unknown sentinel":  "\x01" + text("no such sentinel"),
		"unknown type":      "\x02" + text("no.Such") + text(""),
		"a type cut short":  "\x02" + text("*io/fs.PathError") + text("\x05ab"),
		"a nil pointer":     "\x02" + text("*io/fs.PathError") + text("\x00"),
		"an errno too long": "\x02" + text("syscall.Errno") + text("123456789"),
		"a long text":       "\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
		"children":          many,
		"children, present": string([]byte{nodeOpaque}) + text("t") + "\x01" + string(binary.AppendUvarint(nil, 2000)) + strings.Repeat("\x00", 2000),
		"too much":          "\x01" + text("io.EOF") + "x",
		"too big":           "\x03" + text(strings.Repeat("x", maxErrorBytes)) + "\x00\x00",
		"depth":             strings.Repeat("\x03\x00\x00\x01", 5000) + "\x00",
	} {
		if err, bad := decodeError([]byte(src)); bad == nil {
			t.Errorf("%s: accepted as %v", name, err)
		}
	}
	// Types nested in fields of types, as deep as the bound on bytes allows: the
	// recursion must end before the stack does.
	src := nestedItems(1 << 20)
	if err, bad := decodeError(src); bad != nil || !strings.HasPrefix(err.Error(), "input 0: input 0: ") {
		t.Errorf("%d bytes of nested types: %.60v, %v", len(src), err, bad)
	}
	src = append(src, make([]byte, maxErrorBytes)...)
	if _, bad := decodeError(src); bad == nil {
		t.Error("more bytes than any error has were accepted")
	}
}

// nestedItems writes up to n ItemErrors one in the other, as many as are allowed.
func nestedItems(n int) []byte {
	e := ItemError{0, nil}
	probe, _ := errorTypeOf(&e).append(&e) // pointer flag, index, error flag
	head := probe[:len(probe)-1]
	name := appendText([]byte{nodeTyped}, "*github.com/tandem-go/tandem.ItemError")
	inner := appendError(nil, errOwn)
	var heads [][]byte // from the inside out
	size := len(inner)
	for range n {
		inside := binary.AppendUvarint(append(bytes.Clone(head), 1), uint64(size)) // of the body, before the error
		this := append(binary.AppendUvarint(bytes.Clone(name), uint64(len(inside)+size)), inside...)
		if size += len(this); size > maxErrorBytes {
			break
		}
		heads = append(heads, this)
	}
	slices.Reverse(heads)
	return append(bytes.Join(heads, nil), inner...)
}

func FuzzDecodeError(f *testing.F) {
	f.Add([]byte{})
	f.Add(nestedItems(20))
	for _, err := range []error{errOwn, errors.Join(errOwn, io.EOF), &CrashError{Err: ErrMemory}, valueError{1}, syscall.EIO} {
		f.Add(appendError(nil, fmt.Errorf("x: %w", err)))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		err, bad := decodeError(src)
		if (err == nil) == (bad == nil) {
			t.Fatalf("got %v and %v: one of them, always", err, bad)
		}
		if err != nil {
			_ = err.Error()
			errors.Is(err, errOwn)
			far(t, err) // what came in goes out again
		}
	})
}
