package codec

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
)

// refuse says why a value of type t cannot travel by its kind, or nil; what is
// inside t is asked on its own.
func refuse(t reflect.Type, path string) error {
	advice := adviceByName(t)
	if advice == "" {
		advice = adviceByKind(t)
	}
	if advice == "" {
		return nil
	}
	return refusal(t, path, advice)
}

func refusal(t reflect.Type, path, advice string) error {
	return &placeError{path, fmt.Errorf("%v cannot travel; %s", t, advice)}
}

func adviceByKind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Chan:
		return "a channel stays in its process; send values, or use a shared.Queue or shared.Pipe"
	case reflect.Func:
		return "code is not copied between processes; make the function a task and send its arguments"
	case reflect.UnsafePointer:
		return "an address means nothing in another process; send what it points to"
	case reflect.Uintptr:
		return "an address or handle means nothing in another process; use uint64 for a number, *os.File for a descriptor"
	case reflect.Interface:
		if t == reflect.TypeFor[error]() || t.NumMethod() == 0 {
			return ""
		}
		return "of the interfaces only error and any travel; use the concrete type, or *os.File for an open file or connection"
	}
	if isLocker(t) && !embedsLocker(t) {
		return "a copied lock locks nothing; use shared.Mutex, or leave the lock out of what is sent"
	}
	return ""
}

// adviceByName knows types of the standard library whose copy would be wrong,
// or whose inside would make an obscure error.
func adviceByName(t reflect.Type) string {
	name := t.Name()
	if i := strings.IndexByte(name, '['); i >= 0 {
		name = name[:i]
	}
	switch t.PkgPath() {
	case "sync":
		switch name {
		case "Mutex", "RWMutex", "Cond":
			return "it works inside one process; use shared." + name
		}
		return "it works inside one process; leave it out of what is sent, or use package shared"
	case "sync/atomic":
		return "it works inside one process; use shared.Value, or send a plain number"
	case "unique":
		return "it is an address in this process; send its Value()"
	case "context":
		return "a task gets a context of its own; cancelling and the deadline reach it, values go with tandem.WithMeta"
	case "net":
		if strings.HasSuffix(name, "Conn") || strings.HasSuffix(name, "Listener") {
			return "send the *os.File of its File method, and make it a connection again with package net"
		}
	case "os":
		switch name {
		case "File":
			return "send a *os.File, which travels as a descriptor"
		case "Process":
			return "send its Pid"
		}
	case "time":
		if name == "Location" {
			return "send its name and use time.LoadLocation; a time.Time travels with its offset"
		}
	case "strings":
		if name == "Builder" {
			return "send its String()"
		}
	case "reflect":
		return "send the value itself, in a field of its type"
	}
	if t.Kind() == reflect.Struct && name != "" {
		if _, ok := reflect.PointerTo(t).MethodByName("ProtoReflect"); ok {
			return "it hides its state; send the bytes of proto.Marshal, or wrap it in a type with MarshalBinary and UnmarshalBinary"
		}
	}
	return ""
}

// refuseKey looks for what makes a key unfit: an interface may hold what cannot
// be hashed, and a pointer is another pointer when it arrives.
func refuseKey(t reflect.Type, path string) error {
	const byValue = "a key is found again by its value; use one without pointers and interfaces"
	switch t.Kind() {
	case reflect.Interface:
		return refusal(t, path, byValue)
	case reflect.Pointer:
		return refusal(t, path, byValue)
	case reflect.Array:
		return refuseKey(t.Elem(), path+"[]")
	case reflect.Struct:
		if doorOf(t, doors) != nil && !holdsInterface(t) {
			return nil // time.Time, netip.Addr: pointers of their own that they look after
		}
		for i := range t.NumField() {
			if err := refuseKey(t.Field(i).Type, path+"."+t.Field(i).Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// holdsInterface reports whether the memory of a comparable t has an interface in it.
func holdsInterface(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Interface:
		return true
	case reflect.Array:
		return holdsInterface(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if holdsInterface(t.Field(i).Type) {
				return true
			}
		}
	}
	return false
}

func isLocker(t reflect.Type) bool {
	return t.Kind() != reflect.Pointer && reflect.PointerTo(t).Implements(reflect.TypeFor[sync.Locker]())
}

// embedsLocker reports whether t locks by what it embeds: then that is named.
func embedsLocker(t reflect.Type) bool {
	if t.Kind() != reflect.Struct {
		return false
	}
	for i := range t.NumField() {
		if f := t.Field(i); f.Anonymous && (isLocker(f.Type) || f.Type.Implements(reflect.TypeFor[sync.Locker]())) {
			return true
		}
	}
	return false
}
