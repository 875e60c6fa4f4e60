package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/tandem-go/tandem"
)

func TestMain(m *testing.M) {
	tandem.Init()
	os.Exit(m.Run())
}

// TestNATS runs the demonstration against its real server.
func TestNATS(t *testing.T) {
	needProcesses(t)
	var out strings.Builder
	err := run(t.Context(), &out)
	t.Logf("\n%s", out.String())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), `"nested without end" 2 times    give up`) {
		t.Error("want the poison job delivered twice: so many workers it may kill")
	}
}

// TestLeaving: after a signal what has begun is finished and answered, and serve ends.
func TestLeaving(t *testing.T) {
	needProcesses(t)
	js, stop, err := startServer()
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	stream, err := createStream(ctx, js)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(ctx, "jobs", []byte("first")); err != nil {
		t.Fatal(err)
	}
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	answers := make(chan decision, 1)
	h := &natsHandler{
		executor:  &executor{keep: func(context.Context, string) error { return self.Signal(syscall.SIGTERM) }},
		delivered: func(_ string, d decision, _ error) { answers <- d },
	}
	if err := serve(ctx, stream, h); err != nil || ctx.Err() != nil {
		t.Fatal(err, ctx.Err())
	}
	if len(answers) != 1 || <-answers != finished {
		t.Error("the job that had begun was not answered")
	}
	if info, err := stream.Info(ctx); err != nil || info.State.Msgs != 0 {
		t.Errorf("in the queue: %+v, %v", info, err)
	}
}

func needProcesses(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("processes are not offered on Windows yet")
	}
}

// handled has a handler work on jobs, and tells what it returned.
type handled func(ctx context.Context, e *executor, document string) error

var handlers = map[string]struct {
	handle   handled
	decision func(error) decision // how the queue reads what the handler returned
}{
	"River": {
		func(ctx context.Context, e *executor, document string) error {
			var w river.Worker[convertArgs] = &riverWorker{executor: e}
			return w.Work(ctx, &river.Job[convertArgs]{JobRow: &rivertype.JobRow{}, Args: convertArgs{document}})
		},
		func(err error) decision {
			var snooze *rivertype.JobSnoozeError
			var cancel *rivertype.JobCancelError
			switch {
			case err == nil:
				return finished
			case errors.As(err, &snooze):
				return later
			case errors.As(err, &cancel):
				return giveUp
			}
			return retry
		},
	},
	"asynq": {
		func(ctx context.Context, e *executor, document string) error {
			var h asynq.Handler = &asynqHandler{e}
			return h.ProcessTask(ctx, asynq.NewTask("convert", []byte(document)))
		},
		func(err error) decision {
			switch {
			case err == nil:
				return finished
			case errors.Is(err, asynq.SkipRetry):
				return giveUp
			case !asynqConfig(workers).IsFailure(err):
				return later
			}
			return retry
		},
	},
}

// TestHandlers: what River and asynq are told of each end of a job, without their
// databases.
func TestHandlers(t *testing.T) {
	needProcesses(t)
	for name, h := range handlers {
		t.Run(name, func(t *testing.T) {
			pool := newPool(workers)
			defer pool.Close()
			var kept []string
			e := &executor{pool: pool, keep: func(_ context.Context, result string) error { kept = append(kept, result); return nil }}
			stopped, stop := context.WithCancel(t.Context())
			stop()
			for _, c := range []struct {
				ctx      context.Context
				document string
				want     decision
			}{
				{t.Context(), "first", finished},
				{t.Context(), "nested without end", retry},
				{t.Context(), "nested without end", giveUp}, // has killed two workers: poison
				{t.Context(), "nested without end", giveUp}, // and does not run again
				{t.Context(), "loops", giveUp},
				{t.Context(), "", giveUp},
				{stopped, "second", retry},
				{t.Context(), "third", finished},
			} {
				err := h.handle(c.ctx, e, c.document)
				if got := h.decision(err); got != c.want {
					t.Errorf("%q: %v, want %v: %v", c.document, got, c.want, err)
				}
			}
			if got := strings.Join(kept, " "); got != "FIRST THIRD" {
				t.Errorf("results %q", got)
			}
			if err := pool.Close(); err != nil {
				t.Error(err)
			}
			if err := h.handle(t.Context(), e, "fourth"); h.decision(err) != later {
				t.Errorf("of a closed pool: %v", err)
			}
		})
	}
}

// TestCancelled: the end of the queue's context ends the work itself.
func TestCancelled(t *testing.T) {
	needProcesses(t)
	pool := newPool(1)
	defer pool.Close()
	if err := pool.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	lost := errors.New("the queue wants its job back")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	result := make(chan error, 1)
	go func() { result <- (&executor{pool: pool}).execute(ctx, "loops") }()
	for pool.Stats().Running == 0 {
		runtime.Gosched()
	}
	cancel(lost)
	if err := <-result; !errors.Is(err, lost) || decide(err) != retry {
		t.Errorf("%v: %v", decide(err), err)
	}
	if s := pool.Stats(); s.Running != 0 {
		t.Errorf("%d calls still run", s.Running)
	}
}

// TestDecide: the rows of docs/errors.md that the runs above do not meet.
func TestDecide(t *testing.T) {
	for _, c := range []struct {
		err  error
		want decision
	}{
		{tandem.ErrQueueFull, later},
		{fmt.Errorf("%w: no model", tandem.ErrPoolBroken), later},
		{&tandem.CrashError{Collateral: true}, later},
		{&tandem.CrashError{Err: tandem.ErrOOMKilled}, retry},
		{&tandem.CrashError{Err: tandem.ErrMemory}, giveUp},
		{&tandem.CrashError{Reason: "exit status 3"}, retry},
		{tandem.ErrCPU, giveUp},
		{tandem.ErrTooLarge, giveUp},
		{tandem.ErrMalformed, giveUp},
		{errors.ErrUnsupported, giveUp},
		{&tandem.PanicError{Value: "nil map"}, giveUp},
		{context.DeadlineExceeded, retry},
	} {
		if got := decide(c.err); got != c.want {
			t.Errorf("%v: %v, want %v", c.err, got, c.want)
		}
	}
}
