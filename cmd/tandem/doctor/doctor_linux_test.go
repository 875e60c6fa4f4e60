package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRanges(t *testing.T) {
	for want, list := range map[string][]int{
		"": nil, "0": {0}, "0-3": {0, 1, 2, 3}, "0,2": {0, 2}, "1-2,5,7-8": {1, 2, 5, 7, 8},
	} {
		if got := ranges(list); got != want {
			t.Errorf("ranges(%v) = %q, want %q", list, got, want)
		}
	}
}

// TestTryGroupLeavesNothing: what the doctor makes to try, it removes.
func TestTryGroupLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	var made string
	if err := tryGroup(dir, func(d string) error { made = d; _, err := os.Stat(d); return err }); err != nil {
		t.Fatal(err)
	}
	if filepath.Dir(made) != dir {
		t.Errorf("it was made in %s, not in %s", made, dir)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	if err := tryGroup(filepath.Join(dir, "missing"), func(string) error { return nil }); err == nil || !strings.HasPrefix(reason(err), "no: ") {
		t.Errorf("a folder that is not there: %v", err)
	}
}

func TestReportText(t *testing.T) {
	r := Report{{"machine", []Row{
		{"cores", 2, ""}, {"quota", nil, ""}, {"pidfd", true, ""}, {"memfd", false, ""},
		{"long", 1, strings.Repeat("word ", 30)},
	}}}
	const want = `machine
  cores             2
  quota             unknown
  pidfd             yes
  memfd             no
  long              word word word word word word word word word word word word
                    word word word word word word word word word word word word
                    word word word word word word
`
	if got := r.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got, err := r.MarshalJSON(); string(got) != `{"machine":{"cores":2,"quota":null,"pidfd":true,"memfd":false,"long":1}}` || err != nil {
		t.Errorf("%s %v", got, err)
	}
}
