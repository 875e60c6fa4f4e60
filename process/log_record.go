package process

import (
	"bytes"
	"encoding"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"reflect"
	"runtime"
	"strings"
	"time"

	"github.com/tandem-go/tandem/internal/wire"
)

// A record of log/slog on its way from a worker: fields of package wire, then the
// attributes. An attribute is its key and its value, a byte for the kind before it;
// the value of a group is its attributes.

const (
	longestRecord = 64 << 10 // bytes of its attributes and message; what comes behind is left out
	longestText   = 16 << 10 // bytes of one string
	deepest       = 32       // groups in groups

	// longestFrame is what the parent reads at most: the rest is a task's name, and what
	// was begun within the bounds.
	longestFrame = longestRecord + 2*longestText + 4<<10
)

// Kinds of values.
const (
	isBool = iota
	isInt
	isUint
	isFloat
	isDuration
	isTime
	isString
	isError
	isBytes
	isGroup
)

// anchor is a place in the program's code, from which both sides count: the parent and
// its workers are one program, which the system may load at different addresses.
var anchor = reflect.ValueOf(newSink).Pointer()

// appendRecord appends r to dst, logged by a task of that name with these attributes.
func appendRecord(dst []byte, r *slog.Record, task string, attrs []slog.Attr) []byte {
	most := len(dst) + longestRecord
	pc := uint64(0)
	if r.PC != 0 {
		pc = uint64(r.PC - anchor)
	}
	dst = wire.AppendUint64(wire.AppendUint64(dst, uint64(r.Level)), pc)
	dst = wire.AppendBytes(wire.AppendBytes(dst, timeBytes(r.Time)), bounded(task))
	dst = wire.AppendBytes(dst, bounded(r.Message))
	dst, whole := appendAttrs(dst, attrs, most, 0)
	if !whole {
		dst, _ = appendAttrs(dst, []slog.Attr{slog.Bool("!TRUNCATED", true)}, math.MaxInt, 0)
	}
	return dst
}

// appendAttrs appends attributes while dst is shorter than most. It reports whether
// there was room for all.
func appendAttrs(dst []byte, attrs []slog.Attr, most, depth int) (out []byte, whole bool) {
	whole = true
	for _, a := range attrs {
		if a.Equal(slog.Attr{}) {
			continue
		}
		if len(dst) >= most {
			return dst, false
		}
		dst = wire.AppendBytes(dst, bounded(a.Key))
		at := len(dst)
		dst = wire.AppendUint64(dst, 0)
		var all bool
		dst, all = appendValue(dst, a.Value.Resolve(), most, depth)
		whole = whole && all
		binary.LittleEndian.PutUint64(dst[at:], uint64(len(dst)-at-8))
	}
	return dst, whole
}

func appendValue(dst []byte, v slog.Value, most, depth int) (out []byte, whole bool) {
	number := func(kind byte, n uint64) ([]byte, bool) { return wire.AppendUint64(append(dst, kind), n), true }
	text := func(kind byte, s string) ([]byte, bool) { return append(append(dst, kind), bounded(s)...), true }
	switch v.Kind() {
	case slog.KindBool:
		if v.Bool() {
			return number(isBool, 1)
		}
		return number(isBool, 0)
	case slog.KindInt64:
		return number(isInt, uint64(v.Int64()))
	case slog.KindUint64:
		return number(isUint, v.Uint64())
	case slog.KindFloat64:
		return number(isFloat, math.Float64bits(v.Float64()))
	case slog.KindDuration:
		return number(isDuration, uint64(v.Duration()))
	case slog.KindTime:
		return append(append(dst, isTime), timeBytes(v.Time())...), true
	case slog.KindString:
		return text(isString, v.String())
	case slog.KindGroup:
		if depth == deepest {
			return text(isString, v.String())
		}
		return appendAttrs(append(dst, isGroup), v.Group(), most, depth+1)
	}
	switch a := v.Any().(type) {
	case error:
		return text(isError, fmt.Sprintf("%+v", a))
	case []byte:
		return append(append(dst, isBytes), a[:min(len(a), longestText)]...), true
	default:
		return text(isString, textOf(a))
	}
}

// textOf is what slog.TextHandler makes of a value of any type.
func textOf(v any) (text string) {
	defer func() {
		if p := recover(); p != nil {
			text = fmt.Sprintf("!PANIC: %v", p)
		}
	}()
	m, ok := v.(encoding.TextMarshaler)
	if !ok {
		return fmt.Sprintf("%+v", v)
	}
	b, err := m.MarshalText()
	if err != nil {
		return "!ERROR: " + err.Error()
	}
	return string(b)
}

// bounded is s, or its beginning if it is too long.
func bounded(s string) string {
	if len(s) <= longestText {
		return s
	}
	return strings.ToValidUTF8(s[:longestText], "") + "…"
}

// timeBytes is t with its offset, empty for the zero time.
func timeBytes(t time.Time) []byte {
	if t.IsZero() {
		return nil
	}
	b, err := t.MarshalBinary()
	if err != nil { // an offset that it cannot write
		b, _ = t.UTC().MarshalBinary()
	}
	return b
}

var errRecord = fmt.Errorf("%w: a log record that none is", wire.ErrProtocol)

// parseRecord is the inverse of appendRecord, and believes nothing.
func parseRecord(body []byte) (r slog.Record, task string, err error) {
	in := wire.NewReader(body)
	level, offset := slog.Level(int64(in.Uint64())), in.Uint64()
	at, err := parseTime(in.Bytes())
	task = string(in.Bytes())
	r = slog.NewRecord(at, level, string(in.Bytes()), codeAt(offset))
	if in.Err() != nil || err != nil {
		return r, "", errRecord
	}
	attrs, err := parseAttrs(in, 0)
	r.AddAttrs(attrs...)
	return r, task, err
}

// codeAt is the place in the program that a worker means, 0 if there is no code.
func codeAt(offset uint64) uintptr {
	if pc := anchor + uintptr(offset); offset != 0 && runtime.FuncForPC(pc) != nil {
		return pc
	}
	return 0
}

func parseTime(b []byte) (t time.Time, err error) {
	if len(b) > 0 {
		err = t.UnmarshalBinary(b)
	}
	return t, err
}

func parseAttrs(in *wire.Reader, depth int) (attrs []slog.Attr, err error) {
	for in.More() {
		key, value := string(in.Bytes()), in.Bytes()
		if in.Err() != nil || len(value) == 0 {
			return nil, errRecord
		}
		v, err := parseValue(value[0], value[1:], depth)
		if err != nil {
			return nil, err
		}
		attrs = append(attrs, slog.Attr{Key: key, Value: v})
	}
	return attrs, nil
}

func parseValue(kind byte, b []byte, depth int) (v slog.Value, err error) {
	number := uint64(0)
	if kind <= isDuration {
		if len(b) != 8 {
			return v, errRecord
		}
		number = binary.LittleEndian.Uint64(b)
	}
	switch kind {
	case isBool:
		return slog.BoolValue(number != 0), nil
	case isInt:
		return slog.Int64Value(int64(number)), nil
	case isUint:
		return slog.Uint64Value(number), nil
	case isFloat:
		return slog.Float64Value(math.Float64frombits(number)), nil
	case isDuration:
		return slog.DurationValue(time.Duration(number)), nil
	case isTime:
		t, err := parseTime(b)
		if err != nil {
			return v, errRecord
		}
		return slog.TimeValue(t), nil
	case isString:
		return slog.StringValue(string(b)), nil
	case isError:
		return slog.AnyValue(errors.New(string(b))), nil
	case isBytes:
		return slog.AnyValue(bytes.Clone(b)), nil
	case isGroup:
		if depth == deepest {
			return v, errRecord
		}
		attrs, err := parseAttrs(wire.NewReader(b), depth+1)
		return slog.GroupValue(attrs...), err
	}
	return v, errRecord
}
