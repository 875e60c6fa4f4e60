//go:build !(tandemdebug || race)

package coroutine

const checked = false

type twin struct{}

func (*twin) bind()  {}
func (*twin) check() {}

type turnstile struct{}

func (*turnstile) enter() {}
func (*turnstile) leave() {}
