package process

import (
	"strconv"
	"strings"
)

// starved reports whether the Go runtime itself fell over memory that the system
// refused: the stack of a thread (8 MiB with cgo), which it reports as a refused
// thread; or its own, for which not all of its code checks. What does not (the
// collector's span queues, in Go 1.26) dies of a nil pointer on the system stack,
// goroutine 0, where no code of a task runs.
func starved(text string) bool {
	if refusedThread(text) {
		return true
	}
	_, rest, found := segfault(text)
	_, rest, _ = strings.Cut(rest, "\n\n")
	stack, rest, _ := strings.Cut(rest, "\n")
	return found && strings.HasPrefix(stack, "goroutine 0 ") && strings.HasPrefix(rest, "runtime.")
}

// segfault finds the Go runtime's line about an access to memory that failed, and what
// comes behind it. The same signal sent by kill, which an idle runtime dies of in its
// own code, has a code that is not positive.
func segfault(text string) (line, rest string, found bool) {
	_, rest, found = strings.Cut(text, "SIGSEGV: segmentation violation\nPC=")
	line, rest, _ = strings.Cut(rest, "\n")
	_, code, _ := strings.Cut(line, " sigcode=")
	code, _, _ = strings.Cut(code, " ")
	n, err := strconv.Atoi(code)
	return line, "\n" + rest, found && err == nil && n > 0
}

// starvedInC reports whether C or C++ code fell over memory that it was refused: it
// touched the first page, which is what malloc's answer points to if nobody looks at it,
// or threw std::bad_alloc; and the process had much of what its limit allows. Both
// together: a null pointer alone is a bug like any other. Much is three quarters of what
// the limit counts, when it was last looked at, or half resident at its largest, for what
// happened since: stacks of threads and the Go runtime's own count and are not resident.
func starvedInC(text string, counted, resident, limit int64) bool {
	return (counted > limit/4*3 || resident > limit/2) && (strings.Contains(text, "std::bad_alloc") || touchedFirstPage(text))
}

// firstPages is how far from address 0 a field or an element of nothing lies.
const firstPages = 64 << 10

// touchedFirstPage looks at the address that the Go runtime tells of a fault in C.
func touchedFirstPage(text string) bool {
	line, rest, found := segfault(text)
	_, hex, addressed := strings.Cut(line, " addr=0x")
	address, err := strconv.ParseUint(strings.TrimSpace(hex), 16, 64)
	return found && addressed && err == nil && address < firstPages && strings.HasPrefix(rest, "\nsignal arrived during cgo execution")
}
