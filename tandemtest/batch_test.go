package tandemtest_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/tandemtest"
)

// parcel is a place of a third party: it ships encoded calls over a channel to
// servers that know names and bytes only, and pulls batches by itself. It has no
// way for descriptors.
type parcel struct {
	calls chan shipped
	wide  int
}

type shipped struct {
	ctx   context.Context
	spec  tandem.Spec
	input []byte
	reply chan<- answer
}

type answer struct {
	outcome []byte
	err     error
}

func newParcel(t *testing.T, width int) *parcel {
	p := &parcel{calls: make(chan shipped), wide: width}
	var servers sync.WaitGroup
	for range width {
		servers.Go(func() {
			for c := range p.calls {
				serve(c)
			}
		})
	}
	t.Cleanup(func() {
		close(p.calls)
		servers.Wait()
	})
	return p
}

// serve runs one call in a goroutine of its own, which Goexit may end.
func serve(c shipped) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		a := answer{err: &tandem.PanicError{Value: "runtime.Goexit called"}}
		defer func() { c.reply <- a }()
		a.outcome, a.err = tandem.Execute(c.ctx, c.spec, c.input, nil, nil)
	}()
	<-done
}

// Width is the number of servers.
func (p *parcel) Width() int { return p.wide }

// Run ships one call.
func (p *parcel) Run(ctx context.Context, j *tandem.Job) error {
	if err := tandem.InProcess(ctx, j.Spec(), "parcel"); err != nil {
		return err
	}
	input, err := j.AppendInput(nil, nil)
	if err != nil {
		return err
	}
	reply := make(chan answer, 1)
	select {
	case p.calls <- shipped{ctx, j.Spec(), input, reply}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	a := <-reply
	if a.err == nil {
		a.err = j.SetOutput(a.outcome, nil)
	}
	if a.err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return a.err
}

// RunBatch pulls with one goroutine for each server.
func (p *parcel) RunBatch(ctx context.Context, b *tandem.Batch) {
	if ctx != b.Context() {
		panic("a batch has one context")
	}
	var pullers sync.WaitGroup
	for range p.wide {
		pullers.Go(func() {
			for c := b.Next(1); c != nil; c = b.Next(1) {
				c.Settle(0, p.Run(ctx, c.Job(0)))
			}
		})
	}
	pullers.Wait()
}

// wholesale is a parcel that ships what is there in one go when all its servers are
// busy.
type wholesale struct{ *parcel }

// RunBatch pulls with one goroutine for each server.
func (p wholesale) RunBatch(ctx context.Context, b *tandem.Batch) {
	var pullers sync.WaitGroup
	var busy atomic.Int64
	for range p.wide {
		pullers.Go(func() {
			for c := b.Next(1); c != nil; c = b.Next(1) {
				all := busy.Add(1) == int64(p.wide)
				p.ship(ctx, c)
				if all {
					b.Reach(64)
					if c = b.TryNext(16); c != nil {
						p.ship(ctx, c)
					}
				}
				busy.Add(-1)
			}
		})
	}
	pullers.Wait()
}

// ship sends as many items at once as go together.
func (p wholesale) ship(ctx context.Context, c *tandem.Chunk) {
	for from := 0; from < c.Len(); {
		in, n := c.AppendInputs(from, c.Len(), 200, nil)
		if n == 0 || tandem.InProcess(ctx, c.Spec(), "parcel") != nil {
			c.Settle(from, p.Run(ctx, c.Job(from)))
			from++
			continue
		}
		it := tandem.Items{N: n, In: in, Begin: func(int, []byte) bool { return ctx.Err() == nil }}
		for done := 0; done < n; {
			it.Out, it.Over = make([]byte, 0, 100), nil
			var err error
			ran := make(chan struct{})
			go func() { // Goexit ends it
				defer close(ran)
				err = tandem.ExecuteItems(ctx, c.Spec(), &it)
			}()
			<-ran
			alone := 0
			if it.Over != nil {
				alone = 1
			}
			settled, _, _, bad := c.SetOutputs(from+done, it.Done-alone-done, it.Out)
			if done += settled; bad != nil {
				panic(bad)
			}
			if alone == 1 {
				err := c.Job(from+done).SetOutput(it.Over, nil)
				if err != nil && ctx.Err() != nil {
					err = context.Cause(ctx)
				}
				c.Settle(from+done, err)
				done++
			}
			switch {
			case ctx.Err() != nil:
				for ; done < n; done++ {
					c.Settle(from+done, context.Cause(ctx))
				}
			case err != nil: // this argument's, and behind it nothing can be read
				c.Settle(from+done, err)
				done, n = done+1, done+1
			}
		}
		from += n
	}
}

func TestThirdParty(t *testing.T) {
	var _ tandem.BatchRunner = (*parcel)(nil)
	tandemtest.Run(t, func(t *testing.T) tandem.Runner { return newParcel(t, 3) },
		tandemtest.Capabilities{Copies: true, Bounded: true})
}

func TestWholesale(t *testing.T) {
	tandemtest.Run(t, func(t *testing.T) tandem.Runner { return wholesale{newParcel(t, 3)} },
		tandemtest.Capabilities{Copies: true, Bounded: true})
}

// absurd breaks the promise of a Runner to be at least one wide.
type absurd struct{ tandem.Runner }

// Width is nonsense.
func (absurd) Width() int { return 0 }

var triple = tandem.NewTask("triple", func(_ context.Context, n int) (int, error) { return 3 * n, nil })

func TestWidthZero(t *testing.T) {
	outs, err := triple.On(absurd{tandem.Inline}).All(t.Context(), []int{1, 2, 3})
	if err != nil || len(outs) != 3 || outs[2] != 9 {
		t.Errorf("a place of width 0: got %v, %v; want it used as one of width 1", outs, err)
	}
}

// refusing refuses all inputs of a batch, as a place that has been closed does.
type refusing struct{ tandem.Runner }

var errRefused = errors.New("refused")

// RunBatch settles every item with the same error.
func (refusing) RunBatch(_ context.Context, b *tandem.Batch) {
	for c := b.Next(10); c != nil; c = b.Next(10) {
		for i := range c.Len() {
			c.Settle(i, errRefused)
		}
	}
}

func TestBatchThatRefuses(t *testing.T) {
	_, err := triple.On(refusing{tandem.Inline}).All(t.Context(), make([]int, 50))
	var item *tandem.ItemError
	if !errors.Is(err, errRefused) || !errors.As(err, &item) || item.Index != 0 {
		t.Errorf("got %v, want the place's error for every input", err)
	}
}
