package tandem

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"sync"
	"syscall"
)

// RegisterError gives a sentinel error a name under which it keeps its identity
// across processes: errors.Is finds it in what a worker returned. Call it from a
// package-level variable or an init function; it panics on a name or a sentinel
// used twice, and after Init.
func RegisterError(name string, sentinel error) {
	if sentinel == nil || !reflect.TypeOf(sentinel).Comparable() {
		panic(fmt.Sprintf("tandem: RegisterError(%q): a sentinel must be a comparable error that is not nil", name))
	}
	errorTable.Lock()
	defer errorTable.Unlock()
	mustBeBeforeInit("RegisterError", name)
	if errorTable.byName[name] != nil || errorTable.names[sentinel] != "" {
		panic(fmt.Sprintf("tandem: RegisterError(%q): the name or the error is registered already", name))
	}
	errorTable.byName[name] = sentinel
	errorTable.names[sentinel] = name
}

// RegisterErrorType makes errors of type E, a struct with an Error method or a
// pointer to one, keep their type and fields across processes: errors.As finds
// them. E must be able to travel like a task's result; fields of type error may
// hold anything. Call it like RegisterError.
func RegisterErrorType[E error]() {
	t := reflect.TypeFor[E]()
	name := typeName(t)
	if t.Kind() == reflect.Interface {
		panic(fmt.Sprintf("tandem: RegisterErrorType[%s]: an interface is no type of errors; name the type that implements it", t))
	}
	c := new(lazy[E])
	if !inWorker() && !ownErrors[t] {
		if err := c.compile(); err != nil {
			panic(fmt.Sprintf("tandem: RegisterErrorType[%s]: %v", t, err))
		}
	}
	addErrorType(&errorType{
		name: name, typ: t,
		append: func(err error) ([]byte, bool) {
			e := err.(E)
			if isNil(e) {
				return nil, false
			}
			b, bad := c.get().Append(nil, &e, nil) // no descriptors: what holds some goes as text
			return b, bad == nil
		},
		decode: func(b []byte) (error, error) {
			var e E
			if bad := c.get().Decode(b, &e, nil); bad != nil {
				return nil, bad
			}
			if isNil(e) {
				return nil, errors.New("nil pointer") // its Error method would be called by whoever prints it
			}
			return e, nil
		},
	})
}

func isNil(err error) bool {
	v := reflect.ValueOf(err)
	return v.Kind() == reflect.Pointer && v.IsNil()
}

// errorType is a registered type of errors without its type parameter.
type errorType struct {
	name   string
	typ    reflect.Type
	append func(error) ([]byte, bool)
	decode func([]byte) (error, error)
}

var errorTable = struct {
	sync.Mutex
	byName map[string]error
	names  map[error]string
	types  map[reflect.Type]*errorType
	typed  map[string]*errorType
}{
	byName: map[string]error{}, names: map[error]string{},
	types: map[reflect.Type]*errorType{}, typed: map[string]*errorType{},
}

func addErrorType(t *errorType) {
	errorTable.Lock()
	defer errorTable.Unlock()
	mustBeBeforeInit("RegisterErrorType", t.name)
	if errorTable.types[t.typ] != nil || errorTable.typed[t.name] != nil {
		panic(fmt.Sprintf("tandem: RegisterErrorType[%s]: the type, or another one called %s, is registered already", t.typ, t.name))
	}
	errorTable.types[t.typ], errorTable.typed[t.name] = t, t
}

// mustBeBeforeInit keeps the tables the same in parent and workers, and lets
// them be read without a lock afterwards.
func mustBeBeforeInit(what, name string) {
	registry.Lock()
	defer registry.Unlock()
	if registry.ready {
		panic(fmt.Sprintf("tandem: %s(%q) was called after Init; call it from a package-level variable or an init function", what, name))
	}
}

func typeName(t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		return "*" + typeName(t.Elem())
	}
	return t.PkgPath() + "." + t.Name()
}

func sentinelName(err error) (string, bool) {
	if !reflect.TypeOf(err).Comparable() {
		return "", false
	}
	// A comparable type may hold an interface whose value is not: hashing panics.
	name := safely(func() string { return errorTable.names[err] })
	return name, name != ""
}

func sentinelNamed(name string) error       { return errorTable.byName[name] }
func errorTypeOf(err error) *errorType      { return errorTable.types[reflect.TypeOf(err)] }
func errorTypeNamed(name string) *errorType { return errorTable.typed[name] }

// ownErrors are the types registered below. They are known to travel, a test says
// so, and no program need find out at its start.
var ownErrors = map[reflect.Type]bool{
	reflect.TypeFor[*fs.PathError](): true, reflect.TypeFor[*os.LinkError](): true, reflect.TypeFor[*os.SyscallError](): true,
	reflect.TypeFor[*PanicError](): true, reflect.TypeFor[*CrashError](): true, reflect.TypeFor[*ItemError](): true,
}

func init() {
	for name, err := range map[string]error{
		"tandem.ErrTimeout": ErrTimeout, "tandem.ErrCPU": ErrCPU, "tandem.ErrMemory": ErrMemory, "tandem.ErrTooLarge": ErrTooLarge,
		"tandem.ErrClosed": ErrClosed, "tandem.ErrQueueFull": ErrQueueFull, "tandem.ErrNotInit": ErrNotInit,
		"tandem.ErrMalformed": ErrMalformed, "tandem.ErrOOMKilled": ErrOOMKilled, "tandem.ErrPoison": ErrPoison, "tandem.ErrPoolBroken": ErrPoolBroken,
		"context.Canceled": context.Canceled, "context.DeadlineExceeded": context.DeadlineExceeded,
		"errors.ErrUnsupported": errors.ErrUnsupported,
		"io.EOF":                io.EOF, "io.ErrUnexpectedEOF": io.ErrUnexpectedEOF, "io.ErrClosedPipe": io.ErrClosedPipe,
		"io.ErrShortWrite": io.ErrShortWrite, "io.ErrShortBuffer": io.ErrShortBuffer, "io.ErrNoProgress": io.ErrNoProgress,
		"fs.ErrInvalid": fs.ErrInvalid, "fs.ErrPermission": fs.ErrPermission, "fs.ErrExist": fs.ErrExist,
		"fs.ErrNotExist": fs.ErrNotExist, "fs.ErrClosed": fs.ErrClosed,
		"os.ErrProcessDone": os.ErrProcessDone, "os.ErrDeadlineExceeded": os.ErrDeadlineExceeded, "os.ErrNoDeadline": os.ErrNoDeadline,
	} {
		RegisterError(name, err)
	}
	addErrorType(&errorType{ // a uintptr by its kind, which no codec takes; a number of the system by its meaning
		name: "syscall.Errno", typ: reflect.TypeFor[syscall.Errno](),
		append: func(err error) ([]byte, bool) {
			return binary.LittleEndian.AppendUint64(nil, uint64(err.(syscall.Errno))), true
		},
		decode: func(b []byte) (error, error) {
			if len(b) != 8 {
				return nil, errors.New("a number of another size")
			}
			return syscall.Errno(binary.LittleEndian.Uint64(b)), nil
		},
	})
	RegisterErrorType[*fs.PathError]()
	RegisterErrorType[*os.LinkError]()
	RegisterErrorType[*os.SyscallError]()
	RegisterErrorType[*PanicError]()
	RegisterErrorType[*CrashError]()
	RegisterErrorType[*ItemError]()
}
