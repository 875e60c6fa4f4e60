package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/wire"
)

// This file is how a Service travels.

// AppendHandles and SetHandles let it travel as a field of a task's argument or
// result.
func (s *Service[S]) AppendHandles(dst []byte, h *tandem.Handles) ([]byte, error) {
	state, err := s.use()
	if err != nil {
		return dst, err
	}
	way, name, err := state.way()
	if err != nil {
		return dst, err
	}
	i, err := h.Add(way)
	if err != nil {
		return dst, fmt.Errorf("tandem: process.Service %s: %w", name, err)
	}
	return append(append(dst, byte(i)), name...), nil
}

// SetHandles makes it a handle of the service that was sent.
func (s *Service[S]) SetHandles(src []byte, h *tandem.Handles) error {
	if len(src) == 0 {
		return errors.New("tandem: process.Service: what was sent is too short")
	}
	way, err := h.Take(int(src[0]))
	if err != nil {
		return err
	}
	v := &visitor{name: string(src[1:]), way: way}
	if !s.state.CompareAndSwap(nil, &serviceState[S]{service: s, far: v}) {
		way.Close()
		return errors.New("tandem: process.Service: a value is decoded into a Service that is in use")
	}
	runtime.AddCleanup(s, func(v *visitor) { v.close() }, v)
	return nil
}

// way is the descriptor that leads to the service, with its name.
func (st *serviceState[S]) way() (*os.File, string, error) {
	if st.far != nil {
		return st.far.way, st.far.name, nil
	}
	d, err := st.opened()
	if err != nil {
		return nil, "", err
	}
	return d.theirs, st.pool.Name, nil
}

// opened returns the door, and opens it for the first handle.
func (st *serviceState[S]) opened() (*door, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.closed {
		return nil, fmt.Errorf("tandem: process.Service %s: %w", st.pool.Name, tandem.ErrClosed)
	}
	if st.door == nil {
		d, err := openDoor(st.pool, reflect.TypeFor[S]())
		if err != nil {
			return nil, err
		}
		st.door = d
	}
	return st.door, nil
}

// shut lets no door be opened any more and returns the one to close.
func (st *serviceState[S]) shut() *door {
	st.mu.Lock()
	defer st.mu.Unlock()
	d := st.door
	st.closed, st.door = true, nil
	return d
}

// visiting is a visitor whose handle stays open while it is called.
type visiting[S any] struct {
	*visitor
	handle *Service[S]
}

func (v visiting[S]) Run(ctx context.Context, j *tandem.Job) error {
	defer runtime.KeepAlive(v.handle)
	return v.visitor.Run(ctx, j)
}

// AppendHandles and SetHandles let it travel as a field of a task's argument or
// result.
func (m *Map[K, V]) AppendHandles(dst []byte, h *tandem.Handles) ([]byte, error) {
	if err := m.ready(); err != nil {
		return dst, err
	}
	return m.Service.AppendHandles(wire.AppendBytes(dst, m.calls.name()), h)
}

// SetHandles makes it a handle of the map that was sent.
func (m *Map[K, V]) SetHandles(src []byte, h *tandem.Handles) error {
	r := wire.NewReader(src)
	name := string(r.Bytes())
	calls, ok := mapTypes[name].(*MapType[K, V])
	if r.Err() != nil || !ok {
		return fmt.Errorf("tandem: process.Map: %.100q is no type of such maps here", name)
	}
	if err := m.Service.SetHandles(r.Rest(), h); err != nil {
		return err
	}
	m.calls = calls
	return nil
}
