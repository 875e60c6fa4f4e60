// Command chaos disturbs pools of processes that work, and checks that nothing
// but the disturbed calls notices (Linux).
//
//	go run ./chaos [-for 2m] [-seed N] [-plot FILE.svg]
//
// Calls, futures, Map, large arguments, files, locks, queues, processes of Start, with and
// without a Standby, and a service keep two pools busy, and a third runs tasks that
// misbehave, while a schedule of disturbances goes on: workers are killed, stopped for
// a while or for good, the whole tree of processes is suspended, workers are born whose
// clocks show other times, tasks take all memory, all descriptors, fill a disk, flood
// their output, spin, overflow the stack, write over the memory that they share with
// the parent; pools are started whose workers die at birth, and programs that have no
// descriptor or process left. What this machine or user cannot do is left out, and said.
//
// The schedule follows from the seed, which is printed first. The load's own choices
// follow from it too; how the two meet is up to the machine, so that a seed replays
// the disturbances and not each interleaving.
//
// Held throughout: every task settles once, with an answer computed from its own
// argument or an error that its disturbance explains; a task that is not idempotent
// starts once at most. At the end: the pools have all their workers, are as fast as a
// fresh one, and leave nothing when they are closed. If any of it does not hold, the exit
// status is 1, and the seed is printed again.
//
// Once a second a sample is taken of what this process and all below it hold. What grows
// is judged by the medians of the first and the last fifth after a warm-up: see the
// table that is printed, whose column "seen from" is the least growth in an hour that
// would have been too much. The longer the run, the less that is. With -plot the
// samples are drawn over time, and written as CSV beside the picture.
//
// Not here: a time of day that jumps. That clock is the whole machine's, and nothing here
// looks at it: limits and deadlines are measured since boot.
package main
