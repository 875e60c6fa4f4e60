package deadlock

import (
	"runtime"
	"slices"
	"sync"

	"github.com/tandem-go/tandem/internal/sys"
)

// Watched: this process looks for deadlocks. It then has to know which goroutine took
// what, which makes each taking a hundred times as dear, so the user has to ask for it.
var Watched = sys.Debugs("locks")

// Thing is what can be held, in shares: a lock has one, a semaphore as many as it has
// permits. The same thing is the same Thing in all processes.
type Thing struct {
	File   sys.FileID // the memory in which it lies
	Off    int
	Shares int // how many there are
}

// All is the Shares of what is held as a whole, or in as many parts as one likes: a
// lock of a writer or of readers.
const All = 1 << 32

// hold is how many shares of a thing a goroutine has.
type hold struct {
	Thing Thing
	Has   int
}

// table is what this process knows of its own goroutines.
var table = struct {
	sync.Mutex
	holds    map[uint64][]hold // by goroutine
	waits    map[*Wait]bool
	numbers  uint64 // the last number of a wait
	watching bool   // there is a goroutine that looks
	page     page
}{holds: make(map[uint64][]hold), waits: make(map[*Wait]bool)}

// Took notes that the calling goroutine has n more shares of what.
func Took(what Thing, n int) {
	if !Watched {
		return
	}
	me := goroutine()
	table.Lock()
	defer table.Unlock()
	list := table.holds[me]
	if i := find(list, what); i >= 0 {
		list[i].Has += n
		return
	}
	table.holds[me] = append(list, hold{what, n})
}

// Gives notes that the calling goroutine is about to give n shares of what back. If it
// has not taken them, nobody knows whose they are, and then nobody has any.
func Gives(what Thing, n int) {
	if !Watched {
		return
	}
	me := goroutine()
	table.Lock()
	defer table.Unlock()
	i := find(table.holds[me], what)
	if i < 0 || table.holds[me][i].Has < n {
		forget(what)
		return
	}
	if table.holds[me][i].Has -= n; table.holds[me][i].Has == 0 {
		drop(me, i)
	}
}

// Forget notes that this process has nothing any more of what lies in file.
func Forget(file sys.FileID) {
	if !Watched {
		return
	}
	table.Lock()
	defer table.Unlock()
	var all []Thing
	for _, list := range table.holds {
		for _, h := range list {
			if h.Thing.File == file {
				all = append(all, h.Thing)
			}
		}
	}
	for _, what := range all {
		forget(what)
	}
}

// forget also tells the others, before the shares are somebody else's.
func forget(what Thing) {
	for who, list := range table.holds {
		if i := find(list, what); i >= 0 {
			drop(who, i)
		}
	}
	if table.page.forget(what) {
		table.page.write()
	}
}

func find(list []hold, what Thing) int {
	return slices.IndexFunc(list, func(h hold) bool { return h.Thing == what })
}

func drop(who uint64, i int) {
	if table.holds[who] = slices.Delete(table.holds[who], i, i+1); len(table.holds[who]) == 0 {
		delete(table.holds, who)
	}
}

// goroutine is the number of the calling goroutine. The runtime tells it in the text
// of a stack only.
func goroutine() (n uint64) {
	var text [40]byte
	for _, c := range text[len("goroutine "):runtime.Stack(text[:], false)] {
		if c < '0' || c > '9' {
			break
		}
		n = 10*n + uint64(c-'0')
	}
	return n
}
