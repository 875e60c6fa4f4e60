// Package bench measures in a few seconds what tandem costs on this machine,
// each figure beside that of a rival in the same run. It is the short form of
// the module bench at the top of the repository, which has more rivals, more
// sizes and more care.
package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/course"
)

// Run measures everything in about budget, more where a single round of
// everything takes longer. It calls show for each row as soon as it is
// measured. What the system does not have is a row without values and not an
// error. It returns the cause of ctx soon after that has ended. Its workers and
// children have ended when it returns.
func Run(ctx context.Context, budget time.Duration, show func(Row) error) (*Report, error) {
	begin, others := time.Now(), course.WatchOthers()
	r := &Report{Machine: here()}
	for _, m := range measures {
		runtime.GC() // nobody sweeps up after the one before
		rows, err := m.take(ctx, budget/time.Duration(len(measures)))
		if err != nil {
			return nil, fmt.Errorf("tandem: bench: %s: %w", m.rows[0].Key, err)
		}
		for _, row := range rows {
			r.Rows = append(r.Rows, row)
			if err := show(row); err != nil {
				return nil, err
			}
		}
	}
	r.Seconds, r.Busy = time.Since(begin).Seconds(), others.Busy()
	return r, nil
}

// measure is some rivals that do the same work in turns, and the rows that
// compare them.
type measure struct {
	rivals []contender
	rows   []Row
}

// measures are taken in this order.
var measures = []measure{
	{
		[]contender{callsAlone(rings), callsAlone(sockets), pipeAlone},
		[]Row{
			{Key: "call_p50", Name: "call alone, median", Unit: Nanoseconds, Rival: pipes, theirs: figure{2, 0}},
			{Key: "call_p99", Name: "call alone, p99", Unit: Nanoseconds, Rival: pipes, ours: figure{0, 1}, theirs: figure{2, 1}},
			{Key: "socket_call_p50", Name: "the same on sockets, median", Unit: Nanoseconds, Rival: pipes, ours: figure{1, 0}, theirs: figure{2, 0}},
			{Key: "socket_call_p99", Name: "the same on sockets, p99", Unit: Nanoseconds, Rival: pipes, ours: figure{1, 1}, theirs: figure{2, 1}},
		},
	},
	{
		[]contender{callsBy(1, rings), callsBy(1, sockets)},
		[]Row{{Key: "calls_1", Name: "calls by 1 caller", Unit: PerSecond, Rival: onSockets, theirs: figure{1, 0}}},
	},
	{
		[]contender{callsBy(100, rings), callsBy(100, sockets)},
		[]Row{{Key: "calls_100", Name: "calls by 100 callers", Unit: PerSecond, Rival: onSockets, theirs: figure{1, 0}}},
	},
	{
		[]contender{mapItems, goItems},
		[]Row{{Key: "map", Name: "Map, int to int, items", Unit: PerSecond, Rival: "a goroutine each", theirs: figure{1, 0}}},
	},
	{
		[]contender{sendBytes, sendBuffer, pipeBytes},
		[]Row{
			{Key: "bytes_64mib", Name: "64 MiB as []byte", Unit: Nanoseconds, Rival: pipes, theirs: figure{2, 0}},
			{Key: "buffer_64mib", Name: "64 MiB in a shared.Buffer", Unit: Nanoseconds, Rival: pipes, ours: figure{1, 0}, theirs: figure{2, 0}},
		},
	},
	{
		[]contender{startTandem, startBare},
		[]Row{{Key: "start", Name: "a process to its first result", Unit: Nanoseconds, Rival: "os/exec", theirs: figure{1, 0}}},
	},
	{
		[]contender{lockShared, lockSync},
		[]Row{{Key: "mutex", Name: "shared.Mutex, nobody waits", Unit: Nanoseconds, Rival: "sync.Mutex", theirs: figure{1, 0}}},
	},
	{
		[]contender{idleWorker, idleChild},
		[]Row{{Key: "memory", Name: "memory of one idle worker", Unit: Bytes, Rival: "idle child", theirs: figure{1, 0}}},
	},
}

const (
	pipes     = "bare pipes"
	onSockets = "on sockets"
)

// take measures, and fills a copy of the rows.
func (m measure) take(ctx context.Context, budget time.Duration) (rows []Row, err error) {
	results, err := turns(ctx, budget, m.rivals)
	if err != nil {
		return nil, err
	}
	for _, row := range m.rows {
		row.fill(results)
		rows = append(rows, row)
	}
	return rows, nil
}

// The tasks. Each has a result that can be checked.
var (
	next  = tandem.NewTask("next", func(_ context.Context, n int) (int, error) { return n + 1, nil })
	probe = tandem.NewTask("probe", func(_ context.Context, b []byte) (uint64, error) { return look(b), nil })
)

var errWrong = errors.New("a result is wrong; please report this")
