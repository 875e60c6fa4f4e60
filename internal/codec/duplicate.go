package codec

import "github.com/tandem-go/tandem/internal/sys"

// Duplicate receives a copy of every descriptor of from, as if a transport had
// carried them: for passing a value through its codec inside one process.
func (h *Handles) Duplicate(from *Handles) error {
	for _, f := range from.Files() {
		d, err := sys.Dup(f)
		if err == nil {
			err = h.Receive(d)
		}
		if err != nil {
			h.Close()
			return err
		}
	}
	return nil
}
