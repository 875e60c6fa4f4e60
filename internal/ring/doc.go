// Package ring carries calls between a parent process and one worker through
// memory that both map. It knows bytes, not tasks.
//
// A worker has one or more lanes. A lane is one goroutine of the worker that runs
// its calls strictly one after the other, in the order in which they were
// reserved. Many goroutines of the parent submit to a lane; each waits for its own
// call.
//
//	parent                                    worker
//	s, ok := lane.Reserve()  // under a mutex
//	lane.Publish(s, request)                  r, err := lane.Next()
//	                                          lane.Done(answer)
//	answer, aside, err := lane.Wait(s, nil, nil)
//
// One slot can also hold a chunk, many items that the worker begins one after the
// other. The parent takes back those not begun at any time ([Outbox.Trim]), sees
// the outcomes of those that are over ([Outbox.Peek]), and loses one item when the
// worker dies:
//
//	lane.PublishItems(s, request, n)          for i := 0; lane.Begin(i); i++ { … }
//	answer, begun, aside, err :=              lane.Done(answer)
//		lane.WaitItems(s, nil, nil)
//
// Calls of up to [Inline] bytes travel in the memory itself. A larger request or
// answer goes another way, which is the users' business: the slot says "aside".
//
// # Waiting
//
// A caller who is the only one to wait for a worker looks for its answer itself,
// for a bounded time awake, then asleep: no other goroutine stands between it and
// the worker. When several wait, one goroutine looks for all and wakes them, until
// only one is left. The worker's lanes wait awake for a bounded time too, then
// each blocks one thread in a futex. The parent sleeps in the runtime's poller, by
// one eventfd for each worker, whatever the number of callers. Asleep nobody uses
// the processor.
//
// Waiting awake is bounded in number as well, over a whole tree of processes: see
// [Spinners].
//
// # Trust
//
// What a worker writes is hostile to its parent. The parent loads each word once,
// checks it, copies the bytes and only then gives them out; what it must know for
// certain it keeps in memory of its own. A word that no rule allows is an error
// that wraps wire.ErrProtocol. A worker that scribbles can fail its own calls, or
// never answer them, as one that loops can; it can not settle a call twice, panic
// or hold the parent beyond Fail. The worker trusts its parent.
//
// The protocol, with its states and numbered rules, is on the page README.md
// beside this file; model_test.go runs it through all orders of its steps.
package ring
