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
	Name   string
	Schema uint64
	Memory int64         // limit for this call, 0: the worker's
	Output int64         // largest result in bytes, 0: any
	Left   time.Duration // until the context's deadline, 0: none
	Meta   map[string]string
}

// Append appends the head to dst.
func (c *CallInfo) Append(dst []byte) []byte {
	dst = AppendUint64(dst, uint64(c.Left))
	dst = AppendBytes(dst, c.Name)
	dst = AppendUint64(dst, c.Schema)
	dst = AppendUint64(dst, uint64(c.Memory))
	dst = AppendUint64(dst, uint64(c.Output))
	dst = AppendUint64(dst, uint64(len(c.Meta)))
	for k, v := range c.Meta {
		dst = AppendBytes(AppendBytes(dst, k), v)
	}
	return dst
}

// LeftSize is the length of Left, which comes first: it is the one part of the head
// that differs from call to call.
const LeftSize = 8

// Left takes Left from a body that ParseCall would accept.
func Left(body []byte) time.Duration { return time.Duration(binary.LittleEndian.Uint64(body)) }

// PutLeft overwrites Left, for a call that waited after it was encoded.
func PutLeft(body []byte, left time.Duration) { binary.LittleEndian.PutUint64(body, uint64(left)) }

// ParseCall takes the head from a Call frame's body and returns the argument.
func ParseCall(body []byte) (c CallInfo, input []byte, err error) {
	r := NewReader(body)
	c.Left = time.Duration(r.Uint64())
	c.Name = string(r.Bytes())
	c.Schema = r.Uint64()
	c.Memory = int64(r.Uint64())
	c.Output = int64(r.Uint64())
	n := r.Uint64()
	if n > 0 && r.err == nil {
		c.Meta = make(map[string]string)
		for range n {
			k := string(r.Bytes())
			c.Meta[k] = string(r.Bytes())
			if r.err != nil {
				break
			}
		}
	}
	return c, r.Rest(), r.err
}
