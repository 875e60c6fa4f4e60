package tandem

import (
	"fmt"
	"sync"

	"github.com/tandem-go/tandem/internal/codec"
	"github.com/tandem-go/tandem/internal/spawn"
)

// lazy is a codec that is compiled when it is needed: in the root program at
// once, so that a type that cannot travel is a mistake found at start, and in a
// worker for the tasks that it runs. A compilation costs about 10 µs, and a
// worker that paid it for every task of a large program would start late.
type lazy[T any] struct {
	once  sync.Once
	codec *codec.Codec[T]
	err   error
}

func (l *lazy[T]) compile() error {
	l.once.Do(func() { l.codec, l.err = codec.Of[T]() })
	return l.err
}

// get is the compiled codec. It cannot fail in a program that has started.
func (l *lazy[T]) get() *codec.Codec[T] {
	if err := l.compile(); err != nil {
		panic(fmt.Sprintf("tandem: %v; the root program should have found this at its start", err))
	}
	return l.codec
}

// inWorker reports whether this process was started as a worker.
func inWorker() bool {
	_, ok := spawn.Channel()
	return ok
}
