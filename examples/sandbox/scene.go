package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// scene is what there is to steal and to harm: a folder with a secret, a server, a
// pool at work, this program.
type scene struct {
	folder string
	server net.Listener
	unix   net.Listener
	pool   *process.Pool
	target target
	heap   uint64
}

const (
	secret    = "the secret"
	variable  = "SANDBOX_EXAMPLE_SECRET" // in this program's environment only
	openFiles = 96
)

func setScene() (s *scene, err error) {
	s = &scene{}
	defer func() {
		if err != nil {
			s.strike()
		}
	}()
	if s.folder, err = os.MkdirTemp("", "sandbox"); err != nil {
		return s, err
	}
	s.target = target{
		Inside: filepath.Join(s.folder, "inside"), Outside: filepath.Join(s.folder, "outside"),
		Parent: os.Getpid(),
	}
	for _, folder := range []string{s.target.Inside, s.target.Outside} {
		if err = os.Mkdir(folder, 0o700); err != nil {
			return s, err
		}
	}
	if err = os.WriteFile(filepath.Join(s.target.Outside, "secret"), []byte(secret), 0o600); err != nil {
		return s, err
	}
	if s.server, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return s, err
	}
	if s.unix, err = net.Listen("unix", filepath.Join(s.target.Outside, "socket")); err != nil {
		return s, err
	}
	s.target.Address = s.server.Addr().String()
	s.reset()
	s.pool = &process.Pool{
		Workers: 2,
		Limits:  tandem.Limits{Time: time.Second, Grace: 100 * time.Millisecond},
		Config: process.Config{
			Env:       []string{"PATH=/usr/bin:/bin"}, // not this program's
			Stderr:    io.Discard,
			OpenFiles: openFiles,
			Sandbox:   &process.Sandbox{Write: []string{s.target.Inside}, NoNetwork: true, NoExec: true},
		},
	}
	s.heap = heap()
	return s, nil
}

// strike takes everything away again.
func (s *scene) strike() error {
	var errs []error
	if s.pool != nil {
		s.pool.Close() // its error is about workers that did not leave well, and some did not
	}
	for _, l := range []net.Listener{s.server, s.unix} {
		if l != nil {
			errs = append(errs, l.Close())
		}
	}
	if s.folder != "" {
		errs = append(errs, os.RemoveAll(s.folder))
	}
	return errors.Join(errs...)
}

// reset clears what an attempt outside has left.
func (s *scene) reset() {
	for _, name := range []string{"new", "moved", "link"} {
		os.Remove(filepath.Join(s.target.Outside, name))
	}
	entries, _ := os.ReadDir(s.target.Inside)
	for _, e := range entries {
		os.Remove(filepath.Join(s.target.Inside, e.Name()))
	}
	os.WriteFile(filepath.Join(s.target.Inside, "own"), []byte("own"), 0o600)
}

// workers are the processes of the pool.
func (s *scene) workers() (pids []int) {
	for _, p := range process.Children() {
		pids = append(pids, p.PID())
	}
	return pids
}

// settle makes calls until the worker is gone that had an attempt which costs it: more
// than so many have ended then. A call that it gets is lost with it, as its own are.
func (s *scene) settle(ctx context.Context, ended uint64) error {
	for n := 0; s.pool.Stats().Ended == ended; n++ {
		if n == 1_000_000 || ctx.Err() != nil {
			return errors.New("the worker that tried it goes on")
		}
		var crash *tandem.CrashError
		_, err := echo.On(s.pool).Call(ctx, n)
		if err != nil && !errors.As(err, &crash) && !errors.Is(err, tandem.ErrMalformed) && !errors.Is(err, tandem.ErrTimeout) {
			return err
		}
	}
	return nil
}

// harm finds out whether anything is not as it should be.
func (s *scene) harm(ctx context.Context) error {
	var errs []error
	if text, err := os.ReadFile(filepath.Join(s.target.Outside, "secret")); err != nil || string(text) != secret {
		errs = append(errs, fmt.Errorf("the secret is now %q, %v", text, err))
	}
	if entries, err := os.ReadDir(s.target.Outside); err != nil || len(entries) != 2 {
		errs = append(errs, fmt.Errorf("the folder outside has %v, %v", entries, err))
	}
	for n := range 16 { // on both workers, again and again
		if got, err := echo.On(s.pool).Call(ctx, n); err != nil || got != n {
			errs = append(errs, fmt.Errorf("an honest call returned %d for %d, %v", got, n, err))
		}
	}
	if grown := int64(heap() - s.heap); grown > 64<<20 {
		errs = append(errs, fmt.Errorf("this program has grown by %d MiB", grown>>20))
	}
	return errors.Join(errs...)
}

// heap is the memory that this program's values have taken from the system.
func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapSys - m.HeapReleased
}
