package process

import (
	"sync"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/child"
	"github.com/tandem-go/tandem/internal/ring"
)

// The permits to spin are counted for the whole tree of processes. The root
// program makes them with its first worker that has rings and gives them back
// with the last; a worker has them from its parent.
var spinning struct {
	sync.Mutex
	permits *ring.Spinners
	users   int
}

func useSpinners() (*ring.Spinners, error) {
	if child.Spinners != nil {
		return child.Spinners, nil
	}
	spinning.Lock()
	defer spinning.Unlock()
	if spinning.users == 0 {
		s, err := ring.NewSpinners(tandem.CPUs())
		if err != nil {
			return nil, err
		}
		spinning.permits = s
	}
	spinning.users++
	return spinning.permits, spinning.permits.Mend() // all workers can write there
}

func dropSpinners() {
	if child.Spinners != nil {
		return
	}
	spinning.Lock()
	defer spinning.Unlock()
	if spinning.users--; spinning.users == 0 {
		spinning.permits.Close()
		spinning.permits = nil
	}
}
