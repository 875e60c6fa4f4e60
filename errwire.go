package tandem

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/tandem-go/tandem/internal/codec"
	"github.com/tandem-go/tandem/internal/wire"
)

// An outcome is one byte and a body: the encoded value, or an error's tree.
//
//	tree  = nil | sentinel name | typed name body | opaque text flags n tree…
//
// What is registered comes back as itself, everything else as its text with the
// same children, so that errors.Is and errors.As see through it.
const (
	outcomeValue byte = 1
	outcomeError byte = 2

	nodeNil      byte = 0
	nodeSentinel byte = 1
	nodeTyped    byte = 2
	nodeOpaque   byte = 3

	flagMulti   byte = 1 // Unwrap() []error
	flagHasTime byte = 2 // has Timeout() bool
	flagTimeout byte = 4 // and it says true

	maxErrorDepth = 64
	maxErrorNodes = 1024
	maxErrorText  = 64 << 10

	// maxErrorBytes bounds the whole. It is also what ends the nesting of errors in
	// fields of errors, which a hostile worker would make as deep as it likes.
	maxErrorBytes = wire.MaxFailure - 64
)

func splitOutcome(src []byte) (kind byte, body []byte, err error) {
	if len(src) == 0 || src[0] != outcomeValue && src[0] != outcomeError {
		return 0, nil, errors.New("no outcome byte")
	}
	return src[0], src[1:], nil
}

// portable is err as it would come out of another process; only race builds
// pay for it.
func portable(err error) error {
	if !roundTrip {
		return err
	}
	far, bad := decodeError(appendError(nil, err))
	if bad != nil {
		return fmt.Errorf("tandem: an error does not survive its own encoding: %w", bad)
	}
	return far
}

// appendError appends err with all it wraps to dst.
func appendError(dst []byte, err error) []byte {
	w := errorWriter{left: maxErrorNodes - 1, end: len(dst) + maxErrorBytes}
	return w.append(dst, err, maxErrorDepth)
}

type errorWriter struct {
	left int // nodes that may still be announced
	end  int // of dst

	// plain: a type was too big, so what it wraps goes as text without being tried
	// again; each level would try all below it twice.
	plain bool
}

// room is how many bytes of text fit, beside the few that every node takes for
// itself.
func (w *errorWriter) room(dst []byte) int { return max(0, w.end-len(dst)-16*(maxErrorNodes+1)) }

func (w *errorWriter) append(dst []byte, err error, depth int) []byte {
	if err == nil || depth == 0 {
		return append(dst, nodeNil)
	}
	if name, ok := sentinelName(err); ok && len(name) <= w.room(dst) {
		return appendText(append(dst, nodeSentinel), name)
	}
	if t := errorTypeOf(err); t != nil && !w.plain {
		if body, ok := t.append(err); ok && len(t.name)+len(body) <= w.room(dst) {
			return appendText(appendText(append(dst, nodeTyped), t.name), string(body))
		}
		w.plain = true
	}
	var flags byte
	if t, ok := err.(interface{ Timeout() bool }); ok {
		flags |= flagHasTime
		if safely(t.Timeout) {
			flags |= flagTimeout
		}
	}
	var children []error
	switch u := err.(type) {
	case interface{ Unwrap() error }:
		if c := safely(u.Unwrap); c != nil {
			children = []error{c}
		}
	case interface{ Unwrap() []error }:
		flags |= flagMulti
		children = safely(u.Unwrap)
	}
	text := safely(err.Error)
	text = text[:min(len(text), maxErrorText, w.room(dst))]
	dst = append(appendText(append(dst, nodeOpaque), text), flags)
	children = children[:min(len(children), (w.left+1)/2)] // half is for what they wrap themselves
	w.left -= len(children)
	dst = binary.AppendUvarint(dst, uint64(len(children)))
	for _, c := range children {
		dst = w.append(dst, c, depth-1)
	}
	return dst
}

// safely calls a method of a user's error; one that panics counts as empty.
func safely[T any](f func() T) (v T) {
	defer func() { _ = recover() }()
	return f()
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// decodeError is the inverse of appendError. src comes from another process and
// is not trusted: the second result says that it is no error's encoding.
func decodeError(src []byte) (error, error) {
	if len(src) > maxErrorBytes {
		return nil, fmt.Errorf("encoded error: %d bytes, the limit is %d", len(src), maxErrorBytes)
	}
	r := errorReader{src: src, left: maxErrorNodes}
	err := r.node(maxErrorDepth + 1)
	if r.bad == nil && len(r.src) > 0 {
		r.fail("%d bytes too many", len(r.src))
	}
	if r.bad == nil && err == nil {
		r.fail("an error was announced, but there is none")
	}
	if r.bad != nil {
		return nil, r.bad
	}
	return err, nil
}

type errorReader struct {
	src  []byte
	left int
	bad  error
}

func (r *errorReader) fail(format string, args ...any) {
	if r.bad == nil {
		r.bad = fmt.Errorf("encoded error: "+format, args...)
	}
	r.src = nil
}

func (r *errorReader) byte() byte {
	if len(r.src) == 0 {
		r.fail("too short")
		return 0
	}
	b := r.src[0]
	r.src = r.src[1:]
	return b
}

func (r *errorReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.src)
	if n <= 0 {
		r.fail("bad number")
		return 0
	}
	r.src = r.src[n:]
	return v
}

func (r *errorReader) text() string { return string(r.bytes()) }

// bytes aliases src.
func (r *errorReader) bytes() []byte {
	n := r.uvarint()
	if n > uint64(len(r.src)) {
		r.fail("text of %d bytes in %d", n, len(r.src))
		return nil
	}
	b := r.src[:n:n]
	r.src = r.src[n:]
	return b
}

func (r *errorReader) node(depth int) error {
	r.left--
	if depth == 0 || r.left < 0 {
		r.fail("too deep or too many")
	}
	switch kind := r.byte(); kind {
	case nodeNil:
		return nil
	case nodeSentinel:
		name := r.text()
		if s := sentinelNamed(name); s != nil {
			return s
		}
		r.fail("no sentinel %q is registered", name)
	case nodeTyped:
		name, body := r.text(), r.bytes()
		t := errorTypeNamed(name)
		if t == nil {
			r.fail("no error type %q is registered", name)
			return nil
		}
		err, bad := t.decode(body)
		if bad != nil {
			r.fail("%s: %v", name, bad)
		}
		return err
	case nodeOpaque:
		return r.opaque(depth)
	default:
		r.fail("kind %d", kind)
	}
	return nil
}

func (r *errorReader) opaque(depth int) error {
	text, flags, n := r.text(), r.byte(), r.uvarint()
	if n > uint64(min(len(r.src), maxErrorNodes)) {
		r.fail("%d children in %d bytes", n, len(r.src))
		return nil
	}
	var children []error
	for range n {
		if c := r.node(depth - 1); c != nil {
			children = append(children, c)
		}
	}
	var err error
	switch {
	case flags&flagMulti != 0:
		err = &farErrors{text, children}
	case len(children) > 0:
		err = &farError{text, children[0]}
	default:
		err = &farError{text, nil}
	}
	if flags&flagHasTime != 0 {
		err = &farTimeout{err, flags&flagTimeout != 0}
	}
	return err
}

// farError is an error of an unregistered type after its journey: its text, and
// what it wrapped.
type farError struct {
	text string
	err  error
}

func (e *farError) Error() string { return e.text }
func (e *farError) Unwrap() error { return e.err }

type farErrors struct {
	text string
	errs []error
}

func (e *farErrors) Error() string   { return e.text }
func (e *farErrors) Unwrap() []error { return e.errs }

// farTimeout keeps what net.Error and os.IsTimeout ask for.
type farTimeout struct {
	error
	timeout bool
}

func (e *farTimeout) Unwrap() error { return e.error }
func (e *farTimeout) Timeout() bool { return e.timeout }

func init() {
	// Fields of type error in arguments and results travel the same way.
	codec.AppendError = func(dst []byte, err error) ([]byte, error) { return appendError(dst, err), nil }
	codec.DecodeError = decodeError
}
