package deadlock

import (
	"slices"
	"time"

	"github.com/tandem-go/tandem/internal/sys"
)

// watch looks on behalf of all goroutines of this process that wait, as long as there
// are any.
func watch() {
	for {
		time.Sleep(pause)
		table.Lock()
		if len(table.waits) == 0 {
			table.watching = false
			table.Unlock()
			return
		}
		table.Unlock()
		if patient := publish(); len(patient) > 0 {
			look(patient)
		}
	}
}

// publish tells the others who has waited for long, and returns those.
func publish() map[*Wait]*Record {
	now := sys.MonotonicNow()
	var long []*Wait
	table.Lock()
	for w := range table.waits {
		if now-w.record.Since >= int64(patience) {
			long = append(long, w)
		}
	}
	table.Unlock()
	long = slices.DeleteFunc(long, func(w *Wait) bool { // not under the lock: it may take others
		w.record.Checked = sys.MonotonicNow()
		w.record.Peers = nil
		for _, pid := range w.request.Peers() {
			w.record.Peers = append(w.record.Peers, int32(pid))
		}
		return w.request.Still != nil && !w.request.Still()
	})
	table.Lock()
	defer table.Unlock()
	table.page.records = nil
	own := make(map[*Wait]*Record)
	for _, w := range long {
		if table.waits[w] {
			r := w.record
			r.Holds, r.pid = slices.Clone(table.holds[r.Goroutine]), self
			table.page.records = append(table.page.records, r)
			own[w] = &r
		}
	}
	table.page.write()
	return own
}

// mostPages bounds how many processes one look asks.
const mostPages = 1024

// look looks for circles, and tells those of this process's goroutines who have to
// give up.
func look(own map[*Wait]*Record) {
	var all []*Record
	for _, r := range own {
		all = append(all, r)
	}
	asked := map[int]bool{self: true}
	for i := 0; i < len(all); i++ { // it grows
		for _, pid := range all[i].Peers {
			if pid := int(pid); !asked[pid] && len(asked) < mostPages {
				asked[pid] = true
				all = append(all, Read(pid)...)
			}
		}
	}
	read := sys.MonotonicNow()
	all = stuck(all)
	for w, r := range own {
		w.consider(r, all, read)
	}
}

// suspicion is a deadlock that was seen once.
type suspicion struct {
	members map[id]bool
	seen    int64 // all of them waited until then
}

// id tells a waiting from all others.
type id struct {
	pid    int
	number uint64
}

// consider tells w if he is the one to be told of a deadlock, and if it was there
// before: all its members have been waiting all the time, and each was found not to
// have got anything at a time at which all of them did.
func (w *Wait) consider(r *Record, all []*Record, read int64) {
	reached := r.reach(all)
	if !slices.Contains(all, r) || !r.chosen(reached, all) {
		w.suspect = nil
		return
	}
	same := w.suspect != nil && len(w.suspect.members) == len(reached)
	fresh := true
	members := map[id]bool{}
	for o := range reached {
		who := id{o.pid, o.Number}
		members[who] = true
		same = same && w.suspect.members[who]
		fresh = fresh && w.suspect != nil && o.Checked > w.suspect.seen
	}
	switch {
	case !same:
		w.suspect = &suspicion{members, read}
	case fresh:
		w.tell(r.circle(all))
	}
}
