package child

// The page is memory that the parent and one worker share. The worker writes,
// the parent reads when the worker has died. It is the one hint that a worker
// gives about what it had begun; a worker that lies in it can make a task run
// twice, never settle twice.
//
//	word 0            phase of the worker's life
//	word 1 + lane     sequence number of the call that lane has started last
//	bytes 4096…       the Go runtime's crash report
const (
	PhaseWord  = 0
	FirstLane  = 1
	ReportAt   = 4096
	ReportSize = 60 << 10
	PageFile   = ReportAt + ReportSize

	// MaxLanes is how many lanes a worker may have: their sockets, the page and the
	// registrations fit one message.
	MaxLanes = 62
)

// Phases of a worker's life.
const (
	PhaseExec    = 0 // Init was not reached
	PhaseInit    = 1 // Init was reached
	PhaseServing = 2 // Setup is done
	PhaseLeaving = 3 // asked to leave, or its one call is done
	PhaseCut     = 4 // it ended itself, since the channel to its parent was closed
)

// Mark is what a worker writes into its lane's word for call seq: never 0, which
// stands for "none yet".
func Mark(seq uint32) uint64 { return 1<<32 | uint64(seq) }
