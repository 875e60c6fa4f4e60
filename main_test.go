package tandem_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/tandem-go/tandem"
)

func TestMain(m *testing.M) {
	tandem.Init()
	os.Exit(m.Run())
}

// panicOf is the text of f's panic, "" if it does not. What must panic before
// Init is tried where package-level variables are made.
func panicOf(f func()) (text string) {
	defer func() {
		if v := recover(); v != nil {
			text = fmt.Sprint(v)
		}
	}()
	f()
	return ""
}
