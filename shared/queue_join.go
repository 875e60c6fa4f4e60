package shared

import (
	"context"
	"errors"
)

// TaskDone reports one item done that this process has taken. It returns an error if
// there is none, neither of this process nor of one that ended, or one that wraps
// tandem.ErrClosed. Who does not use Join need not call it.
func (q *Queue[T]) TaskDone() error {
	v, err := q.enter(context.Background())
	if err != nil {
		return err
	}
	return q.error(v.quit(v.report()))
}

// Join waits until every item that was put has been taken and reported done: it
// returns at once if that is so. Else it returns nil when it has been so, the cause of
// ctx, or an error that wraps tandem.ErrClosed.
//
// It returns ErrItemsLost, within a tenth of a second, when the queue is empty and all
// that is missing was taken by processes that have died, or closed their last handle,
// since. Who knows which items these were puts them again, and calls TaskDone for each
// of the lost: until then Join answers so.
func (q *Queue[T]) Join(ctx context.Context) error {
	v, err := q.enter(ctx)
	if err != nil {
		return err
	}
	v.Reap()
	if over, err := v.joined(); over {
		return q.error(v.quit(err))
	}
	round := v.pair(done).items
	return q.error(v.Await(ctx, joining, func() (bool, error) {
		if v.pair(done).items != round {
			return true, nil
		}
		return v.joined()
	}, func() {}))
}

// joined reports whether nothing is left to be done, or nobody to do it.
func (v *queue) joined() (over bool, err error) {
	c, err := v.content()
	switch {
	case err != nil:
		return true, err
	case v.missing() == 0:
		return true, nil
	case c.items == 0 && v.inHands() == 0:
		return true, ErrItemsLost
	}
	return false, nil
}

// missing is how many items were put and are not done.
func (v *queue) missing() uint32 { return v.pair(tail).items - v.pair(done).bytes }

// inHands is how many items the living have taken and not reported done. What is
// missing beyond these and those in the queue is lost.
func (v *queue) inHands() (n uint32) {
	for i := range v.Used() {
		n += uint32(v.State(i) >> 32)
	}
	return n
}

func (v *queue) report() error {
	c, err := v.content()
	if err != nil {
		return err
	}
	if v.mine == 0 {
		v.Reap()
		if v.missing()-c.items <= v.inHands() {
			return errors.New("tandem: shared.Queue: TaskDone without an item; each TaskDone belongs to one item that this process took")
		}
	}
	d := v.pair(done)
	d.bytes++
	if v.missing() == 1 {
		d.items++
	}
	v.SetWord(done, d.word())
	v.hold(v.mine-min(v.mine, 1), uint32(v.State(v.Me())))
	if over, _ := v.joined(); over {
		for i := range v.Used() {
			if v.Waiting(i, joining) > 0 {
				v.Wake(i)
			}
		}
	}
	return nil
}
