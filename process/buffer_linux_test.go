package process_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
	"github.com/tandem-go/tandem/shared"
)

type stamped struct {
	Buffer *shared.Buffer
	At     int
}

var (
	stamp = tandem.NewTask("stamp", func(_ context.Context, s stamped) (*shared.Buffer, error) {
		_, err := s.Buffer.WriteAt([]byte(fmt.Sprint("stamp ", s.At)), int64(s.At))
		return s.Buffer, err
	})
	fill = tandem.NewTask("fill", func(_ context.Context, n int) (*shared.Buffer, error) {
		b, err := shared.NewBuffer(n)
		if err == nil {
			_, err = b.WriteAt([]byte("filled"), int64(n-6))
		}
		return b, err
	})
	grasp = tandem.NewTask("hold a buffer", func(ctx context.Context, b *shared.Buffer) (int, error) {
		b.WriteAt([]byte("held"), 0)
		<-ctx.Done()
		select {}
	})
)

func text(t *testing.T, b *shared.Buffer, n, at int) string {
	t.Helper()
	p := make([]byte, n)
	if _, err := b.ReadAt(p, int64(at)); err != nil {
		t.Error(err)
	}
	return string(p)
}

// A buffer that goes there and back is the same bytes, and leaves nothing.
func TestBufferThereAndBack(t *testing.T) {
	for _, transport := range []process.Transport{process.Sockets, process.SharedMemory} {
		leaveNothing(t)
		pool := &process.Pool{Workers: 2, Transport: transport}
		closing(t, pool)
		b, err := shared.NewBuffer(1 << 20)
		if err != nil {
			t.Fatal(err)
		}
		closing(t, b)
		for i := range 20 {
			got, err := stamp.On(pool).Call(context.Background(), stamped{b, 100 * i})
			if err != nil {
				t.Fatal(err)
			}
			want := fmt.Sprint("stamp ", 100*i)
			if s := text(t, b, len(want), 100*i); s != want {
				t.Errorf("the worker's bytes are %q here, want %q", s, want)
			}
			if _, err := got.WriteAt([]byte("same"), 0); err != nil || text(t, b, 4, 0) != "same" {
				t.Errorf("what came back is another memory; %v", err)
			}
			if err := got.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// A worker's own buffer outlives the worker.
func TestBufferOfWorker(t *testing.T) {
	leaveNothing(t)
	pool := &process.Pool{Workers: 1, MaxTasks: 1}
	closing(t, pool)
	for _, n := range []int{6, 4096, 3<<20 + 1} {
		b, err := fill.On(pool).Call(context.Background(), n)
		if err != nil {
			t.Fatal(err)
		}
		if s := text(t, b, 6, n-6); b.Len() != n || s != "filled" {
			t.Errorf("%d bytes came, ending in %q", b.Len(), s)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := fill.On(pool).Call(context.Background(), 1<<50); err == nil {
		t.Error("a buffer that no machine holds was made")
	}
}

// A worker that is killed with a buffer in its hands takes nothing away.
func TestBufferOfKilled(t *testing.T) {
	leaveNothing(t)
	pool := &process.Pool{Workers: 1, Limits: tandem.Limits{Grace: -1}}
	closing(t, pool)
	b, err := shared.NewBuffer(100)
	if err != nil {
		t.Fatal(err)
	}
	closing(t, b)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	fut := grasp.On(pool).Go(ctx, b)
	eventually(t, "the worker has it", func() bool { return text(t, b, 4, 0) == "held" })
	cancel()
	if _, err := fut.Wait(context.Background()); !errors.Is(err, context.Canceled) {
		t.Errorf("the call ended with %v", err)
	}
	if s := text(t, b, 4, 0); s != "held" {
		t.Errorf("after the kill the buffer holds %q", s)
	}
}
