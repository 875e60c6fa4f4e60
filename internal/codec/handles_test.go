package codec_test

import (
	"errors"
	"io"
	"os"
	"testing"

	"github.com/tandem-go/tandem/internal/codec"
)

// shared is a type that travels as a descriptor and some bytes.
type shared struct {
	file *os.File
	word string
}

func (s *shared) AppendHandles(dst []byte, h *codec.Handles) ([]byte, error) {
	i, err := h.Add(s.file)
	return append(append(dst, byte(i)), s.word...), err
}

func (s *shared) SetHandles(src []byte, h *codec.Handles) (err error) {
	if len(src) < 1 {
		return errors.New("no index")
	}
	s.file, err = h.Take(int(src[0]))
	s.word = string(src[1:])
	return err
}

type files struct {
	A, B, None *os.File
	S          []*shared
	End        bool
}

func TestFiles(t *testing.T) {
	c, in, src, h := must[files](t), files{A: temp(t, "a"), B: temp(t, "b"), End: true}, []byte(nil), codec.Handles{}
	in.S = []*shared{{temp(t, "s"), "word"}, nil}
	src, err := c.Append(nil, &in, &h)
	if err != nil || h.Len() != 3 || len(h.Files()) != 3 {
		t.Fatalf("Append: %v, %d handles, want 3", err, h.Len())
	}
	far := deliver(t, &h)
	var out files
	if err := c.Decode(src, &out, far); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(h.Close(), far.Close()); err != nil {
		t.Error(err)
	}
	if got := read(t, out.A) + read(t, out.B) + read(t, out.S[0].file); got != "abs" {
		t.Errorf("the files read %q, want abs", got)
	}
	if out.None != nil || out.S[1] != nil || out.S[0].word != "word" || out.A == in.A {
		t.Errorf("got %+v", out)
	}
	in.A.Close() // still its owner's
}

// When decoding fails behind the descriptors, nobody would close those taken.
func TestFilesOfFailedDecoding(t *testing.T) {
	c, in, h := must[files](t), files{A: temp(t, "a"), S: []*shared{{temp(t, "s"), ""}}, End: true}, new(codec.Handles)
	src, err := c.Append(nil, &in, h)
	if err != nil {
		t.Fatal(err)
	}
	src[len(src)-1] = 7 // no bool
	far, out := deliver(t, h), files{}
	before := far.Files()
	if err := c.Decode(src, &out, far); err == nil {
		t.Fatal("a bool of 7 is decoded")
	}
	if out.A != nil || out.S != nil {
		t.Errorf("half a value is left: %+v", out)
	}
	for i, f := range before {
		if err := f.Close(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("file %d is open after the failure: Close: %v", i, err)
		}
	}
}

func TestFilesWithoutAWay(t *testing.T) {
	c, in := must[files](t), files{A: temp(t, "a")}
	if _, err := c.Append(nil, &in, nil); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Append without handles: %v, want errors.ErrUnsupported", err)
	}
	if _, err := must[shared](t).Append(nil, &shared{file: in.A}, nil); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("AppendHandles without handles: %v, want errors.ErrUnsupported", err)
	}
	src, err := c.Append(nil, new(files), nil)
	if err != nil || c.Decode(src, new(files), nil) != nil {
		t.Errorf("nil files need no way: %v", err)
	}
	src[0] = 1
	if err := c.Decode(src, new(files), nil); err == nil {
		t.Error("a descriptor that was not sent is decoded")
	}
}

func TestHandlesBounds(t *testing.T) {
	var h codec.Handles
	f := temp(t, "x")
	for range codec.MaxHandles {
		if _, err := h.Add(f); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.Add(f); err == nil {
		t.Error("one more than MaxHandles is taken")
	}
	if _, err := h.Take(0); err == nil {
		t.Error("a descriptor that is only lent can be taken")
	}
	if _, err := new(codec.Handles).Add(nil); err == nil {
		t.Error("a nil file is taken")
	}
	far, extra := deliver(t, &h), temp(t, "y")
	if err := far.Receive(extra); err == nil || !errors.Is(extra.Close(), os.ErrClosed) {
		t.Errorf("one more than MaxHandles: %v, and the file is open", err)
	}
	for _, i := range []int{-1, 64, 1 << 30} {
		if _, err := far.Take(i); err == nil {
			t.Errorf("Take(%d) gives something", i)
		}
	}
	got, err := far.Take(63)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := far.Take(63); err == nil {
		t.Error("a descriptor can be taken twice")
	}
	rest := append([]*os.File(nil), far.Files()[:63]...)
	if err := far.Close(); err != nil || far.Len() != 0 {
		t.Errorf("Close: %v, %d left", err, far.Len())
	}
	for _, f := range rest {
		if !errors.Is(f.Close(), os.ErrClosed) {
			t.Fatal("what was not taken is open after Close")
		}
	}
	if err := got.Close(); err != nil {
		t.Errorf("Close closed what was taken: %v", err)
	}
	if _, err := far.Add(f); err != nil || far.Len() != 1 {
		t.Errorf("after Close the list is not ready again: %v", err)
	}
}

// deliver is a transport: the far side gets descriptors of its own.
func deliver(t *testing.T, h *codec.Handles) *codec.Handles {
	t.Helper()
	far := new(codec.Handles)
	for _, f := range h.Files() {
		again, err := os.Open(f.Name())
		if err == nil {
			err = far.Receive(again)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { far.Close() })
	return far
}

func temp(t *testing.T, content string) *os.File {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "")
	if err == nil {
		_, err = f.WriteString(content)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func read(t *testing.T, f *os.File) string {
	t.Helper()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	return string(b)
}
