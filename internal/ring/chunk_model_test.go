package ring

import (
	"fmt"
	"testing"
)

// The second model is the life of one chunk of two items: what the worker may
// begin, what Trim and TakeBack take from it, and what its waiter is told when it
// dies in any moment. How the waiter hears of it is the first model's business, so
// here it just looks. It is small enough for every order of steps.

// chunkModel is the whole state.
type chunkModel struct {
	pc [5]int8 // waiter, worker, trimmer, taker, killer

	word         state
	begun, limit int8 // the shared word
	complete     int8 // outcomes that are whole in the slot
	known        int8 // entry.limit
	trimmed      bool
	settled      bool
	retaken      bool
	mu           int8
	failed, dead bool

	seen            state   // the waiter's registers
	loaded, most    [2]int8 // begun and limit as loaded: by the waiter, by the trimmer
	runs            [2]int8
	outcome         int8
	told, whole     int8 // begun as the waiter is told, and outcomes that it sees whole
	owned           int8 // the items from told to here are the waiter's, or TakeBack's
	mine            int8 // what Trim returned: those from here on are its own
	took            bool
	violated, ended bool
}

const (
	chunkItems = 2
	none       = 9
)

// Processes of the chunk's model.
const (
	chunkWaiter = iota
	chunkWorker
	chunkTrimmer
	chunkTaker
	chunkKiller
)

type chunkRules struct{ flaw flaw }

func (r chunkRules) step(m *chunkModel, p int) bool {
	pc := &m.pc[p]
	switch p {
	case chunkWaiter:
		return r.wait(m, pc)
	case chunkWorker:
		return !m.dead && r.work(m, pc)
	case chunkTrimmer:
		return r.trim(m, pc)
	case chunkTaker:
		return r.take(m, pc)
	}
	switch *pc { // the killer
	case 0:
		m.failed = true
	case 1: // it may go on for a moment: that is more than can happen
		m.dead = true
	default:
		return false
	}
	*pc++
	return true
}

// wait is over, and then settle.
func (r chunkRules) wait(m *chunkModel, pc *int8) bool {
	switch *pc {
	case 0:
		if (m.word == queued || m.word == started) && !m.failed {
			return false
		}
	case 1:
		m.seen = m.word
	case 2:
		if m.mu != 0 && r.flaw != "settle without the mutex" {
			return false
		}
		m.mu = 1
	case 3:
		if m.retaken {
			m.outcome, m.told = gotTaken, 0
			*pc = 10
			return true
		}
		m.settled = true
	case 4:
		switch m.seen {
		case done:
			*pc = 8
			return true
		case queued:
			if m.word == queued {
				m.word, m.outcome, m.owned = taken, gotUnstarted, m.known
				*pc = 10
				return true
			}
		case taken:
			m.violated = true
			return false
		}
	case 5: // gone: trim first
		m.loaded[0], m.most[0] = m.begun, m.limit
	case 6:
		if r.flaw != "gone without a trim" {
			if m.begun != m.loaded[0] || m.limit != m.most[0] {
				*pc = 5
				return true
			}
			m.limit = m.begun
		}
		m.owned, m.known, m.trimmed = m.known, m.loaded[0], true
	case 7:
		m.outcome, m.told, m.whole = gotGone, m.loaded[0], m.complete
		*pc = 10
		return true
	case 8:
		if m.limit != m.known || m.begun > m.limit || m.trimmed && m.begun != m.known {
			m.violated = true
		}
		m.outcome, m.told, m.whole, m.owned = answered, m.begun, m.complete, m.known
		*pc = 10
		return true
	case 10:
		if r.flaw != "settle without the mutex" || m.mu == 1 {
			m.mu = 0
		}
	case 11:
		m.ended = true
	default:
		return false
	}
	*pc++
	return true
}

// work is Next, Begin for each item, and Done. Items it may not begin end it.
func (r chunkRules) work(m *chunkModel, pc *int8) bool {
	i := (*pc - 1) / 2 // the item, at the steps of Begin
	switch {
	case *pc == 0:
		if m.word != queued {
			return false
		}
		m.word = started
	case *pc == 1+2*chunkItems:
		m.word = done
	case *pc > 1+2*chunkItems:
		return false
	case *pc%2 == 1: // Begin
		if i >= m.limit {
			*pc = 1 + 2*chunkItems
			return true
		}
		m.begun++
		m.runs[i]++
		if r.flaw == "begin before the outcome is whole" && i > 0 {
			m.complete = i - 1
		}
	default: // its outcome
		m.complete = i + 1
	}
	*pc++
	return true
}

func (r chunkRules) trim(m *chunkModel, pc *int8) bool {
	switch *pc {
	case 0:
		if m.mu != 0 {
			return false
		}
		m.mu = 2
	case 1:
		if m.settled && r.flaw != "trim what is settled" || m.retaken {
			*pc = 4
			return true
		}
	case 2:
		m.loaded[1], m.most[1] = m.begun, m.limit
	case 3:
		if (m.begun != m.loaded[1] || m.limit != m.most[1]) && r.flaw != "trim by a plain store" {
			*pc = 2
			return true
		}
		m.begun, m.limit = m.loaded[1], m.loaded[1]
		m.known, m.trimmed, m.mine = m.loaded[1], true, m.loaded[1]
	case 4:
		m.mu = 0
	default:
		return false
	}
	*pc++
	return true
}

func (r chunkRules) take(m *chunkModel, pc *int8) bool {
	switch *pc {
	case 0:
		if m.mu != 0 {
			return false
		}
		m.mu = 3
	case 1:
		if m.word != queued || m.settled {
			*pc = 3
			return true
		}
	case 2:
		if m.word == queued {
			m.word, m.retaken, m.took, m.owned = taken, true, true, m.known
		}
	case 3:
		m.mu = 0
	default:
		return false
	}
	*pc++
	return true
}

// wrong says what is wrong. No item is two parties': the worker's, who begins it;
// Trim's; or the waiter's or TakeBack's.
func (m *chunkModel) wrong(still bool) string {
	switch {
	case m.violated:
		return "an honest worker was found to break a rule"
	case still && !m.ended:
		return "the waiter waits for ever"
	case !m.ended:
		return ""
	case m.took != (m.outcome == gotTaken):
		return fmt.Sprintf("TakeBack said %v, the outcome is %d", m.took, m.outcome)
	case m.mine < max(m.told, m.owned):
		return fmt.Sprintf("items from %d on are Trim's, those before %d were begun, and those before %d are the waiter's", m.mine, m.told, m.owned)
	case m.whole < m.told-1, m.outcome == answered && m.whole != m.told:
		return fmt.Sprintf("outcome %d: %d were begun, and %d outcomes are whole", m.outcome, m.told, m.whole)
	}
	for i := range int8(chunkItems) {
		switch {
		case m.runs[i] > 1:
			return fmt.Sprintf("item %d ran twice", i)
		case m.runs[i] > 0 && i >= m.told:
			return fmt.Sprintf("item %d ran, the waiter was told that it was not begun", i)
		case m.runs[i] > 0 && i >= m.mine:
			return fmt.Sprintf("item %d ran, and Trim took it back", i)
		}
	}
	return ""
}

// explore runs every order of steps from a chunk that was just published.
func (r chunkRules) explore() (states int, wrong string) {
	start := chunkModel{word: queued, limit: chunkItems, known: chunkItems, mine: none}
	list, seen := []chunkModel{start}, map[chunkModel]struct{}{start: {}}
	for i := 0; i < len(list); i++ {
		still := true
		for p := range len(start.pc) {
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
		if text := list[i].wrong(still); text != "" {
			return len(list), fmt.Sprintf("%s\n\t%+v", text, list[i])
		}
	}
	return len(list), ""
}

// TestChunkModel: in no order of steps does an item run twice, or is one begun that
// somebody was told is not.
func TestChunkModel(t *testing.T) {
	states, wrong := chunkRules{}.explore()
	if wrong != "" {
		t.Error(wrong)
	}
	t.Logf("%d states", states)
}

// TestChunkModelNotices: with one rule broken the model finds something wrong.
func TestChunkModelNotices(t *testing.T) {
	for _, f := range []flaw{
		"gone without a trim", "settle without the mutex", "begin before the outcome is whole",
		"trim what is settled", "trim by a plain store",
	} {
		if _, wrong := (chunkRules{f}).explore(); wrong == "" {
			t.Errorf("%s: the model finds nothing wrong with that", f)
		}
	}
}
