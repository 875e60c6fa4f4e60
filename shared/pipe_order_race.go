//go:build race

package shared

import (
	"encoding/binary"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"weak"

	"github.com/tandem-go/tandem/internal/sys"
)

// ordering tells the race detector what a pipe puts in order: what was done before a
// Send comes before what is done after the Recv of it. In race builds each message ends
// with who sent it: a process, and a line there. If that is this process, the detector
// is told of that line; else of all other processes.
type ordering struct {
	key uint64
	*sent
}

// sent counts what was sent by a line; only the detector looks at it.
type sent struct{ n atomic.Int64 }

const stampSize = 4 + 8

var (
	lastKey atomic.Uint64
	lines   sync.Map // a weak.Pointer[sent] for each key
)

func newOrdering() ordering {
	o := ordering{lastKey.Add(1), new(sent)}
	lines.Store(o.key, weak.Make(o.sent))
	runtime.AddCleanup(o.sent, func(key uint64) { lines.Delete(key) }, o.key)
	return o
}

func (o ordering) stamp(body []byte) []byte {
	o.n.Add(1)
	sys.ToOthers()
	body = binary.LittleEndian.AppendUint32(body, uint32(os.Getpid()))
	return binary.LittleEndian.AppendUint64(body, o.key)
}

func (ordering) came(body []byte) ([]byte, error) {
	n := len(body) - stampSize
	if n < 1 {
		return nil, errRules
	}
	pid, key := binary.LittleEndian.Uint32(body[n:]), binary.LittleEndian.Uint64(body[n+4:])
	p, known := lines.Load(key)
	if !known || pid != uint32(os.Getpid()) {
		sys.FromOthers()
	} else if s := p.(weak.Pointer[sent]).Value(); s != nil {
		s.n.Load()
	} else { // it was closed since
		sys.FromOthers()
	}
	return body[:n], nil
}
