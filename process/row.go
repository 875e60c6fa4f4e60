package process

import (
	"slices"
	"time"

	"github.com/tandem-go/tandem/internal/ring"
)

// A lane's row is the calls that are on it, in the order in which its worker runs
// them. It belongs to the assignment, under its mutex: calls board, and alight in
// any order; a place in the row is free again when all in front of it are.

// moment is the time at which a call comes aboard. One behind others is busy from
// when the one before it ends, so the clock, a tenth of the price of such a call, is not
// read for it.
func (l *lane) moment() time.Duration {
	if len(l.row) > 0 {
		return l.lately
	}
	return clock()
}

// measureEvery is of how many quick calls that end the clock is read for one.
const measureEvery = 4

// ended is the time at which a quick call ends, 0 if it need not be known: of a call
// alone one of some is measured, of those in a row some together, and at the latest when
// the row ends. (One of some of those would be wrong: they end in bursts, of which the
// first has waited for all, and it may always be the first.)
func (l *lane) ended() time.Duration {
	if n := l.unread + 1; n < measureEvery && !l.stuck {
		if len(l.row) > 1 {
			return 0
		}
		if l.alone++; n == 1 && l.alone%measureEvery != 0 {
			return 0
		}
	}
	return clock()
}

// board adds a call. The lane has room.
func (l *lane) board(now time.Duration) *flight {
	var f *flight
	if n := len(l.spare); n > 0 {
		f, l.spare = l.spare[n-1], l.spare[:n-1]
	} else {
		f = &flight{lane: l}
	}
	var slot ring.Slot
	if l.ring != nil {
		slot, _ = l.ring.Reserve() // a row is never longer than the ring
	}
	if len(l.row) == 0 {
		l.lately, l.unread = now, 0
	}
	f.embark(slot, now, len(l.row) == 0)
	l.row = append(l.row, f)
	return f
}

// alight takes a call out, which ended now, and returns how long the lane was busy
// with it, as far as can be seen from here: the mean of it and of those before it whose
// end nobody has measured. If now is 0, the time is not known, nor the result.
func (l *lane) alight(f *flight, now time.Duration) (took time.Duration) {
	l.unread++
	if now > 0 {
		if took = now - max(f.boarded, l.lately); !f.chunk {
			took /= time.Duration(l.unread)
		}
		l.lately, l.unread = now, 0
	}
	f.landed = true
	first := 0
	for first < len(l.row) && l.row[first].landed {
		first++
	}
	if first > 0 {
		l.spare = append(l.spare, l.row[:first]...)
		n := copy(l.row, l.row[first:])
		clear(l.row[n:])
		l.row = l.row[:n]
		l.passed += uint64(first)
		l.stuck = false
		if n > 0 {
			l.row[0].lead(now)
		}
	}
	return took
}

// crowded says whether a call waits behind another. One that was taken back is
// still in the row and waits for nothing. Chunks alone are no crowd: each has somebody
// who looks how long it takes.
func (l *lane) crowded() bool {
	return len(l.row) > 1 && slices.ContainsFunc(l.row, func(f *flight) bool { return !f.chunk }) && slices.ContainsFunc(l.row[1:], func(f *flight) bool { return !f.landed })
}

// clear takes back what has not started; what has its place and is not sent yet, when it
// would begin to wait.
func (l *lane) clear() {
	if l.ring == nil {
		return
	}
	for i, f := range l.row {
		f.mu.Lock()
		f.back = !(f.open && f.takeBack()) && i > 0
		f.mu.Unlock()
	}
}
