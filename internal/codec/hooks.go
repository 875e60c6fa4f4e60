package codec

import (
	"errors"
	"fmt"
	"unsafe"
)

// The encoding of fields of type error. Package tandem sets both before any
// codec is used, and never again. DecodeError must not keep src, and its first
// result must not be nil where the second is. Both may panic: that is an error.
var (
	AppendError func(dst []byte, err error) ([]byte, error)
	DecodeError func(src []byte) (error, error)
)

var errNoHook = errors.New("nothing in this program encodes errors; import package tandem")

// errorCoder is a byte 0 for nil, or 1 and what the hook wrote, behind its length.
type errorCoder struct{}

func (errorCoder) append(dst []byte, p unsafe.Pointer, _ *Handles, _ int) (_ []byte, err error) {
	// SAFETY: p is a variable of type error, exactly.
	value := *(*error)(p)
	if value == nil {
		return append(dst, 0), nil
	}
	if AppendError == nil {
		return nil, errNoHook
	}
	defer guardError(&err)
	start := len(dst) + 1
	dst, err = AppendError(append(dst, 1, 0), value)
	if err == nil && len(dst) <= start {
		err = errors.New("it took away what was there before")
	}
	if err != nil {
		return nil, fmt.Errorf("encoding an error: %w", err)
	}
	return closeFrame(dst, start), nil
}

func (errorCoder) decode(src []byte, p unsafe.Pointer, _ *Handles, _ int) (_ []byte, err error) {
	set, src, err := takeFlag(src)
	if err != nil {
		return nil, err
	}
	var value error
	if set {
		var body []byte
		if body, src, err = takeFrame(src); err != nil {
			return nil, err
		}
		if DecodeError == nil {
			return nil, errNoHook
		}
		defer guardError(&err)
		if value, err = DecodeError(body); err != nil {
			return nil, fmt.Errorf("decoding an error: %w", err)
		}
	}
	// SAFETY: p is a variable of type error, exactly.
	*(*error)(p) = value
	return src, nil
}

func (errorCoder) measure(p unsafe.Pointer) (int, bool) {
	// SAFETY: p is a variable of type error, exactly.
	return 1, *(*error)(p) == nil
}

func guardError(err *error) {
	if v := recover(); v != nil {
		*err = fmt.Errorf("an error value: %w", panicked(v))
	}
}
