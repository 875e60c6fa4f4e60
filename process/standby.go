package process

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/leak"
	"github.com/tandem-go/tandem/internal/spawn"
)

// Standby keeps processes that have booted and wait for a task, so that Start, with
// the Standby in its Config, hands a task over instead of starting a process. Each
// process runs one task and then ends as any that Start has started; a moment later
// the next is booted in its place, in the background. If none is ready, Start boots
// one as without.
//
//	standby := &process.Standby{Processes: 2}
//	defer standby.Close()
//	h, err := process.Start(ctx, process.Config{Standby: standby}, render, pdf)
//
// The zero Standby is ready: it keeps one process, from its first use or Start on.
// Its fields are fixed then, and it must not be copied after that. It is safe for
// concurrent use.
//
// A waiting process takes no processor time, and the memory of an idle worker. One
// that dies is replaced, more and more slowly if that happens again and again. The
// limits, the name and the inherited variables of a task are those of the moment of
// its Start.
type Standby struct {
	// Processes is how many wait, 0 one.
	Processes int

	// Config is how they are started. Its Limits hold for tasks that bring none, and a
	// limit of memory from the boot on; its Name, "" for "Standby-1" and so on, is
	// theirs while they wait, as "Standby-1-1".
	Config Config

	// Transport is the way that tasks and results take, as in a Pool.
	Transport Transport

	state atomic.Pointer[standbyState]
	once  sync.Once // vet reports a copy of it
}

var standbys atomic.Int64

func (s *Standby) use() (*standbyState, error) {
	s.once.Do(func() { s.state.Store(s.prepare()) })
	st := s.state.Load()
	if st == nil || st.owner != s {
		return nil, errors.New("tandem: a process.Standby was copied after its first use; keep and pass a pointer")
	}
	return st, st.bad
}

func (s *Standby) prepare() *standbyState {
	st := &standbyState{owner: s, name: s.Config.Name, target: max(s.Processes, 1), shut: make(chan struct{}), nascent: map[*worker]struct{}{}}
	if st.name == "" {
		st.name = fmt.Sprintf("Standby-%d", standbys.Add(1))
	}
	st.plan = &plan{Config: s.Config, single: true, standby: true, maxProcs: childProcs(1, 1, s.Config.CPUs), sink: newSink(&s.Config)}
	st.mark = leak.Open("process.Standby", st.name)
	leak.Watch(st, st.mark)
	st.plan.rings, st.bad = s.Transport.rings(1)
	switch {
	case s.Processes < 0:
		st.bad = fmt.Errorf("tandem: Standby.Processes is negative (%d); zero means one", s.Processes)
	case s.Config.Standby != nil:
		st.bad = errors.New("tandem: Standby.Config.Standby is set; a Standby boots its own processes")
	case st.bad == nil:
		st.bad = st.plan.check()
	}
	return st
}

// Start boots the processes and waits until all of them serve, for programs that
// want a missing Init at boot and not later. It is optional, and may be called
// again, to wait until those are back that were taken. When three in a row do not
// start, no further one is booted, and it returns what was wrong with the first. If
// ctx ends first, its cause is returned and the booting goes on.
func (s *Standby) Start(ctx context.Context) error {
	if err := needContext(ctx, "Standby.Start"); err != nil {
		return err
	}
	st, err := s.use()
	if err == nil {
		err = checkStart()
	}
	for err == nil {
		var full <-chan struct{}
		if full, err = st.fill(); full == nil {
			break
		}
		if !await(ctx, full) {
			err = context.Cause(ctx)
		}
	}
	return err
}

// Close ends the processes that wait and returns when they are gone, at once and
// any number of times. Those that have a task belong to its Handle and go on. A
// Start with a closed Standby is refused with tandem.ErrClosed.
func (s *Standby) Close() error {
	st, err := s.use()
	if st == nil {
		return err
	}
	st.close()
	st.keepers.Wait()
	spawn.Rest()
	st.mark.Close()
	return nil
}

// rouse wakes the process that is to get the task of a Start that has just begun: it
// takes as long to wake as the task to be encoded.
func (s *Standby) rouse() {
	if s == nil {
		return
	}
	if st := s.state.Load(); st != nil {
		st.mu.Lock()
		st.nudge()
		st.mu.Unlock()
	}
}

// lend checks what was set beside the Standby in c, and makes c what a process is
// booted with if none is ready.
func (s *Standby) lend(c *Config) (*standbyState, error) {
	st, err := s.use()
	if err != nil {
		return nil, err
	}
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"Env", c.Env != nil}, {"Dir", c.Dir != ""}, {"Stdin", c.Stdin != nil}, {"Stdout", c.Stdout != nil}, {"Stderr", c.Stderr != nil},
		{"Prefix", c.Prefix}, {"Logger", c.Logger != nil},
		{"ExtraFiles", c.ExtraFiles != nil}, {"Sandbox", c.Sandbox != nil}, {"MaxStack", c.MaxStack != 0}, {"InitTimeout", c.InitTimeout != 0},
		{"OpenFiles", c.OpenFiles != 0}, {"Processes", c.Processes != 0}, {"Dumps", c.Dumps != nil}, {"Nice", c.Nice != 0}, {"IOClass", c.IOClass != IOInherit}, {"IOLevel", c.IOLevel != 0}, {"CPUs", c.CPUs != nil},
	} {
		if f.set {
			return nil, fmt.Errorf("tandem: Config.%s is set beside Config.Standby, whose processes have booted without it; set it in Standby.Config", f.name)
		}
	}
	name, limits := c.Name, c.Limits.Or(st.plan.Limits)
	*c = st.plan.Config
	c.Name, c.Limits = name, limits
	return st, nil
}

func (st *standbyState) closedError() error {
	return fmt.Errorf("tandem: %s: %w", st.name, tandem.ErrClosed)
}
