package tandem

import "context"

// rehearse makes what a process makes with its first call, so that this is over when
// the call comes: the codecs of all tasks, and whatever the system and the processor
// do when code runs for the first time.
func rehearse() {
	for _, d := range registry.ids {
		d.schema()
	}
	t := &Task[int, int]{fn: func(_ context.Context, n int) (int, error) { return n, nil }, def: &definition{name: "rehearsal"}}
	one := 1
	for range 3 {
		var h Handles
		in, err := t.in.get().Append(nil, &one, &h)
		if err == nil {
			t.execute(context.Background(), Spec{Name: t.def.name}, in, &h, nil)
		}
	}
}
