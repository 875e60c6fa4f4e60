package codec

import (
	"math"
	"os"
	"reflect"
	"sync"
)

// programs holds the finished programs, by type. What is in a type comes in with it
// at once: who finds a program finds those of its parts, which its schema asks for.
var programs struct {
	sync.RWMutex
	of map[reflect.Type]*program
}

// finished returns the program of t if there is one.
func finished(t reflect.Type) *program {
	programs.RLock()
	defer programs.RUnlock()
	return programs.of[t]
}

// compile returns the program of t.
func compile(t reflect.Type) (*program, error) {
	if prog := finished(t); prog != nil {
		return prog, nil
	}
	c := compiler{progs: map[reflect.Type]*program{}}
	if _, err := c.compile(t, ""); err != nil {
		return nil, explain(t, err)
	}
	programs.Lock()
	defer programs.Unlock()
	if programs.of == nil {
		programs.of = map[reflect.Type]*program{}
	}
	for _, part := range c.order {
		// Where another goroutine was faster, both programs are good; the parts of
		// this one stay with it.
		if programs.of[part] == nil {
			programs.of[part] = c.progs[part]
		}
	}
	return programs.of[t], nil
}

// compiler is one run of compile: the programs it has begun, in order.
type compiler struct {
	progs map[reflect.Type]*program
	order []reflect.Type
}

// compile returns the program of t, which may be unfinished if t is inside
// itself: the users of it read its numbers when they run. Path is the way to t
// from where the run began, for the error.
func (c *compiler) compile(t reflect.Type, path string) (*program, error) {
	if prog := finished(t); prog != nil {
		return prog, nil
	}
	if prog, ok := c.progs[t]; ok {
		return prog, nil
	}
	mark := len(c.order)
	prog := &program{typ: t, mem: t.Size()}
	c.progs[t], c.order = prog, append(c.order, t)

	if door := doorOf(t, doors); door != nil {
		door.into(prog)
		return prog, nil
	}
	err := refuse(t, path)
	if err == nil {
		err = c.kind(prog, path)
	}
	if err == nil {
		return prog, nil
	}
	// What was begun since may lead to t: forget it all. The kind left some
	// numbers in prog, which nobody has seen now.
	for _, begun := range c.order[mark:] {
		delete(c.progs, begun)
	}
	c.order = c.order[:mark]
	if door := doorOf(t, lastDoors); door != nil {
		prog = &program{typ: t, mem: t.Size()}
		c.progs[t], c.order = prog, append(c.order, t)
		door.into(prog)
		return prog, nil
	}
	return nil, err
}

// kind compiles prog.typ by its kind.
func (c *compiler) kind(prog *program, path string) error {
	t := prog.typ
	switch t.Kind() {
	case reflect.Bool:
		prog.coder, prog.min, prog.fixed, prog.free, prog.flat = boolCoder{}, 1, true, true, true
	case reflect.Int, reflect.Uint:
		if wideWords {
			prog.setPlain(8)
		} else {
			prog.coder, prog.min, prog.fixed, prog.free, prog.flat = wordCoder{t.Kind() == reflect.Int}, 8, true, true, true
		}
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64,
		reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128:
		prog.setPlain(int(t.Size()))
	case reflect.String:
		prog.coder, prog.min, prog.flat = stringCoder{}, 1, true
	case reflect.Struct:
		return c.structOf(prog, path)
	case reflect.Array:
		return c.array(prog, path)
	case reflect.Slice:
		return c.slice(prog, path)
	case reflect.Map:
		return c.mapOf(prog, path)
	case reflect.Pointer:
		if t == reflect.TypeFor[*os.File]() {
			prog.coder, prog.min, prog.flat, prog.door = fileCoder{}, 1, true, "file"
			return nil
		}
		elem, err := c.compile(t.Elem(), path)
		if err != nil {
			return err
		}
		prog.coder, prog.min, prog.flat = &pointerCoder{elem}, 1, elem.flat
	case reflect.Interface: // refuse has let only these through
		if prog.min = 1; t == reflect.TypeFor[error]() {
			prog.coder = errorCoder{}
		} else {
			prog.coder = anyCoder{}
		}
	}
	return nil
}

func (c *compiler) array(prog *program, path string) error {
	n := prog.typ.Len()
	if n == 0 {
		prog.setPlain(0) // also of what cannot travel, the usual mark of an uncomparable struct
		return nil
	}
	elem, err := c.compile(prog.typ.Elem(), path+"[]")
	if err != nil {
		return err
	}
	if elem.plain {
		prog.setPlain(int(prog.mem))
		return nil
	}
	prog.coder, prog.min = &arrayCoder{elem, n}, product(n, elem.min)
	prog.fixed, prog.free, prog.flat = elem.fixed, elem.free, elem.flat
	return nil
}

func (c *compiler) slice(prog *program, path string) error {
	prog.min = 1
	elem, err := c.compile(prog.typ.Elem(), path+"[]")
	if err != nil {
		return err
	}
	if bools := elem.coder == coder(boolCoder{}); bools || elem.plain {
		prog.coder, prog.flat = &bulkCoder{elem, bools}, true
		return nil
	}
	prog.coder = &sliceCoder{prog.typ, elem}
	return nil
}

func (c *compiler) mapOf(prog *program, path string) error {
	prog.min = 1
	if err := refuseKey(prog.typ.Key(), path+"[key]"); err != nil {
		return err
	}
	key, err := c.compile(prog.typ.Key(), path+"[key]")
	if err != nil {
		return err
	}
	val, err := c.compile(prog.typ.Elem(), path+"[]")
	if err != nil {
		return err
	}
	prog.flat = key.fixed && val.fixed
	if prog.coder = commonMap(key, val); prog.coder == nil {
		prog.coder = &mapCoder{prog.typ, key, val}
	}
	return nil
}

// setPlain makes prog the program of n bytes that travel as they are.
func (prog *program) setPlain(n int) {
	prog.coder, prog.min = plainCoder{n}, n
	prog.plain, prog.fixed, prog.free, prog.flat = true, true, true, true
}

// sum and product stop at the largest int; nothing is that long.
func sum(a, b int) int {
	if a > math.MaxInt-b {
		return math.MaxInt
	}
	return a + b
}

func product(a, b int) int {
	if b > 0 && a > math.MaxInt/b {
		return math.MaxInt
	}
	return a * b
}
