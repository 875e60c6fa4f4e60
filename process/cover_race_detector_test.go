//go:build race

package process_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// race writes one variable from two goroutines: the fault that the detector is for.
var race = tandem.NewTask("race", func(ctx context.Context, _ struct{}) (int, error) {
	var n int
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() { n++ })
	}
	both.Wait()
	return 0, nil
})

const foundRace = "the race detector found a data race"

// A race in a worker fails Close, or it would go unseen: the worker's exit status
// is nobody's.
func TestRaceInWorker(t *testing.T) {
	leaveNothing(t)
	var stderr lockedBuffer
	pool := &process.Pool{Workers: 1, Config: process.Config{Stderr: &stderr}}
	if _, err := race.On(pool).Call(t.Context(), struct{}{}); err != nil {
		t.Errorf("the call itself: %v", err)
	}
	if err := pool.Close(); err == nil || !strings.Contains(err.Error(), foundRace) {
		t.Errorf("Close: %v, want an error that says: %s", err, foundRace)
	}
	if !strings.Contains(stderr.String(), "WARNING: DATA RACE") {
		t.Errorf("no report on the worker's standard error: %q", stderr.String())
	}
}

// The same by Shutdown, and by a worker that was replaced long before.
func TestRaceInReplacedWorker(t *testing.T) {
	leaveNothing(t)
	pool := &process.Pool{Workers: 1, MaxTasks: 1, Config: process.Config{Stderr: new(lockedBuffer)}}
	if _, err := race.On(pool).Call(t.Context(), struct{}{}); err != nil {
		t.Errorf("the call itself: %v", err)
	}
	eventually(t, "the worker has left", func() bool { return pool.Stats().Ended == 1 })
	if _, err := double.On(pool).Call(t.Context(), 1); err != nil {
		t.Error(err)
	}
	if err := pool.Shutdown(t.Context()); err == nil || !strings.Contains(err.Error(), foundRace) {
		t.Errorf("Shutdown: %v, want an error that says: %s", err, foundRace)
	}
}

func TestRaceInProcess(t *testing.T) {
	leaveNothing(t)
	h, err := process.Start(t.Context(), process.Config{Stderr: new(lockedBuffer)}, race, struct{}{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Wait(t.Context()); err == nil || !strings.Contains(err.Error(), foundRace) {
		t.Errorf("Wait: %v, want an error that says: %s", err, foundRace)
	}
	if code, _ := h.Process.ExitCode(); code != 66 {
		t.Errorf("exit code %d, want the detector's 66", code)
	}
}

func TestNoRaceIsNoError(t *testing.T) {
	leaveNothing(t)
	pool := &process.Pool{Workers: 1}
	if _, err := double.On(pool).Call(t.Context(), 1); err != nil {
		t.Error(err)
	}
	if err := pool.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}
