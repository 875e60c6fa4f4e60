// Package slab is the memory in which large arguments and results pass between two
// processes: segments that are filled by one side, read by the other, and used
// again.
//
// A [Pool] belongs to the side that fills: a parent has one for its calls'
// arguments, a worker one for its results. An [Exchange] is what one call has of
// segments; it is the codec's Store. The bytes are copied twice, once in and once
// out, by several goroutines if they are many, and through no socket.
//
// # The way of a segment
//
//	idle → lent to a call → idle        an argument's, when the call is settled
//	idle → lent → forwarded → idle      a result's, when the parent has copied it out
//	idle → dropped                      not used for a while, or others need the room
//
// An argument's segment is lent as long as a worker may read it. The call is settled
// when the worker has answered or is gone, so nobody reads any more. It was given
// out by a descriptor that cannot write, so whatever a worker does, it cannot reach
// the arguments that the segment carries later to others.
//
// A result's segment is forwarded with the answer, and the worker goes on. The
// parent writes the word at [releasedAt] when it has copied what it wanted; the
// worker looks there when it needs a segment.
//
// # What travels
//
// The descriptor goes along each time, beside the bytes: some microseconds, of a
// call that takes more than that for copying. The receiver recognises a segment that
// it has mapped already by device and inode (package mem), and keeps a few mapped
// (a [Reader]). So neither side keeps a table about the other that could be wrong,
// and nobody need be told of a segment that was dropped: its memory is cut out of it
// and gone, whoever has it mapped.
//
// The road not taken: to read and write with pread and pwrite, which needs no
// mapping at all. It takes twice as long.
//
// # Trust
//
// What comes from a worker is a descriptor and offsets. The segment must be sealed
// and have its memory; offsets are checked against its size, must rise, and each
// segment comes once in a call, so what is copied is never more than what the worker
// had to have. The content changes under the reader's eyes if the worker likes:
// whoever fetches copies first and looks then.
package slab
