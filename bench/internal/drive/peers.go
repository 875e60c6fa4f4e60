package drive

import (
	"errors"
	"runtime"
	"sync"
)

// A peer is a Local whose functions end in one child process.

// Spread makes one session of several peers: a lone caller uses the first one,
// calls go round all of them.
func Spread(workers int, open func() (*Local, error)) (*Local, error) {
	peers, err := openAll(workers, open)
	if err != nil {
		return nil, err
	}
	all := *peers[0]
	all.Closer = func() error { return closeAll(peers) }
	if all.Next != nil {
		all.Next = func(i int) (int, error) { return peers[i%len(peers)].Next(i) }
	}
	return &all, nil
}

// CrowdOf is Local.Crowd for peers: each has answered a call when it returns.
func CrowdOf(open func() (*Local, error)) func(int) (func() error, error) {
	return func(n int) (func() error, error) {
		peers, err := openAll(n, func() (*Local, error) {
			p, err := open()
			if err != nil {
				return nil, err
			}
			if _, err := p.Echo(Bytes{1}); err != nil {
				return p, err
			}
			return p, nil
		})
		return func() error { return closeAll(peers) }, err
	}
}

// openAll opens n peers, some at a time: starting is work for all processors. If
// one fails, those that were opened are closed.
func openAll(n int, open func() (*Local, error)) ([]*Local, error) {
	peers, errs := make([]*Local, n), make([]error, n)
	var group sync.WaitGroup
	room := make(chan struct{}, 2*runtime.GOMAXPROCS(0))
	for i := range n {
		room <- struct{}{}
		group.Go(func() {
			peers[i], errs[i] = open()
			<-room
		})
	}
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, errors.Join(err, closeAll(peers))
	}
	return peers, nil
}

func closeAll(peers []*Local) error {
	errs := make([]error, len(peers))
	var group sync.WaitGroup
	for i, p := range peers {
		if p != nil {
			group.Go(func() { errs[i] = p.Close() })
		}
	}
	group.Wait()
	return errors.Join(errs...)
}
