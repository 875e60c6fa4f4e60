package bench

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
	"github.com/tandem-go/tandem/shared"
)

// large is the size of what is sent there; one number comes back.
const large = 64 << 20

// look adds three places of b, of which one is new in each call: the bytes that
// are looked at are those that were sent.
func look(b []byte) uint64 {
	return binary.LittleEndian.Uint64(b) + uint64(b[len(b)/2]) + uint64(b[len(b)-1])
}

// payload is large bytes that are there already, the same for all contenders.
func payload() []byte {
	b := make([]byte, large)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

// send makes a round of sending b.
func send(b []byte, call func() (uint64, error)) func(time.Duration) ([]float64, error) {
	n := uint64(0)
	return median(func() error {
		n++
		binary.LittleEndian.PutUint64(b, n)
		got, err := call()
		if err == nil && got != look(b) {
			err = errWrong
		}
		return err
	})
}

func sendBytes(ctx context.Context) (func(time.Duration) ([]float64, error), func() error, error) {
	pool := &process.Pool{Workers: 1}
	b := payload()
	return send(b, func() (uint64, error) { return probe.On(pool).Call(ctx, b) }), pool.Close, pool.Start(ctx)
}

func pipeBytes(ctx context.Context) (func(time.Duration) ([]float64, error), func() error, error) {
	p, err := startPeer(ctx)
	if err != nil {
		return nil, nil, err
	}
	b := payload()
	return send(b, func() (uint64, error) { return p.send(b) }), p.Close, nil
}

var lookInto = tandem.NewTask("look into", func(_ context.Context, b *shared.Buffer) (n uint64, err error) {
	defer b.Close()
	err = b.View(func(p []byte) error { n = look(p); return nil })
	return n, err
})

// sendBuffer passes the handle of a buffer; nothing is copied.
func sendBuffer(ctx context.Context) (func(time.Duration) ([]float64, error), func() error, error) {
	buffer, err := shared.NewBuffer(large)
	if err != nil {
		return nil, nil, err
	}
	b, err := buffer.Slice()
	if err != nil {
		buffer.Close()
		return nil, nil, err
	}
	copy(b, payload())
	pool := &process.Pool{Workers: 1}
	end := func() error {
		err := pool.Close()
		buffer.Unpin()
		buffer.Close()
		return err
	}
	return send(b, func() (uint64, error) { return lookInto.On(pool).Call(ctx, buffer) }), end, pool.Start(ctx)
}
