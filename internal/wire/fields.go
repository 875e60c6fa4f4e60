package wire

import (
	"encoding/binary"
	"errors"
	"time"
)

// The bodies of frames are fields one after the other: fixed 64-bit numbers and
// length-prefixed bytes.

// AppendUint64 appends a fixed-size number.
func AppendUint64(dst []byte, v uint64) []byte { return binary.LittleEndian.AppendUint64(dst, v) }

// AppendBytes appends b with its length.
func AppendBytes[B []byte | string](dst []byte, b B) []byte {
	return append(AppendUint64(dst, uint64(len(b))), b...)
}

// Reader takes fields from a body. The first failure sticks; everything after it
// is zero.
type Reader struct {
	src []byte
	err error
}

// NewReader reads from b, which it aliases.
func NewReader(b []byte) *Reader { return &Reader{src: b} }

var errShort = errors.New("body too short")

// Uint64 takes a number.
func (r *Reader) Uint64() uint64 {
	if len(r.src) < 8 {
		r.err, r.src = errors.Join(r.err, errShort), nil
		return 0
	}
	v := binary.LittleEndian.Uint64(r.src)
	r.src = r.src[8:]
	return v
}

// Bytes takes length-prefixed bytes; they alias the body.
func (r *Reader) Bytes() []byte {
	n := r.Uint64()
	if n > uint64(len(r.src)) {
		r.err, r.src = errors.Join(r.err, errShort), nil
		return nil
	}
	b := r.src[:n:n]
	r.src = r.src[n:]
	return b
}

// More reports whether anything is left.
func (r *Reader) More() bool { return len(r.src) > 0 }

// Rest is everything that is left.
func (r *Reader) Rest() []byte {
	b := r.src
	r.src = nil
	return b
}

// Err is the first failure.
func (r *Reader) Err() error { return r.err }

// CallInfo is the head of a Call frame's body; the encoded argument follows.
type CallInfo struct {
	Task   uint64 // which; the two processes are one program
	Schema uint64
	Memory int64         // limit for this call, 0: the worker's
	Output int64         // largest result in bytes, 0: any
	Left   time.Duration // until the context's deadline, 0: none
	Meta   map[string]string
}

// The head is short, so that with a small argument it fills one cache line of a
// ring: a byte that says what is there, then only that.
const (
	hasLeft = 1 << iota // comes first, see PutLeft
	hasMemory
	hasOutput
	hasMeta
)

// Append appends the head to dst.
func (c *CallInfo) Append(dst []byte) []byte {
	at := len(dst)
	dst = append(dst, 0)
	flags := byte(0)
	if c.Left > 0 {
		flags |= hasLeft
		dst = AppendUint64(dst, uint64(c.Left))
	}
	dst = AppendUint64(AppendUint64(dst, c.Task), c.Schema)
	if c.Memory > 0 {
		flags |= hasMemory
		dst = AppendUint64(dst, uint64(c.Memory))
	}
	if c.Output > 0 {
		flags |= hasOutput
		dst = AppendUint64(dst, uint64(c.Output))
	}
	if len(c.Meta) > 0 {
		flags |= hasMeta
		dst = AppendUint64(dst, uint64(len(c.Meta)))
		for k, v := range c.Meta {
			dst = AppendBytes(AppendBytes(dst, k), v)
		}
	}
	dst[at] = flags
	return dst
}

// PutLeft overwrites Left in what Append has appended, for a call that waited after
// it was encoded. Where there was none it does nothing.
func PutLeft(head []byte, left time.Duration) {
	if head[0]&hasLeft != 0 {
		binary.LittleEndian.PutUint64(head[1:], uint64(left))
	}
}

// ParseCall takes the head from a Call frame's body and returns the argument.
func ParseCall(body []byte) (c CallInfo, input []byte, err error) {
	if len(body) == 0 {
		return c, nil, errShort
	}
	flags := body[0]
	r := Reader{src: body[1:]}
	if flags&hasLeft != 0 {
		c.Left = time.Duration(r.Uint64())
	}
	c.Task, c.Schema = r.Uint64(), r.Uint64()
	if flags&hasMemory != 0 {
		c.Memory = int64(r.Uint64())
	}
	if flags&hasOutput != 0 {
		c.Output = int64(r.Uint64())
	}
	if flags&hasMeta != 0 {
		n := r.Uint64()
		c.Meta = make(map[string]string)
		for i := uint64(0); i < n && r.err == nil; i++ {
			k := string(r.Bytes())
			c.Meta[k] = string(r.Bytes())
		}
	}
	return c, r.Rest(), r.err
}
