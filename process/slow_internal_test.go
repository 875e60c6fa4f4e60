package process

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandem-go/tandem/internal/child"
	"github.com/tandem-go/tandem/internal/sys"
)

// TestInitTimeoutLate: a worker is not ended because this process was suspended, as it
// may have been itself; and is, if it does not get to Init in another such time.
func TestInitTimeoutLate(t *testing.T) {
	f, err := sys.NewPageFile("tandem-page", child.PageFile)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	page, err := sys.NewPage(f)
	if err != nil {
		t.Fatal(err)
	}
	defer page.Close()
	synctest.Test(t, func(t *testing.T) {
		w := &worker{plan: &plan{}, page: page}
		killed := func() bool {
			synctest.Wait()
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.killed != ""
		}
		w.tooSlow(time.Hour)
		if killed() {
			t.Error("it was ended when this process came to itself")
		}
		time.Sleep(w.plan.initTimeout() - 1)
		if killed() {
			t.Error("it was ended before it has had its time")
		}
		time.Sleep(1)
		if !killed() {
			t.Error("it was not ended")
		}
	})
}
