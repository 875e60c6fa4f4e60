package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
)

const programEnv = "SANDBOX_EXAMPLE_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(programEnv) != "" {
		main()
	}
	tandem.Init()
	os.Exit(m.Run())
}

// TestEscapes runs the program: nothing gets out, and what is tried is real.
func TestEscapes(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, exe)
	cmd.Env = append(os.Environ(), programEnv+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("\n%s", out)
	if strings.HasPrefix(string(out), "Nothing was tried") {
		t.Skip("this system has no such sandbox")
	}
	real := 0
	for text := range strings.Lines(string(out)) {
		if len(strings.TrimSuffix(text, "\n")) > 80 && !strings.HasPrefix(text, "In force") {
			t.Errorf("a line of %d columns: %q", len(text)-1, text)
		}
		if strings.Contains(text, " done ") {
			real++
		}
	}
	if len(escapes) < 15 || real < 12 || !strings.Contains(string(out), " 0 succeeded inside") {
		t.Errorf("%d escapes, %d of them can be done outside", len(escapes), real)
	}
}

// TestReport: what gets out, or does harm, makes the program fail.
func TestReport(t *testing.T) {
	for _, c := range []struct {
		r    result
		code int
	}{
		{result{escape: "a", inside: "permission denied", by: "landlock"}, 0},
		{result{escape: "a", inside: "the secret", succeeded: true, by: "landlock"}, 1},
		{result{escape: "a", inside: "nothing", harm: errors.New("a worker died")}, 1},
	} {
		var out strings.Builder
		if code := report(&out, []result{c.r}); code != c.code || strings.Contains(out.String(), "NOT CONTAINED") != (code != 0) {
			t.Errorf("%+v: exit status %d\n%s", c.r, code, out.String())
		}
	}
	for _, c := range []struct {
		got       string
		err       error
		succeeded bool
	}{{"the secret", nil, true}, {"", nil, false}, {"", &refusedError{"permission denied"}, false}, {"", tandem.ErrTimeout, false}} {
		if _, succeeded := judge(c.got, c.err); succeeded != c.succeeded {
			t.Errorf("%q, %v: succeeded %v", c.got, c.err, succeeded)
		}
	}
}
