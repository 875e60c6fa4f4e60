package process_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

var pidOf = tandem.NewTask("pidOf", func(context.Context, int) (int, error) { return os.Getpid(), nil })

// stubborn ends when the file is closed, whatever its context says.
var stubborn = tandem.NewTask("stubborn", func(_ context.Context, end *os.File) (int, error) {
	defer end.Close()
	end.Read(make([]byte, 1))
	return 1, nil
})

var inlineProgram = program("inline", func() {
	ctx := context.Background()
	check := func(what string, ok bool, got ...any) {
		if !ok {
			fmt.Println("FAILED:", what, got)
		}
	}
	// Two services of one type, with a value each, and one handed to a task.
	one := &process.Service[*ledger]{New: openLedger.With(10)}
	two := &process.Service[*ledger]{New: openLedger.With(20)}
	for i := 1; i <= 2; i++ {
		v, err := deposit.On(one).Call(ctx, 1)
		w, err2 := deposit.On(two).Call(ctx, 1)
		check("services", v == 10+i && w == 20+i && err == nil && err2 == nil, v, w, err, err2)
	}
	check("close", one.Close() == nil && two.Close() == nil)
	_, err := deposit.On(one).Call(ctx, 1)
	check("a closed service", errors.Is(err, tandem.ErrClosed), err)

	// A process of its own.
	h, err := process.Start(ctx, process.Config{Name: "mine"}, pidOf, 0)
	check("start", err == nil, err)
	pid, err := h.Wait(ctx)
	code, ended := h.Process.ExitCode()
	check("wait", pid == os.Getpid() && err == nil && code == 0 && ended && h.Process.Name() == "mine", pid, err, code, ended)
	check("kill", errors.Is(h.Process.Kill(), errors.ErrUnsupported), h.Process.Kill())

	// Limits of time ask; the queue is as long as it says; hooks run.
	pool := &process.Pool{Workers: 1, Queue: 1, Limits: tandem.Limits{Time: 10 * time.Millisecond}, Setup: setting.With(7), Exit: setting.With(8)}
	_, err = heeding.On(pool).Call(ctx, 0)
	check("a limit of time", errors.Is(err, tandem.ErrTimeout), err)
	check("Setup", setTo == 7, setTo)
	check("Width", pool.Width() == 1)
	r, w, _ := os.Pipe()
	first := stubborn.On(pool).Go(ctx, r)
	second := pidOf.On(pool).Go(ctx, 0)
	_, err = pidOf.On(pool).Call(ctx, 0)
	check("a full queue", errors.Is(err, tandem.ErrQueueFull), err)
	w.Close()
	v, err := first.Wait(ctx)
	check("a task that does not listen", v == 1 && err == nil, v, err)
	pid, err = second.Wait(ctx)
	check("its neighbour", pid == os.Getpid() && err == nil, pid, err)
	check("Shutdown", pool.Shutdown(ctx) == nil)
	check("Exit", setTo == 8, setTo)

	// A Setup that fails breaks the pool, as it does with workers.
	broken := &process.Pool{Workers: 1, Setup: spoilt.With(1)}
	_, err = pidOf.On(broken).Call(ctx, 0)
	check("a Setup that fails", errors.Is(err, tandem.ErrPoolBroken) && strings.Contains(err.Error(), "spoilt"), err)
	check("its end", broken.Close() == nil)

	// What cannot be killed is told.
	r, w, _ = os.Pipe()
	held := &process.Pool{Workers: 1, Limits: tandem.Limits{Grace: time.Millisecond}}
	first = stubborn.On(held).Go(ctx, r)
	second = pidOf.On(held).Go(ctx, 0)
	for held.Stats().Running == 0 {
		runtime.Gosched()
	}
	err = held.Close()
	check("Close", err != nil && strings.Contains(err.Error(), "cannot be killed"), err)
	_, err = second.Wait(ctx)
	check("what was queued", errors.Is(err, tandem.ErrClosed), err)
	w.Close()
	v, err = first.Wait(ctx)
	check("what ran on", v == 1 && err == nil, v, err)
	fmt.Println("done")
})

var setTo int

var setting = tandem.NewTask("setting", func(_ context.Context, n int) (int, error) {
	setTo = n
	return 0, nil
})

var spoilt = tandem.NewTask("spoilt", func(context.Context, int) (int, error) { return 0, errors.New("spoilt") })

var heeding = tandem.NewTask("heeding", func(ctx context.Context, _ int) (int, error) {
	<-ctx.Done()
	return 0, ctx.Err()
})

// TestInline: with TANDEM_PLACE=inline there is one process, and nearly everything is
// as it was.
func TestInline(t *testing.T) {
	cmd := command(t, inlineProgram)
	cmd.Env = append(cmd.Env, "TANDEM_PLACE=inline")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.HasSuffix(string(out), "done\n") || strings.Contains(string(out), "FAILED") || strings.Count(string(out), "TANDEM_PLACE=inline: ") != 1 {
		t.Errorf("%v\n%s", err, out)
	}
}

var otherPlaceProgram = program("another place", func() {
	pool := new(process.Pool)
	_, err := pidOf.On(pool).Call(context.Background(), 0)
	_, err2 := process.Start(context.Background(), process.Config{}, pidOf, 0)
	fmt.Println(err, err2)
})

func TestUnknownPlace(t *testing.T) {
	cmd := command(t, otherPlaceProgram)
	cmd.Env = append(cmd.Env, "TANDEM_PLACE=outline")
	out, err := cmd.Output()
	const want = `tandem: TANDEM_PLACE is "outline" in the environment; it is inline, or not set`
	if err != nil || strings.TrimSpace(string(out)) != want+" "+want {
		t.Errorf("%v\n%s", err, out)
	}
}
