package thread

import (
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"sync/atomic"
)

var unnamed atomic.Int64 // threads that got a default name so far

// defaultName is "Thread-N (function)". N counts the threads without a name.
func defaultName(f any) string {
	return fmt.Sprintf("Thread-%d (%s)", unnamed.Add(1), funcName(f))
}

// funcName is the name a programmer gave to a function: "run" for main.run and
// for (*Server).run. A function literal has none; it is called after the
// function it stands in: "main.func1".
func funcName(f any) string {
	v := reflect.ValueOf(f)
	if v.Kind() != reflect.Func || v.IsNil() {
		return "nil"
	}
	name := runtime.FuncForPC(v.Pointer()).Name()
	if i := strings.IndexByte(name, '['); i >= 0 { // type arguments may hold slashes and dots
		name = name[:i] + name[strings.LastIndexByte(name, ']')+1:]
	}
	name = name[strings.LastIndexByte(name, '/')+1:]
	if _, after, ok := strings.Cut(name, "."); ok { // the package
		name = after
	}
	name = strings.TrimSuffix(name, "-fm") // a method value
	parts := strings.Split(name, ".")
	for i, part := range parts {
		if i > 0 && strings.HasPrefix(part, "func") {
			return strings.Join(parts[i-1:], ".")
		}
	}
	return parts[len(parts)-1]
}
