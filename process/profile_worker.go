package process

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"sync"
	"time"
)

// This file is the worker's side of profiles.

// answerProfile makes a profile and writes it to f, whose other side closes it when
// nobody wants the profile any more.
func answerProfile(kind string, d time.Duration, f *os.File) {
	defer f.Close()
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		f.Read(make([]byte, 1)) // nothing comes but the end
	}()
	data, err := takeProfile(kind, d, gone)
	answer := append([]byte{profileMade}, data...)
	if err != nil {
		answer = append([]byte{profileFailed}, err.Error()...)
	}
	f.Write(answer)
}

// takeProfile makes a profile of this process. It is shorter when gone is closed.
func takeProfile(kind string, d time.Duration, gone <-chan struct{}) ([]byte, error) {
	var b bytes.Buffer
	wait := func() {
		end := time.NewTimer(d)
		defer end.Stop()
		select {
		case <-end.C:
		case <-gone:
		}
	}
	switch kind {
	case "cpu":
		if err := pprof.StartCPUProfile(&b); err != nil {
			return nil, err
		}
		wait()
		pprof.StopCPUProfile()
		return b.Bytes(), nil
	case "mutex":
		defer runtime.SetMutexProfileFraction(runtime.SetMutexProfileFraction(1))
		wait()
	case "block":
		runtime.SetBlockProfileRate(1)
		defer runtime.SetBlockProfileRate(0)
		wait()
	}
	p := pprof.Lookup(kind)
	if p == nil {
		return nil, fmt.Errorf("there is no profile %q", kind)
	}
	err := p.WriteTo(&b, 0)
	return b.Bytes(), err
}

// labels are contexts with the labels of tasks, by their names: to make one takes much
// longer than to use it.
var labels sync.Map

// labelTask labels the goroutine, and those that it starts, with the task that it is
// about to run. A lane asks for it when its next call is of another task.
func labelTask(name string) {
	ctx, ok := labels.Load(name)
	if !ok {
		ctx, _ = labels.LoadOrStore(name, pprof.WithLabels(context.Background(), pprof.Labels("task", name)))
	}
	pprof.SetGoroutineLabels(ctx.(context.Context))
}
