package ring

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// The model is the protocol again, as small programs whose steps are single
// operations on shared words, and it runs every order of their steps. A step here
// has the name of what the code does there; who changes one changes the other.
// Spinning is left out: it only looks more often.
//
// Two callers make one call each, on one lane; the worker serves them; readers
// come and go; a canceller takes the first call back; a killer ends the worker at
// any step and then calls Fail.

// Processes of the model.
const (
	callerA = iota
	callerB
	theWorker
	readerA
	readerB
	canceller
	killer
	processes
)

// What became of a call.
const (
	nothing = iota
	answered
	gotTaken
	gotUnstarted
	gotGone
	violation
)

// model is the whole state. It is comparable: a state seen before is not entered
// again.
type model struct {
	pc [processes]int8 // 0: not begun or at the first step; ended: done

	// Shared memory.
	word     [2]state
	freed    [2]bool // the slot shows its next position
	sleeping bool
	bell     bool

	// The kernel and the runtime.
	futex    bool // the worker sleeps on sleeping
	edge     bool // an event that the poller has not delivered
	deadline bool

	// The parent's memory.
	phase           [2]phase
	token           [2]bool // in entry.wake
	asleep, kicked  bool
	reading, failed bool
	waiters, parked int8
	bellOwner       int8 // process+1
	mu              int8
	head            int8

	// Registers.
	seen    [2]state // what settle loaded
	alone   [2]bool
	at      int8 // the worker's position
	found   [2]int8
	armed   [2]bool // the reader's second look
	dead    bool
	outcome [2]int8
	runs    [2]int8
	took    bool
	spare   int8 // readers begun
}

const ended = 100

// flaw leaves one step out, so that the test shows that it would notice.
type flaw string

// rules are the programs.
type rules struct {
	flaw    flaw
	callers int
	cancel  bool
	kill    bool
}

// step runs one step of process p and reports whether it could.
func (r *rules) step(m *model, p int) bool {
	switch p {
	case callerA, callerB:
		return p < r.callers && r.caller(m, p)
	case theWorker:
		return !m.dead && r.worker(m)
	case readerA, readerB:
		return r.reader(m, p-readerA)
	case canceller:
		return r.cancel && r.takeBack(m)
	case killer:
		return r.kill && r.fail(m)
	}
	return false
}

func (m *model) over(i int) bool {
	return m.freed[i] || m.word[i] != queued && m.word[i] != started || m.failed
}

func (r *rules) caller(m *model, i int) bool {
	pc := &m.pc[i]
	switch *pc {
	case 0:
		m.phase[i] = published
	case 1:
		m.word[i] = queued
	case 2: // Outbox.rouse
		if !m.sleeping {
			*pc = 4
			return true
		}
		m.sleeping = false
	case 3:
		m.futex = false
	case 4: // Wait
		if m.over(i) {
			*pc = 30
			return true
		}
	case 5:
		if m.waiters++; m.waiters > 1 {
			*pc = 20
			return true
		}
	case 6: // lead
		if m.over(i) {
			*pc = 29
			return true
		}
	case 7:
		if m.reading {
			*pc = 20
			return true
		}
	case 8:
		if m.bellOwner != 0 {
			*pc = 20
			return true
		}
		m.bellOwner = int8(i) + 1
	case 9: // arm
		m.asleep = true
	case 10:
		r.clear(m)
	case 11:
		m.bell = true
	case 12:
		m.alone[i] = !m.reading
	case 13:
		if (m.over(i) || !m.alone[i]) && r.flaw != "sleep without a second look" {
			*pc = 16
			return true
		}
	case 14, 15: // sleep
		return r.sleep(m, pc, 14, 16)
	case 16: // disarm
		m.bell = false
	case 17:
		m.asleep = false
	case 18:
		m.bellOwner = 0
		if *pc = 6; !m.alone[i] {
			*pc = 20
		}
		return true
	case 20: // park
		if m.over(i) {
			*pc = 29
			return true
		}
	case 21: // Parent.rouse
		if !m.reading && !m.failed {
			m.reading = true
			m.begin()
		}
	case 22:
		if r.flaw != "count after parking" {
			m.parked++
		}
	case 23:
		if m.phase[i] != published {
			*pc = 28
			return true
		}
		m.phase[i] = parked
		if r.flaw == "count after parking" {
			*pc = 27
			return true
		}
	case 27:
		m.parked++
		*pc = 24
		return true
	case 24:
		if *pc = 25; !m.over(i) && m.reading || r.flaw == "park without a second look" {
			*pc = 26
		}
		return true
	case 25:
		if m.phase[i] == parked {
			m.phase[i] = published
			m.parked--
			*pc = 20
			return true
		}
	case 26:
		if !m.token[i] {
			return false
		}
		m.token[i] = false
		*pc = 29
		return true
	case 28:
		m.parked--
	case 29:
		m.waiters--
	case 30: // settle
		m.seen[i] = m.word[i]
	case 31:
		if m.seen[i] == taken && m.mu != 0 && r.flaw != "settle beside TakeBack" {
			return false // it locks and unlocks
		}
	case 32:
		if m.phase[i] == retaken {
			m.outcome[i] = gotTaken
			*pc = 36
			return true
		}
		m.phase[i] = settled
	case 33:
		switch {
		case m.seen[i] == done:
			m.outcome[i] = answered
		case m.seen[i] == taken || !m.failed:
			m.outcome[i] = violation
		default:
			*pc = 34
			return true
		}
		*pc = 36
		return true
	case 34:
		if m.word[i] == queued && m.seen[i] == queued {
			m.word[i] = taken
			m.outcome[i] = gotUnstarted
			*pc = 36
			return true
		}
	case 35:
		if m.outcome[i] = gotGone; m.word[i] == taken {
			m.outcome[i] = gotUnstarted
		}
	case 36: // free
		m.freed[i] = true
	case 37:
		m.phase[i] = idle
		*pc = ended
		return true
	default:
		return false
	}
	*pc++
	return true
}

// clear is the middle of arm.
func (r *rules) clear(m *model) {
	if m.kicked {
		m.kicked, m.deadline = false, false
	}
}

// sleep is RawConn.Read with rung, at steps look and look+1.
func (r *rules) sleep(m *model, pc *int8, look, out int8) bool {
	if *pc == look {
		switch {
		case m.deadline || !m.bell:
			*pc = out
		default:
			m.edge = false // the poller forgets what was before
			*pc = look + 1
		}
		return true
	}
	// Parked in the poller, or about to be; prepareRead came before rung looked.
	switch {
	case m.deadline:
		*pc = out
	case !m.bell && m.edge:
		m.edge = false
		*pc = out
	default:
		return false
	}
	return true
}

func (m *model) begin() {
	for i := range 2 {
		if p := readerA + i; m.pc[p] == 0 || m.pc[p] == ended {
			m.pc[p] = 1
			m.found[i], m.armed[i] = 0, false
			return
		}
	}
	panic("three readers at one time")
}

func (r *rules) worker(m *model) bool {
	pc := &m.pc[theWorker]
	if m.at == 2 {
		return false
	}
	i := m.at
	switch *pc {
	case 0:
		switch {
		case m.freed[i] || m.word[i] == taken:
			m.at++
			return true
		case m.word[i] == free:
			*pc = 6
			return true
		}
	case 1:
		if m.word[i] != queued || m.freed[i] {
			*pc = 0
			return true
		}
		m.word[i] = started
		m.runs[i]++
	case 2:
		m.word[i] = done
	case 3:
		if !m.bell {
			*pc = 5
			return true
		}
	case 4:
		if was := m.bell; was {
			m.bell = false
			*pc = 10
			return true
		}
	case 10:
		m.edge = true
		*pc = 5
		return true
	case 5:
		m.at++
		*pc = 0
		return true
	case 6:
		m.sleeping = true
	case 7:
		if (m.word[i] != free || m.freed[i]) && r.flaw != "worker sleeps without a second look" {
			*pc = 9
			return true
		}
	case 8:
		m.futex = m.sleeping // the kernel compares
	case 9:
		if m.futex {
			return false
		}
		m.sleeping = false
		*pc = 0
		return true
	}
	*pc++
	return true
}

func (r *rules) reader(m *model, i int) bool {
	p := readerA + i
	pc := &m.pc[p]
	me := int8(p) + 1
	switch *pc {
	case 1, 2, 3, 4:
		if done := m.kick(*pc - 1); done {
			*pc = 5
			return true
		}
	case 5:
		if m.bellOwner != 0 {
			return false
		}
		m.bellOwner = me
	case 6:
		if m.failed {
			*pc = 40
			return true
		}
	case 7: // drain
		if m.mu != 0 {
			return false
		}
		m.mu = me
		m.found[i] = 0
	case 8:
		h := m.head
		switch {
		case h >= 2 || m.phase[h] == idle && !m.freed[h] || m.phase[h] == reserved:
			*pc = 13
		case m.phase[h] == published || m.phase[h] == parked:
			*pc = 9
		default:
			m.head++
		}
		return true
	case 9:
		if h := m.head; !m.freed[h] && m.word[h] <= started {
			*pc = 13
			return true
		}
	case 10: // notice: load
		if m.phase[m.head] != parked {
			*pc = 12
			return true
		}
	case 11:
		if m.phase[m.head] == parked {
			m.phase[m.head] = noticed
			m.parked--
			m.token[m.head] = r.flaw != "notice without waking"
			m.found[i]++
		}
	case 12:
		m.head++
		*pc = 8
		return true
	case 13:
		m.mu = 0
		if m.armed[i] {
			*pc = 20
			return true
		}
	case 14:
		switch {
		case m.parked == 0:
			*pc = 30
		case m.found[i] > 0:
			*pc = 6
		default:
			*pc = 15
		}
		return true
	case 15: // arm
		m.asleep = true
	case 16:
		r.clear(m)
	case 17:
		m.bell = true
	case 18:
		if m.armed[i] = true; r.flaw == "reader sleeps without a second look" {
			*pc = 21
			return true
		}
		*pc = 7
		return true
	case 20:
		if m.found[i] > 0 || m.failed || m.parked == 0 {
			*pc = 23
			return true
		}
	case 21, 22:
		return r.sleep(m, pc, 21, 23)
	case 23:
		m.bell = false
	case 24:
		m.asleep = false
	case 25:
		m.armed[i] = false
		*pc = 6
		return true
	case 30: // leave
		m.reading = false
	case 31:
		if m.parked == 0 || r.flaw == "leave without a second look" {
			*pc = 41
			return true
		}
	case 32:
		if was := m.reading; was {
			*pc = 41
			return true
		}
		m.reading = true
		*pc = 6
		return true
	case 40:
		m.reading = false
	case 41:
		m.bellOwner = 0
		*pc = ended
		return true
	default:
		return false
	}
	*pc++
	return true
}

// kick runs one of its four steps and reports whether it is over.
func (m *model) kick(step int8) bool {
	switch step {
	case 0:
		return !m.asleep
	case 1:
		m.bell = false
	case 2:
		m.deadline = true
	case 3:
		m.kicked = true
		return true
	}
	return false
}

// takeBack is TakeBack of the first call, once that is published.
func (r *rules) takeBack(m *model) bool {
	pc := &m.pc[canceller]
	switch *pc {
	case 0:
		if m.phase[0] == idle && !m.freed[0] || m.pc[callerA] < 3 || m.mu != 0 {
			return false
		}
		m.mu = canceller + 1
	case 1:
		if m.freed[0] || m.word[0] != queued || m.phase[0] != published && m.phase[0] != parked {
			*pc = 9
			return true
		}
	case 2:
		if m.freed[0] || m.word[0] != queued {
			*pc = 9
			return true
		}
		m.word[0] = taken
	case 3:
		switch m.phase[0] {
		case published:
			m.phase[0] = retaken
			m.took = true
			if *pc = 5; r.flaw == "take back without a kick" {
				*pc = 9
			}
			return true
		case parked:
			m.phase[0] = retaken
			m.took = true
			m.parked--
			m.token[0] = true
		}
		*pc = 9
		return true
	case 5, 6, 7, 8:
		if m.kick(*pc - 5) {
			*pc = 9
			return true
		}
	case 9:
		m.mu = 0
		*pc = ended
		return true
	default:
		return false
	}
	*pc++
	return true
}

// fail kills the worker and calls Fail.
func (r *rules) fail(m *model) bool {
	pc := &m.pc[killer]
	switch *pc {
	case 0:
		m.dead = true
		m.futex = false
	case 1:
		m.failed = true
	case 2:
		if m.mu != 0 {
			return false
		}
		m.mu = killer + 1
	case 3, 4:
		if i := *pc - 3; m.phase[i] == parked {
			m.phase[i] = noticed
			m.parked--
			m.token[i] = true
		}
	case 5:
		m.mu = 0
		if r.flaw == "fail without a kick" {
			*pc = ended
			return true
		}
	case 6, 7, 8, 9:
		if m.kick(*pc - 6) {
			*pc = ended
			return true
		}
	default:
		return false
	}
	*pc++
	return true
}

// wrong says what is wrong with a state in which nothing can move any more, or in
// which a call has its outcome.
func (r *rules) wrong(m *model, still bool) string {
	for i := range r.callers {
		switch o := m.outcome[i]; {
		case o == violation:
			return fmt.Sprintf("call %d: an honest worker was found to break a rule", i)
		case m.runs[i] > 1:
			return fmt.Sprintf("call %d ran twice", i)
		case m.runs[i] > 0 && (o == gotTaken || o == gotUnstarted):
			return fmt.Sprintf("call %d was started, its outcome says it was not", i)
		case m.runs[i] == 0 && o == answered:
			return fmt.Sprintf("call %d was answered and never ran", i)
		case o == gotTaken && (!m.took || i != 0):
			return fmt.Sprintf("call %d was not taken back, its outcome says so", i)
		case still && m.pc[i] != ended:
			return fmt.Sprintf("call %d waits for ever: a lost wake-up", i)
		}
	}
	if still && m.took && m.outcome[0] != gotTaken {
		return "TakeBack said yes, the outcome is another"
	}
	// A reader may sleep on when nobody waits any more; the next answer rings.
	if asleep := m.pc[readerA] == 22 || m.pc[readerB] == 22; still && (m.parked != 0 || m.waiters != 0 || m.mu != 0 || (m.bellOwner != 0 || m.reading) && !asleep) {
		return fmt.Sprintf("left behind: %+v", m)
	}
	return ""
}

// all stands for any number of preemptions.
const all = -1

// explore runs every order of steps with at most that many preemptions: changes
// from a process that could have gone on. It returns how many states there are,
// and the first wrong one with the way that leads to it.
func (r *rules) explore(preemptions int8) (states int, wrong string) {
	type key struct {
		m    model
		last int8
		used int8
	}
	type visit struct {
		key
		from int32
	}
	start := key{m: model{word: [2]state{free, free}}, last: -1}
	list := []visit{{start, -1}}
	seen := map[key]struct{}{start: {}}
	for i := 0; i < len(list); i++ {
		at := list[i].key
		next := [processes]model{}
		can := [processes]bool{}
		still := true
		for p := range processes {
			next[p] = at.m
			can[p] = r.step(&next[p], p)
			still = still && !can[p]
		}
		for p := range processes {
			k := key{m: next[p], last: -1}
			if preemptions != all { // or else how a state was reached does not matter
				k.last, k.used = int8(p), at.used
				if at.last >= 0 && int(at.last) != p && can[at.last] {
					k.used++
				}
			}
			if !can[p] || preemptions != all && k.used > preemptions {
				continue
			}
			if _, old := seen[k]; !old {
				seen[k] = struct{}{}
				list = append(list, visit{k, int32(i)})
			}
		}
		if text := r.wrong(&at.m, still); text != "" {
			var way []string
			for n := i; list[n].from >= 0; n = int(list[n].from) {
				way = append(way, list[n].m.after(&list[list[n].from].m))
			}
			slices.Reverse(way)
			return len(list), text + "\n\tway (process.step): " + strings.Join(way, " ")
		}
	}
	return len(list), ""
}

// after names the step from before to m.
func (m *model) after(before *model) string {
	for p := range processes {
		if m.pc[p] != before.pc[p] {
			return fmt.Sprintf("%d.%d", p, before.pc[p])
		}
	}
	return "2.0" // the only step that leads to itself: the worker passes a call
}

// TestModel: in no order of steps is a wake-up or an answer lost, or a started
// call taken back.
func TestModel(t *testing.T) {
	for _, c := range []struct {
		name        string
		rules       rules
		preemptions int8
	}{
		{"one caller", rules{callers: 1}, all},
		{"one caller, taken back", rules{callers: 1, cancel: true}, all},
		{"one caller, the worker dies", rules{callers: 1, kill: true}, all},
		{"one caller, taken back, death", rules{callers: 1, cancel: true, kill: true}, all},
		{"two callers", rules{callers: 2}, 2},
		{"two callers, one taken back", rules{callers: 2, cancel: true}, 2},
		{"two callers, the worker dies", rules{callers: 2, kill: true}, 2},
		{"two callers, one taken back, death", rules{callers: 2, cancel: true, kill: true}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			states, wrong := c.rules.explore(c.preemptions)
			if wrong != "" {
				t.Error(wrong)
			}
			t.Logf("%d states", states)
		})
	}
}

// TestModelNotices: without any one of its second looks, wake-ups and locks the
// protocol is wrong, and the model says so.
func TestModelNotices(t *testing.T) {
	for _, f := range []flaw{
		"sleep without a second look", "park without a second look", "worker sleeps without a second look",
		"notice without waking", "reader sleeps without a second look", "leave without a second look",
		"take back without a kick", "fail without a kick", "settle beside TakeBack", "count after parking",
	} {
		found := ""
		for _, r := range []rules{{callers: 1, cancel: true}, {callers: 1, kill: true}, {callers: 2}} {
			r.flaw = f
			if _, found = r.explore(2); found != "" {
				break
			}
		}
		if found == "" {
			t.Errorf("%s: the model finds nothing wrong with that", f)
		}
	}
}
