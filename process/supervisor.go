package process

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
)

// Strategy says which services are started again when the process of one has ended.
type Strategy uint8

const (
	OneForOne  Strategy = iota // that one
	OneForAll                  // all: what they know of each other is made anew
	RestForOne                 // that one and those that come after it, which may depend on it
)

// Supervised is a service as a Supervisor sees it: a *Service, or a *Map.
type Supervised interface {
	Start(ctx context.Context) error
	Close() error
	supervised() (*Pool, error)
}

// Supervisor keeps several services running that belong together. Start starts them in
// their order, Close ends them in the reverse one. When the process of one ends, the
// Strategy says which others are ended and started again with it, in the reverse order
// and in theirs.
//
// Each service's own Restart.When says whether it is restarted: Always (Erlang's
// permanent), OnFailure (transient: not after exit status 0) or Never (temporary: its
// end touches no other). Of Restart the rest is the Supervisor's: its Max, Within and
// Backoff count the ends of all services together. One end too many, and the supervisor
// gives up: all services are closed, and Err is the first cause.
//
// Calls to a service that is restarted wait for it, as they do without a Supervisor. Its
// fields are fixed by Start, and it must not be copied after that. It is safe for
// concurrent use.
type Supervisor struct {
	// Services are in the order of their start: who needs another comes after it.
	Services []Supervised

	Strategy Strategy

	// Restart bounds the restarts of all together; its When is not used.
	Restart Restart

	mu    sync.Mutex
	team  *team
	cause error // why it gave up
}

// Start starts the services one after the other, each when the value of the last is
// made. If one does not start, or ctx ends, those that were started are closed in the
// reverse order, and the Supervisor is of no more use.
func (s *Supervisor) Start(ctx context.Context) error {
	if err := needContext(ctx, "Supervisor.Start"); err != nil {
		return err
	}
	t, err := s.prepare()
	if err != nil {
		return err
	}
	go t.run()
	for _, service := range s.Services {
		if err := service.Start(ctx); err != nil {
			closed := s.Close()
			return errors.Join(cmp.Or(s.Err(), err), closed) // it may have given up, and closed the service
		}
	}
	return nil
}

// prepare makes the team.
func (s *Supervisor) prepare() (*team, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.team != nil {
		return nil, errors.New("tandem: Supervisor.Start was called before; make another Supervisor")
	}
	if err := s.Restart.check(); err != nil {
		return nil, err
	}
	if s.Strategy > RestForOne {
		return nil, fmt.Errorf("tandem: Supervisor.Strategy is %d; it is OneForOne, OneForAll or RestForOne", s.Strategy)
	}
	rule := s.Restart
	rule.When = Always
	t := &team{of: s, ends: make(chan *ended), stop: make(chan struct{}), over: make(chan struct{}), rule: newSupervision("the Supervisor", rule)}
	for i, service := range s.Services {
		pool, err := service.supervised()
		if err != nil {
			return nil, err
		}
		pool.keeper.team, pool.keeper.number = t, i
		t.pools = append(t.pools, pool)
	}
	t.held = make([]*ended, len(t.pools))
	s.team = t
	return t, nil
}

// Close ends the services in the reverse order of their start, each as its own Close
// does, and returns their errors. It may be called many times.
func (s *Supervisor) Close() error {
	s.mu.Lock()
	t := s.team
	s.mu.Unlock()
	if t == nil {
		return nil
	}
	t.once.Do(func() { close(t.stop) })
	<-t.over
	return t.result
}

// Done is closed when all services have ended, by Close or because the Supervisor has
// given up. Before Start it is nil.
func (s *Supervisor) Done() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.team == nil {
		return nil
	}
	return s.team.over
}

// Err is why the Supervisor has given up, nil if it has not.
func (s *Supervisor) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cause
}

// supervised gives the service's pool to its Supervisor.
func (s *Service[S]) supervised() (*Pool, error) {
	state, err := s.use()
	switch {
	case err != nil:
		return nil, err
	case state.far != nil:
		return nil, errors.New("tandem: a Supervisor got a handle of a Service; only the process that made the service can supervise it")
	case state.pool.state.Load() != nil:
		return nil, fmt.Errorf("tandem: %s was used before its Supervisor was started", state.pool.Name)
	case state.pool.keeper.team != nil:
		return nil, fmt.Errorf("tandem: %s has a Supervisor already", state.pool.Name)
	}
	return state.pool, nil
}
