// Package wire is the protocol between a parent and its workers: frames over a
// connected stream socket, with descriptors beside the bytes. README.md states
// its rules. Nothing here knows a task's types.
//
// Both sides are the same program, so the version guards against a binary that
// was replaced between two starts, not against history. What a worker writes is
// hostile: lengths and counts are read once, checked, and only then used.
package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Version is the protocol's; a frame of another version is refused.
const Version = 1

// MaxFailure bounds an encoded error. It may take the place of a result, and then
// the limit on results is not for it.
const MaxFailure = 512 << 10

// HeaderSize is the size of a frame's header:
//
//	0  version
//	1  kind
//	2  descriptors, 16 bits
//	4  sequence number, 32 bits
//	8  length of the body, 64 bits
//
// all little-endian. The descriptors travel beside the header's first byte.
const HeaderSize = 16

// Kind says what a frame is. The comment names who sends it, where.
type Kind uint8

const (
	Start    Kind = 1 + iota // parent, control: who you are, your lanes; the first frame
	Ready                    // worker, control: handshake and Setup are done
	Refused                  // worker, control: they failed; the body is text, or the outcome of a hook
	Cancel                   // parent, control: end the context of a call; seq and the body's lane
	Exit                     // parent, control: end when no call runs
	Call                     // parent, lane: run this
	Result                   // worker, lane: the outcome, same seq
	Unrun                    // worker, lane: the call was not started; the body is its error, as an outcome
	Record                   // worker, log channel: a record of log/slog
	Profile                  // parent, control: make a profile and write it to the descriptor
	lastKind = Profile
)

var kindNames = [...]string{"", "Start", "Ready", "Refused", "Cancel", "Exit", "Call", "Result", "Unrun", "Record", "Profile"}

func (k Kind) String() string {
	if k > 0 && k <= lastKind {
		return kindNames[k]
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// ErrProtocol is wrapped by every error that says that the other side broke a
// rule. After it nothing that came from there is believed.
var ErrProtocol = errors.New("protocol violation")

// Header is the fixed part of a frame.
type Header struct {
	Kind    Kind
	Handles int
	Seq     uint32
	Length  uint64
}

func (h Header) put(b []byte) {
	b[0], b[1] = Version, byte(h.Kind)
	binary.LittleEndian.PutUint16(b[2:], uint16(h.Handles))
	binary.LittleEndian.PutUint32(b[4:], h.Seq)
	binary.LittleEndian.PutUint64(b[8:], h.Length)
}

func parseHeader(b []byte) (Header, error) {
	h := Header{
		Kind:    Kind(b[1]),
		Handles: int(binary.LittleEndian.Uint16(b[2:])),
		Seq:     binary.LittleEndian.Uint32(b[4:]),
		Length:  binary.LittleEndian.Uint64(b[8:]),
	}
	switch {
	case b[0] != Version:
		return h, fmt.Errorf("%w: version %d, want %d (was the binary replaced?)", ErrProtocol, b[0], Version)
	case h.Kind == 0 || h.Kind > lastKind:
		return h, fmt.Errorf("%w: unknown frame kind %d", ErrProtocol, b[1])
	case h.Length > math.MaxInt-HeaderSize:
		return h, fmt.Errorf("%w: %v frame of %d bytes", ErrProtocol, h.Kind, h.Length)
	}
	return h, nil
}
