package tandem_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/tandem-go/tandem"
)

// never is a Waiter that does not settle.
type never struct{ done chan struct{} }

func (n *never) Done() <-chan struct{} { return n.done }
func (n *never) Err() error            { return nil }

// TestCompletedOnce: when the context ends, what was yielded before does not come again.
func TestCompletedOnce(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	settled := inc.On(tandem.Inline).Go(ctx, 1)
	<-settled.Done()
	var got []int
	for i := range tandem.Completed(ctx, settled, &never{make(chan struct{})}) {
		got = append(got, i)
		cancel()
	}
	if fmt.Sprint(got) != "[0]" {
		t.Errorf("yielded %v, want the first, once", got)
	}
}
