package main

import (
	"sync"

	"github.com/alitto/pond/v2"
	"github.com/panjf2000/ants/v2"
	"github.com/sourcegraph/conc/pool"
	"golang.org/x/sync/errgroup"
)

// inside is a pool in this process by its two uses.
type inside struct {
	one   func(f func())             // runs f elsewhere and waits for it
	each  func(n int, f func(i int)) // runs f for 0 … n−1 on the workers and waits for all
	close func()
}

func openGoroutines(int) (inside, error) {
	return inside{
		one: func(f func()) {
			done := make(chan struct{})
			go func() { f(); close(done) }()
			<-done
		},
		each: func(n int, f func(int)) {
			var group sync.WaitGroup
			for i := range n {
				group.Go(func() { f(i) })
			}
			group.Wait()
		},
	}, nil
}

func openChannel(workers int) (inside, error) {
	work := make(chan func(), 1024)
	for range workers {
		go func() {
			for f := range work {
				f()
			}
		}()
	}
	return inside{
		one: func(f func()) {
			done := make(chan struct{})
			work <- func() { f(); close(done) }
			<-done
		},
		each: func(n int, f func(int)) {
			numbers := make(chan int, 1024)
			var group sync.WaitGroup
			for range workers {
				group.Go(func() {
					for i := range numbers {
						f(i)
					}
				})
			}
			for i := range n {
				numbers <- i
			}
			close(numbers)
			group.Wait()
		},
		close: func() { close(work) },
	}, nil
}

func openErrgroup(workers int) (inside, error) {
	return inside{
		one: func(f func()) {
			var g errgroup.Group
			g.Go(func() error { f(); return nil })
			g.Wait()
		},
		each: func(n int, f func(int)) {
			var g errgroup.Group
			g.SetLimit(workers)
			for i := range n {
				g.Go(func() error { f(i); return nil })
			}
			g.Wait()
		},
	}, nil
}

func openConc(workers int) (inside, error) {
	return inside{
		one: func(f func()) {
			p := pool.New()
			p.Go(f)
			p.Wait()
		},
		each: func(n int, f func(int)) {
			p := pool.New().WithMaxGoroutines(workers)
			for i := range n {
				p.Go(func() { f(i) })
			}
			p.Wait()
		},
	}, nil
}

func openAnts(workers int) (inside, error) {
	p, err := ants.NewPool(workers)
	if err != nil {
		return inside{}, err
	}
	submit := func(group *sync.WaitGroup, f func()) {
		group.Add(1)
		if err := p.Submit(func() { f(); group.Done() }); err != nil {
			panic(err) // the pool is open and blocks when it is full
		}
	}
	return inside{
		one: func(f func()) {
			var group sync.WaitGroup
			submit(&group, f)
			group.Wait()
		},
		each: func(n int, f func(int)) {
			var group sync.WaitGroup
			for i := range n {
				submit(&group, func() { f(i) })
			}
			group.Wait()
		},
		close: p.Release,
	}, nil
}

func openPond(workers int) (inside, error) {
	p := pond.NewPool(workers)
	return inside{
		one: func(f func()) { p.Submit(f).Wait() },
		each: func(n int, f func(int)) {
			var group sync.WaitGroup
			group.Add(n)
			for i := range n {
				if err := p.Go(func() { f(i); group.Done() }); err != nil {
					panic(err) // the pool is open and its queue has no bound
				}
			}
			group.Wait()
		},
		close: p.StopAndWait,
	}, nil
}
