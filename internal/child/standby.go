package child

import (
	"fmt"
	"time"

	"github.com/tandem-go/tandem/internal/sys"
	"github.com/tandem-go/tandem/internal/wire"
)

// Handover makes a standby the process of a task. It stands before the call, in the
// same message.
type Handover struct {
	Name, ParentName string
	Vars             []byte
}

// Append appends h to dst; the call follows.
func (h *Handover) Append(dst []byte) []byte {
	dst = wire.AppendBytes(wire.AppendBytes(dst, h.Name), h.ParentName)
	return wire.AppendBytes(dst, h.Vars)
}

// parseHandover is the inverse of Append.
func parseHandover(body []byte) (h Handover, call []byte, err error) {
	r := wire.NewReader(body)
	h.Name, h.ParentName, h.Vars = string(r.Bytes()), string(r.Bytes()), r.Bytes()
	return h, r.Rest(), r.Err()
}

// takeOver becomes the process of the task that has come, and returns its call.
func (w *worker) takeOver(body []byte) (call []byte) {
	if !w.hello.Standby || len(body) == 0 { // an empty one is a call that could not be sent
		return body
	}
	h, call, err := parseHandover(body)
	if err == nil {
		err = Root.Inherit(h.Vars)
	}
	if err != nil {
		die(fmt.Errorf("tandem: worker: the hand-over to a standby: %w", err))
	}
	Self.Name, Self.ParentName = h.Name, h.ParentName
	return call
}

// lingerFor is how long a standby stays after its task, asleep, unless its parent
// asks it to go. The end of a process takes more of a processor than many a task,
// and the next standby may be wanted there in this moment.
const lingerFor = 10 * time.Millisecond

func (w *worker) linger() {
	if w.hello.Standby {
		sys.Doze(lingerFor)
	}
}
