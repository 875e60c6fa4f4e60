//go:build linux && cgo

package main

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
)

const programEnv = "NATIVE_EXAMPLE_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(programEnv) != "" {
		main()
	}
	tandem.Init()
	os.Exit(m.Run())
}

// TestNative runs the program: its exit status says that all of it held.
func TestNative(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, exe)
	cmd.Env = append(os.Environ(), programEnv+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("\n%s", out)
	for text := range strings.Lines(string(out)) {
		if n := len(strings.TrimSuffix(text, "\n")); n > 80 {
			t.Errorf("a line of %d columns: %q", n, text)
		}
	}
	for _, want := range []string{"died of SIG", "37 of 40 right, 3 workers died", "0 of 200 wrong", "007.rle killed", "019.rle killed", "031.rle killed"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the table does not say %q", want)
		}
	}
}

// TestDecoders: of a good file each makes the right picture, and each has its limits.
func TestDecoders(t *testing.T) {
	good := pictures(2)[1]
	for _, name := range []string{overflowing, leaking, shared} {
		if r, err := read(request{name, good.bytes}); err != nil || r.Sum != good.sum {
			t.Errorf("%s: sum %x, %v, want %x", name, r.Sum, err, good.sum)
		}
		for _, bad := range [][]byte{nil, good.bytes[:7], binary.LittleEndian.AppendUint64(nil, 0), binary.LittleEndian.AppendUint64(nil, 1<<62|1)} {
			if _, err := read(request{name, bad}); err == nil {
				t.Errorf("%s decodes %v", name, bad)
			}
		}
	}
	long := pictures(1, 0)[0].bytes
	for _, name := range []string{leaking, shared} {
		if _, err := read(request{name, long}); err == nil {
			t.Errorf("%s decodes a run that is too long", name)
		}
	}
}

// TestReport: what does not hold makes the program fail.
func TestReport(t *testing.T) {
	files := pictures(2, 1)
	crash := &tandem.CrashError{Reason: "segmentation violation (SIGSEGV)"}
	right := outcome{reading: reading{Sum: files[0].sum, PID: 1}}
	for name, c := range map[string]struct {
		t    trial
		code int
	}{
		"contained":    {trial{decoder: overflowing, aloneErr: crash, pool: []outcome{right, {err: crash}}}, 0},
		"lost another": {trial{decoder: overflowing, aloneErr: crash, pool: []outcome{{err: crash}, {err: crash}}}, 1},
		"not noticed":  {trial{decoder: overflowing, aloneErr: crash, pool: []outcome{right, {err: errors.New("refused")}}}, 1},
		"no defect":    {trial{decoder: overflowing, pool: []outcome{right, {err: crash}}}, 1},
		"not replaced": {trial{decoder: leaking, alone: ran{Grew: 1 << 30}, pool: []outcome{right}}, 1},
		"mixed up":     {trial{decoder: shared, alone: ran{Readings: []reading{{}}}, pool: []outcome{{}}}, 1},
	} {
		c.t.files, c.t.rounds = files, 1
		var out strings.Builder
		if code := report(&out, []trial{c.t}); code != c.code || strings.Contains(out.String(), "DID NOT HOLD") != (code != 0) {
			t.Errorf("%s: exit status %d\n%s", name, code, out.String())
		}
	}
}
