package lock

import (
	"os"
	"runtime"
	"slices"
	"sync"

	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/sys"
)

// perKeeper is how many locks one keeper watches: the kernel gives up a list
// after 2048 nodes.
const perKeeper = 2000

// keeper is a thread whose id stands for this process in lock words, and whose
// end the kernel reports to the others.
type keeper struct {
	tid   uint32
	sig   signature
	list  *sys.RobustList
	locks int
	end   chan struct{}
}

var keepers struct {
	sync.Mutex
	all []*keeper
}

// enlist has a keeper watch the lock whose companion word is node.
func enlist(node *uintptr) (*keeper, error) {
	keepers.Lock()
	defer keepers.Unlock()
	i := slices.IndexFunc(keepers.all, func(k *keeper) bool { return k.locks < perKeeper })
	if i < 0 {
		k, err := newKeeper()
		if err != nil {
			return nil, err
		}
		i = len(keepers.all)
		keepers.all = append(keepers.all, k)
	}
	k := keepers.all[i]
	k.list.Insert(node)
	k.locks++
	return k, nil
}

// dismiss ends the watch; a keeper without locks ends.
func (k *keeper) dismiss(node *uintptr) {
	keepers.Lock()
	defer keepers.Unlock()
	k.list.Remove(node)
	if k.locks--; k.locks == 0 {
		keepers.all = slices.DeleteFunc(keepers.all, func(o *keeper) bool { return o == k })
		close(k.end)
	}
}

func newKeeper() (*keeper, error) {
	list, err := sys.NewRobustList(mem.CompanionDistance())
	if err != nil {
		return nil, err
	}
	born := uint32(alive) // without /proc nobody can wait for this process's end
	if start, err := sys.ProcessStart(os.Getpid()); err == nil {
		born = generation(start)
	}
	k := &keeper{sig: sign(os.Getpid(), born), list: list, end: make(chan struct{})}
	up := make(chan error)
	go k.live(up)
	return k, <-up
}

// live is the keeper's thread.
func (k *keeper) live(up chan<- error) {
	runtime.LockOSThread() // never undone: the thread ends with the keeper
	if sys.Gettid() == sys.MainTid() {
		// The main thread cannot end, and its name is the program's. While this
		// goroutine holds it, the next one is bound to get another.
		next := make(chan error)
		go k.live(next)
		err := <-next
		runtime.UnlockOSThread()
		up <- err
		return
	}
	_ = sys.SetThreadName("tandem-keeper") // a courtesy to who looks from outside
	k.tid = uint32(sys.Gettid())
	defer k.list.Disarm()
	err := k.list.Arm()
	up <- err
	if err == nil {
		<-k.end
	}
}
