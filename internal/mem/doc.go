// Package mem is memory that processes share: nameless segments of a fixed
// size, which travel by descriptor and vanish from the kernel with their last
// user.
//
// A segment is known by its device and inode. It is mapped once in each process,
// however many handles there are, so that what a process keeps beside it (queues
// of waiting goroutines, links of the kernel's robust list) exists once too.
//
// # Layout
//
// A segment begins with a header, and everything after it is the users':
//
//	0   magic, with the layout's version
//	8   kind: which type of package shared it is
//	16  size of the segment in bytes
//	24  schema: hash of the structure of what is in it
//	32  in race builds: which process used it last; see seen_race.go
//	64  the users' part (HeaderSize)
//
// In a process one page of private memory lies directly below the segment. The
// word at offset n of that page is the private companion of the word at offset n
// of the segment's first page; package lock keeps its list nodes there.
//
//	base                base+page
//	| private page      | segment: first page | … |
//
// # Life and death
//
// A segment is released when its last handle in this process is closed or
// collected. Then other memory takes its place at the same address: what users
// called their tomb. A goroutine that was inside finds the words that mean
// "closed" there, and no fault; a fault on unmapped memory would end the
// program, and no recover could stop it. The address range itself is given back
// when the garbage collector finds that no goroutine can look at it any more.
//
// A buffer or slice needs none of that: its memory is touched under a reference only,
// so the last release simply takes it away.
//
// The road not taken: a counter of those who are inside would allow to unmap locks at
// once, but costs two atomic operations on each use of a lock, as much as the
// lock itself.
//
// # Trust
//
// A descriptor that arrives is checked before it is mapped: it must be a memfd
// whose size is sealed, so that nobody can cut the memory from under a reader
// (a SIGBUS), with a header that fits. What is in the users' part can be changed
// by every process that has the segment, at any time.
package mem
