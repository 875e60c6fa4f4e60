package deadlock

import "cmp"

// Record is one who waits, as all processes see him. While he waits, all but Checked
// and Peers stays as it is: who waits neither takes nor gives.
type Record struct {
	Number    uint64 // of this waiting; its process has no other of that number
	Goroutine uint64
	Since     int64 // on the clock of this machine, as Checked
	Checked   int64 // then he still waited
	What      Thing
	Wants     int
	Holds     []hold
	Peers     []int32
	Task, At  string

	pid int // not sent: who reads a process's page knows whose it is
}

func (r *Record) has(what Thing) int {
	if i := find(r.Holds, what); i >= 0 {
		return r.Holds[i].Has
	}
	return 0
}

// waitsFor reports whether other stands in the way of r: he has shares of what r
// wants, or wants all of them and is not overtaken.
func (r *Record) waitsFor(other *Record) bool {
	return other.has(r.What) > 0 || r.behind(other)
}

// behind reports whether other waits for all of what r wants a part of: he is not
// overtaken.
func (r *Record) behind(other *Record) bool {
	return other.What == r.What && other.Wants == All && r.Wants < All
}

// stuck are those of all who can never get what they want, as long as none of them
// gives up. It is what is left when everybody is taken away who could still get
// it: those who are not in all, and what they have, may move at any time.
func stuck(all []*Record) []*Record {
	for {
		var left []*Record
		for _, r := range all {
			if r.cannot(all) {
				left = append(left, r)
			}
		}
		if len(left) == len(all) {
			return all
		}
		all = left
	}
}

// cannot reports whether r gets nothing while none of the others moves: they keep so
// much that too little can become free, or one of them, whom nobody overtakes, wants
// all of it, and another keeps a part.
func (r *Record) cannot(others []*Record) bool {
	kept, before := 0, false
	for _, o := range others {
		kept += o.has(r.What)
		if kept > r.What.Shares {
			return false // a lie
		}
		before = before || r.behind(o)
	}
	return kept+r.Wants > r.What.Shares || before && kept > 0
}

// reach is the part of all in whose way each of them stands, beginning with r: r
// waits, in the end, for each.
func (r *Record) reach(all []*Record) map[*Record]bool {
	seen := map[*Record]bool{}
	for todo := []*Record{r}; len(todo) > 0; {
		from := todo[0]
		todo = todo[1:]
		for _, o := range all {
			if from.waitsFor(o) && !seen[o] {
				seen[o] = true
				todo = append(todo, o)
			}
		}
	}
	return seen
}

// circle is the shortest one from r back to r, or nil.
func (r *Record) circle(all []*Record) []*Record {
	before := map[*Record]*Record{}
	for todo := []*Record{r}; len(todo) > 0; {
		from := todo[0]
		todo = todo[1:]
		if from.waitsFor(r) {
			var way []*Record
			for o := from; o != r; o = before[o] {
				way = append([]*Record{o}, way...)
			}
			return append([]*Record{r}, way...)
		}
		for _, o := range all {
			if o != r && before[o] == nil && from.waitsFor(o) {
				before[o] = from
				todo = append(todo, o)
			}
		}
	}
	return nil
}

// chosen reports whether it is r who is to be told: of those who wait for each other, and
// for nobody else, it is who has waited for the shortest time. Who also waits for others may
// be free when these have been told.
func (r *Record) chosen(reached map[*Record]bool, all []*Record) bool {
	for o := range reached {
		if !o.reach(all)[r] || o.compare(r) > 0 {
			return false
		}
	}
	return reached[r]
}

func (r *Record) compare(o *Record) int {
	return cmp.Or(cmp.Compare(r.Since, o.Since), cmp.Compare(r.pid, o.pid), cmp.Compare(r.Number, o.Number))
}
