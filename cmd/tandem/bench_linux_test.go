package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestBenchScreen: what a person sees fits 80 columns and 20 rows, whoever else
// uses the machine.
func TestBenchScreen(t *testing.T) {
	out, errs, status := runTandem(t, "bench", "--time", "200ms")
	if status != statusOK || errs != "" || !utf8Columns(t, out) {
		t.Errorf("exit status %d, errors %q:\n%s", status, errs, out)
	}
	if n := strings.Count(out, "\n"); n > 20 {
		t.Errorf("%d rows, at most 20:\n%s", n, out)
	}
	row := regexp.MustCompile(`(?m)^\S.{29} +[\d.]+ \S+   \S.+ [\d.]+ \S+ +[\d.]+$`)
	if n := len(row.FindAllString(out, -1)); n != 12 {
		t.Errorf("%d rows of figures, want 12:\n%s", n, out)
	}
	if !strings.HasSuffix(out, " go run ./bench -all\n") {
		t.Errorf("it does not end with where there is more:\n%s", out)
	}
}

// TestBenchJSON: the schema of the help, and figures that can be true.
func TestBenchJSON(t *testing.T) {
	out, errs, status := runTandem(t, "bench", "--json", "--time", "200ms")
	type row struct {
		Unit, Rival           string
		Tandem, Theirs, Ratio float64
	}
	var report struct {
		System, CPU, Go string
		Cores, Usable   int
		Seconds         float64
		Busy            *bool
		Measures        map[string]row
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil || status != statusOK || errs != "" {
		t.Fatalf("exit status %d, errors %q, %v:\n%s", status, errs, err, out)
	}
	if report.System == "" || report.Go == "" || report.Usable < 1 || report.Cores < 1 || report.Seconds <= 0 || report.Busy == nil {
		t.Errorf("the head: %+v", report)
	}
	units := map[string]string{
		"call_p50": "ns", "call_p99": "ns", "socket_call_p50": "ns", "socket_call_p99": "ns",
		"calls_1": "1/s", "calls_100": "1/s", "map": "1/s", "bytes_64mib": "ns", "buffer_64mib": "ns",
		"start": "ns", "mutex": "ns", "memory": "B",
	}
	for name, unit := range units {
		m := report.Measures[name]
		if m.Unit != unit || m.Rival == "" || m.Tandem <= 0 || m.Theirs <= 0 || m.Ratio <= 0 {
			t.Errorf("%s: %+v", name, m)
		}
		want := m.Tandem / m.Theirs
		if unit == "1/s" {
			want = m.Theirs / m.Tandem
		}
		if m.Ratio < want*0.999 || m.Ratio > want*1.001 {
			t.Errorf("%s: the ratio is %v, of its figures %v", name, m.Ratio, want)
		}
	}
	if len(report.Measures) != len(units) {
		t.Errorf("%d measures, want %d", len(report.Measures), len(units))
	}
	for _, way := range []string{"call", "socket_call"} {
		if p50, p99 := report.Measures[way+"_p50"], report.Measures[way+"_p99"]; p50.Tandem > p99.Tandem || p50.Theirs > p99.Theirs {
			t.Errorf("%s: p50 %+v is above p99 %+v", way, p50, p99)
		}
	}
}

// TestBenchInterrupted: an interrupt ends it at once, with everything that it
// started.
func TestBenchInterrupted(t *testing.T) {
	c := exec.Command(command, "bench", "--time", "1h")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	until := func(what string, ok func(int) bool) {
		t.Helper()
		for end := time.Now().Add(30 * time.Second); !ok(running(command)); time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				c.Process.Kill()
				t.Fatalf("not so after 30 s: %s", what)
			}
		}
	}
	until("it has two workers, a bare child and the warden", func(n int) bool { return n >= 4 })
	c.Process.Signal(os.Interrupt)
	if err := c.Wait(); err == nil {
		t.Error("it was interrupted and says that all went well")
	}
	until("nothing of it is left", func(n int) bool { return n == 0 })
}

// running counts the processes of a binary.
func running(binary string) (n int) {
	links, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && target == binary {
			n++
		}
	}
	return n
}
