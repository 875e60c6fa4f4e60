package process

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// Signals says how a program leaves when it is told to by Ctrl-C or SIGTERM. Its
// zero value is ready; nothing is installed before Handle is called.
//
// The first signal begins to leave: one line is written to Message, Drain is
// called, and the pools take no new calls and finish those that they have
// accepted. Then the pools are closed and the context of Handle ends, with a
// *SignalError as its cause. The second signal ends everything at once, the
// program itself too: as that signal does where there is no handler.
//
// Whatever ends a worker ends its process group, with the programs that its tasks
// started.
type Signals struct {
	// Pools are shut down, all at the same time.
	Pools []*Pool

	// Cancel ends the work at the first signal instead of finishing it: the
	// context of Handle ends at once and the pools are closed, which asks what runs
	// and kills it after its grace time.
	Cancel bool

	// Deadline is how long the work may take after SIGTERM, Drain included, before
	// it is ended as with Cancel. Zero means 8 s, as Docker kills after 10; a
	// negative value means no deadline. Ctrl-C has none: who pressed it can press
	// it again.
	Deadline time.Duration

	// Drain, if not nil, is called before the pools are shut down, which still take
	// calls while it runs: the Shutdown of an http.Server fits. Its context ends at
	// the deadline, at once with Cancel. It must not call stop.
	Drain func(context.Context) error

	// Message is where the line goes, nil os.Stderr. io.Discard silences it.
	Message io.Writer
}

// HandleSignals is Signals{Pools: pools}.Handle(ctx): Ctrl-C and SIGTERM finish
// what the pools have accepted, a second signal kills.
//
//	ctx, stop := process.HandleSignals(context.Background(), pool)
//	defer stop()
func HandleSignals(ctx context.Context, pools ...*Pool) (context.Context, context.CancelFunc) {
	return Signals{Pools: pools}.Handle(ctx)
}

// Handle begins to listen for signals. The context it returns is that of the work:
// it ends with ctx, by stop, or when a signal's work is done or must end. So calls
// made with it can be finished; a loop of calls ends by tandem.ErrClosed before that.
//
// stop ends the listening and the context. If a signal has come, it first waits until
// the pools are closed, so that a main which returns behind a deferred stop does not
// end what is being finished. What was wrong with their end Pool.Close tells.
//
// A signal that the program was started to ignore (nohup, a background job of a
// shell script) stays ignored. Where there are no signals (Windows) Ctrl-C and the
// end of the console are heard.
func (s Signals) Handle(ctx context.Context) (_ context.Context, stop context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	h := &leaving{Signals: s, ctx: ctx, cancel: cancel, got: make(chan os.Signal, 2), stopped: make(chan struct{}), done: make(chan struct{})}
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		if !signal.Ignored(sig) {
			signal.Notify(h.got, sig)
		}
	}
	go h.listen()
	return ctx, sync.OnceFunc(func() {
		close(h.stopped)
		<-h.done
		cancel(nil)
	})
}

// leaving is a Signals at work.
type leaving struct {
	Signals
	ctx     context.Context
	cancel  context.CancelCauseFunc
	got     chan os.Signal
	stopped chan struct{} // closed by stop
	done    chan struct{} // closed when nothing listens any more
}

// listen goes on behind the end of the work: whatever main hangs in then, a second
// signal ends it.
func (h *leaving) listen() {
	defer close(h.done)
	defer signal.Stop(h.got)
	left := make(chan struct{})
	select {
	case sig := <-h.got:
		go func() {
			defer close(left)
			h.leave(sig)
		}()
	case <-h.stopped:
		return
	}
	for left, stopped := left, h.stopped; left != nil || stopped != nil; {
		select {
		case sig := <-h.got:
			endAll(sig)
		case <-left:
			left = nil
		case <-stopped:
			stopped = nil
		}
	}
}

// leave is what the first signal does.
func (h *leaving) leave(sig os.Signal) {
	// The same Ctrl-C may have ended who reads our standard error. With a handler a
	// write fails; without one it would end the program.
	pipe := make(chan os.Signal, 1)
	signal.Notify(pipe, syscall.SIGPIPE)
	defer signal.Stop(pipe)

	cause := newSignalError(sig)
	ctx, cancel := context.WithCancelCause(h.ctx)
	defer cancel(nil)
	late := make(chan struct{})
	if patience := h.patience(sig); patience > 0 {
		timer := time.AfterFunc(patience, func() {
			cancel(cause)
			h.cancel(cause)
			close(late)
		})
		defer timer.Stop()
	}
	select {
	case <-aside(func() { h.say(sig) }):
	case <-time.After(lastWord): // nobody reads: a full pipe, a stopped terminal
	case <-late:
	}
	if h.Cancel {
		cancel(cause)
		h.cancel(cause)
	}
	if h.Drain != nil {
		select {
		case <-aside(func() { h.Drain(ctx) }): // its error is known to whoever wrote it
		case <-late: // what it waits for may be what is ended now
		}
	}
	var pools sync.WaitGroup
	for _, p := range h.Pools {
		pools.Go(func() {
			p.Shutdown(ctx)
			p.Close()
		})
	}
	pools.Wait()
	h.cancel(cause)
}

// aside runs f in a goroutine. What it returns is closed when f has returned.
func aside(f func()) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	return done
}

// patience is how long the work may take, 0 for any time.
func (h *leaving) patience(sig os.Signal) time.Duration {
	switch {
	case sig != syscall.SIGTERM || h.Deadline < 0:
		return 0
	case h.Deadline == 0:
		return 8 * time.Second
	}
	return h.Deadline
}

func (h *leaving) say(sig os.Signal) {
	verb, within, calls := "finishing", "", 0
	if patience := h.patience(sig); h.Cancel {
		verb = "cancelling"
	} else if patience > 0 {
		within = fmt.Sprintf(" within %v", patience)
	}
	for _, p := range h.Pools {
		calls += p.use().assign.pending()
	}
	var w io.Writer = os.Stderr
	if h.Message != nil {
		w = h.Message
	}
	fmt.Fprintf(w, "tandem: %v: %s what was accepted (calls: %d)%s; once more kills\n", sig, verb, calls, within)
}

// endAll ends this program and all that it has started.
func endAll(sig os.Signal) {
	for _, p := range Children() {
		p.Kill()
	}
	end(newSignalError(sig))
}
