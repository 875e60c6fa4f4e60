package coroutine

import (
	"container/heap"
	"time"
)

// A queue holds those who wait for their turn, linked through task.after, so
// that a switch allocates nothing.
type queue struct{ head, tail *task }

func (q *queue) empty() bool { return q.head == nil }

func (q *queue) push(t *task) {
	if q.head == nil {
		q.head = t
	} else {
		q.tail.after = t
	}
	q.tail = t
}

func (q *queue) pop() *task {
	t := q.head
	if t != nil {
		q.head, t.after = t.after, nil
	}
	return t
}

// A sleep is a coroutine's place among the sleepers.
type sleep struct {
	until time.Time
	seq   uint64 // who came first
	at    int    // index in the heap plus 1; 0: not in it
}

// A timerHeap holds those who sleep, the first to wake in front.
type timerHeap []*task

func (h timerHeap) Len() int { return len(h) }

func (h timerHeap) Less(i, j int) bool {
	a, b := &h[i].sleep, &h[j].sleep
	if !a.until.Equal(b.until) {
		return a.until.Before(b.until)
	}
	return a.seq < b.seq
}

func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].sleep.at, h[j].sleep.at = i+1, j+1
}

func (h *timerHeap) Push(x any) {
	t := x.(*task)
	*h = append(*h, t)
	t.sleep.at = len(*h)
}

func (h *timerHeap) Pop() any {
	last := len(*h) - 1
	t := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	t.sleep.at = 0
	return t
}

// fallAsleep puts t among the sleepers. Turns do not look at the clock: the
// alarm posts a note when the first sleeper is due.
func (s *sched) fallAsleep(t *task, d time.Duration) {
	s.sleeps++
	t.sleep.until, t.sleep.seq = time.Now().Add(d), s.sleeps
	heap.Push(&s.timers, t)
	if s.timers[0] == t {
		s.setAlarm(d)
	}
}

// leaveBed takes t out of the sleepers. It is false if its time had come.
func (s *sched) leaveBed(t *task) bool {
	if t.sleep.at == 0 {
		return false
	}
	heap.Remove(&s.timers, t.sleep.at-1)
	return true
}

// wakeSleepers wakes those whose time has come.
func (s *sched) wakeSleepers() {
	if len(s.timers) == 0 {
		return
	}
	now := time.Now()
	for len(s.timers) > 0 {
		if early := s.timers[0].sleep.until.Sub(now); early > 0 {
			s.setAlarm(early)
			return
		}
		heap.Pop(&s.timers).(*task).wake()
	}
}

func (s *sched) setAlarm(d time.Duration) {
	if s.alarm == nil {
		s.alarm = time.AfterFunc(d, func() { s.tell(note{}) })
		return
	}
	s.alarm.Reset(d)
}
