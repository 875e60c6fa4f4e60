package ring

import "testing"

// The third model is who sleeps by what: a lane of a worker that blocks its thread and
// later sleeps in the poller, and a waiter of the parent that sleeps on until the second
// of two calls is over. A publisher gives the lane the two calls, somebody takes the
// second one back. Every order of steps is tried; how calls are settled is the other
// models' business.

// sleepModel is the whole state.
type sleepModel struct {
	pc [4]int8 // publisher, lane, waiter, taker

	word           [2]state
	sleeping       int8 // awake, blocked, dormant
	bell           bool
	until          int8
	published      int8
	futex, sounded bool // the thread is woken; the alarm was sounded
	edge           bool // the parent's poller has an event
	asleep         bool // the waiter is to be kicked
	at             int8 // the lane's position
	saw, heard     bool // the lane's registers, when it rings
	woken          int8 // the publisher's: what it took out of sleeping
	last           int8 // the waiter's: the call by which it sleeps
	ended          bool
}

const (
	sleepPublisher = iota
	sleepLane
	sleepWaiter
	sleepTaker
)

type sleepRules struct{ flaw flaw }

func (r sleepRules) step(m *sleepModel, p int) bool {
	pc := &m.pc[p]
	switch p {
	case sleepPublisher:
		return r.publish(m, pc)
	case sleepLane:
		return r.lane(m, pc)
	case sleepWaiter:
		return r.wait(m, pc)
	}
	return r.take(m, pc)
}

// publish is Publish for each call, and rouse.
func (r sleepRules) publish(m *sleepModel, pc *int8) bool {
	if m.published == 2 {
		return false
	}
	switch *pc {
	case 0:
		m.word[m.published] = queued
	case 1: // rouse
		if m.woken = m.sleeping; m.woken == awake {
			*pc = 3
			return true
		}
	case 2:
		m.woken, m.sleeping = m.sleeping, awake
	case 3:
		switch m.woken {
		case blocked:
			m.futex = true
		case dormant:
			m.sounded = true
		}
		m.published++
		*pc = 0
		return true
	}
	*pc++
	return true
}

// take is TakeBack for the second call.
func (r sleepRules) take(m *sleepModel, pc *int8) bool {
	switch *pc {
	case 0:
		if m.word[1] != queued {
			return false
		}
		m.word[1] = taken
	case 1: // kick
		if m.asleep {
			m.bell, m.edge = false, true
		}
	default:
		return false
	}
	*pc++
	return true
}

// lane is Next with its sleep, and Done.
func (r sleepRules) lane(m *sleepModel, pc *int8) bool {
	if m.at == 2 {
		return false
	}
	there := m.word[m.at] != unused
	switch *pc {
	case 0:
		if there {
			*pc = 20
			return true
		}
	case 1:
		m.sleeping, m.futex, m.sounded = blocked, false, false
	case 2:
		if there && r.flaw != "sleep without a second look" {
			*pc = 10
			return true
		}
	case 3: // blocked: woken, or late
		if m.futex || m.sleeping != blocked {
			*pc = 10
			return true
		}
	case 4: // late
		if m.sleeping != blocked && r.flaw != "dormant by a plain store" {
			*pc = 10
			return true
		}
		m.sleeping = dormant
	case 5:
		if !m.sounded && m.sleeping == dormant {
			return false
		}
		*pc = 10
		return true
	case 10:
		m.sleeping = awake
		*pc = 0
		return true
	case 20:
		if m.word[m.at] == taken {
			m.at++
			*pc = 0
			return true
		}
		m.word[m.at] = started
	case 21:
		if r.flaw != "ring before the answer" {
			m.word[m.at] = done
		}
	case 22: // ring
		m.saw = m.bell
	case 23:
		m.heard = m.saw && m.at >= m.until
	case 24:
		if m.heard {
			m.bell, m.edge = false, true
		}
	case 25:
		m.word[m.at] = done
		m.at++
		*pc = 0
		return true
	}
	*pc++
	return true
}

// wait is Doze for the first call, which may sleep on for the second, and then Wait for
// that. The number of its call is in its steps.
func (r sleepRules) wait(m *sleepModel, pc *int8) bool {
	if *pc == 20 {
		return false
	}
	own := *pc / 10
	over := func(i int8) bool { return m.word[i] == done || m.word[i] == taken }
	switch *pc % 10 {
	case 0:
		if r.flaw != "until after the look" {
			m.until = m.last
		}
	case 1:
		m.bell, m.asleep = true, true
	case 2: // it looks once more
		if over(own) || over(m.last) && r.flaw != "sleep for a call that was taken" {
			*pc += 2
			return true
		}
	case 3: // asleep
		m.until = m.last
		if !m.edge {
			return false
		}
		m.edge = false
	case 4:
		m.bell, m.asleep = false, false
		if m.last = own; over(own) {
			m.last = 1
			*pc = 10 * (own + 1)
			m.ended = own == 1
			return true
		}
		*pc = 10 * own
		return true
	}
	*pc++
	return true
}

// explore runs every order of steps from an idle lane for which somebody will wait;
// until is as somebody left it who slept for a later call.
func (r sleepRules) explore() (states int, stuck bool) {
	list, seen := []sleepModel{{until: 2, last: 1}}, map[sleepModel]struct{}{}
	for i := 0; i < len(list); i++ {
		still := true
		for p := range len(list[i].pc) {
			next := list[i]
			if !r.step(&next, p) {
				continue
			}
			still = false
			if _, old := seen[next]; !old {
				seen[next] = struct{}{}
				list = append(list, next)
			}
		}
		if still && (list[i].at < 2 || !list[i].ended) {
			return len(list), true
		}
	}
	return len(list), false
}

// TestSleepModel: in no order of steps does a lane sleep while a call is there, or a
// waiter when the call is over by which it sleeps.
func TestSleepModel(t *testing.T) {
	states, stuck := sleepRules{}.explore()
	if stuck {
		t.Error("somebody sleeps for ever")
	}
	t.Logf("%d states", states)
}

// TestSleepModelNotices: with one rule broken somebody sleeps for ever.
func TestSleepModelNotices(t *testing.T) {
	for _, f := range []flaw{"sleep without a second look", "dormant by a plain store", "until after the look", "ring before the answer", "sleep for a call that was taken"} {
		if _, stuck := (sleepRules{f}).explore(); !stuck {
			t.Errorf("%s: the model finds nothing wrong with that", f)
		}
	}
}
