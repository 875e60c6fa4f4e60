//go:build !race

package shared

// ordering tells the race detector, if there is one, what a pipe puts in order; see
// pipe_order_race.go.
type ordering struct{}

const stampSize = 0

func newOrdering() ordering { return ordering{} }

func (ordering) stamp(body []byte) []byte         { return body }
func (ordering) came(body []byte) ([]byte, error) { return body, nil }
