package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// executable is the program as a user builds it. In the test's own binary the
// race detector may be linked in, and with it no memory limit can be kept.
var executable string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "thumbnails-test")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	executable = filepath.Join(dir, "thumbnails.exe")
	out, err := exec.Command("go", "build", "-o", executable, ".").CombinedOutput()
	if err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// start runs the program, waits for its end, and sees to it that none of its
// processes is left.
func start(t *testing.T, args ...string) (output string, code int) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("workers need a system that passes sockets to processes")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, executable, args...).CombinedOutput()
	if ctx.Err() != nil {
		t.Fatalf("it did not end within two minutes:\n%s", out)
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	nothingLeft(t)
	for line := range strings.Lines(string(out)) {
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > 80 && !strings.Contains(line, os.TempDir()) {
			t.Errorf("a line of %d columns: %s", n, line)
		}
	}
	return string(out), code
}

// nothingLeft waits for the end of all processes of the program. The last one to
// go, the warden, does so after the program itself.
func nothingLeft(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		return // there is no portable way to list them
	}
	deadline := time.After(10 * time.Second)
	for {
		var left []string
		links, err := filepath.Glob("/proc/[0-9]*/exe")
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range links {
			if exe, err := os.Readlink(l); err == nil && exe == executable {
				left = append(left, l)
			}
		}
		if len(left) == 0 {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("processes are left: %v", left)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// count takes a row of the table of kinds apart.
func count(t *testing.T, output, kind string) (files, thumbnails, failed int) {
	t.Helper()
	m := regexp.MustCompile(`(?m)^` + kind + ` +(\d+) +(\d+) +(\d+)$`).FindStringSubmatch(output)
	if m == nil {
		t.Fatalf("no row %q in\n%s", kind, output)
	}
	n := [4]int{}
	for i := 1; i < 4; i++ {
		n[i], _ = strconv.Atoi(m[i])
	}
	return n[1], n[2], n[3]
}

func decode(t *testing.T, name string) image.Image {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return img
}

func pngs(t *testing.T, dir string) (n int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			decode(t, path)
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestDistribution(t *testing.T) {
	out := t.TempDir()
	output, code := start(t, "-out", out)
	if code != 0 {
		t.Errorf("exit status %d, want 0", code)
	}
	reasons := map[string]string{
		"never-returns.loop":   "killed +stopped after 3s: time limit exceeded",
		"bomb.png":             "died +out of memory: Limits.Memory is 256 MiB",
		"overflows-stack.deep": "died +stack overflow",
		"two-writers.maps":     "died +concurrent map writes",
		"truncated.png":        "lives +png: invalid format: not enough pixel",
	}
	if runtime.GOOS != "linux" {
		delete(reasons, "bomb.png")
	}
	for name, reason := range reasons {
		if !regexp.MustCompile(`(?m)^hostile/` + name + ` +` + reason + `$`).MatchString(output) {
			t.Errorf("%s is not named with the reason %q", name, reason)
		}
	}
	files, thumbnails, failed := count(t, output, "all")
	if hostile, _, bad := count(t, output, "hostile"); hostile != len(reasons) || bad != hostile {
		t.Errorf("%d of %d hostile files failed, want %d", bad, hostile, len(reasons))
	}
	if files < 24+len(reasons) || files != thumbnails+failed {
		t.Errorf("%d files, %d thumbnails, %d failures", files, thumbnails, failed)
	}
	if n := pngs(t, filepath.Join(out, "thumbs")); n != thumbnails {
		t.Errorf("%d thumbnails on disk, want %d", n, thumbnails)
	}
	decode(t, filepath.Join(out, "contact.png"))
	if log, err := os.ReadFile(filepath.Join(out, "workers.log")); err != nil || !bytes.Contains(log, []byte("stack overflow")) {
		t.Errorf("workers.log lacks the trace of the stack overflow (%v)", err)
	}
	if t.Failed() {
		t.Log(output)
	}
}

// TestFolder: pictures of the user's own, one of them broken, and what the
// program itself wrote into the same folder before.
func TestFolder(t *testing.T) {
	in := t.TempDir()
	out := filepath.Join(in, "out")
	if _, err := drawn(filepath.Join(in, "sub")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(in, "no.jpg"), []byte("not a picture"), 0o666); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		output, code := start(t, "-in", in, "-out", out, "-workers", "1")
		if files, thumbnails, failed := count(t, output, "all"); code != 0 || files != 25 || thumbnails != 24 || failed != 1 {
			t.Errorf("exit status %d, %d files, %d thumbnails, %d failures; want 0, 25, 24, 1:\n%s", code, files, thumbnails, failed, output)
		}
		if !regexp.MustCompile(`(?m)^no.jpg +lives +image: unknown format$`).MatchString(output) {
			t.Errorf("no.jpg is not named with its reason:\n%s", output)
		}
	}
	thumb := decode(t, filepath.Join(out, "thumbs", "sub", "drawn-00.png.png")) // 200 × 160 in a box of 128 × 96
	if got, want := thumb.Bounds(), image.Rect(0, 0, 120, 96); got != want {
		t.Errorf("thumbnail of %v, want %v", got, want)
	}
	sheet := decode(t, filepath.Join(out, "contact.png"))
	if sheet.Bounds().Dx() < 5*cardWidth || sheet.Bounds().Dy() < 5*cardHeight {
		t.Errorf("contact sheet of %v is too small for 25 cards", sheet.Bounds())
	}
}

func TestGoroutines(t *testing.T) {
	output, code := start(t, "-out", t.TempDir(), "-place", "goroutines", "-timeout", "1s")
	if code != 0 {
		t.Errorf("exit status %d, want 0", code)
	}
	fates := map[string]string{
		"never-returns.loop":   "never ended; killed from outside after 6s",
		"bomb.png":             "died: .*",
		"overflows-stack.deep": "died: stack overflow",
		"two-writers.maps":     "died: concurrent map writes",
		"truncated.png":        "went on; the file failed: png: invalid format:",
	}
	if runtime.GOOS != "linux" {
		delete(fates, "bomb.png")
	}
	for name, fate := range fates {
		m := regexp.MustCompile(`(?m)^` + name + ` +` + fate + ` +(\d+)/(\d+)$`).FindStringSubmatch(output)
		if m == nil {
			t.Errorf("%s: want the fate %q", name, fate)
		} else if went := strings.HasPrefix(fate, "went on"); went != (m[1] == m[2]) {
			t.Errorf("%s: %s of %s settled", name, m[1], m[2])
		}
	}
	if t.Failed() {
		t.Log(output)
	}
}

// TestInterrupt: Ctrl-C ends the program at once, although a decoder hangs.
func TestInterrupt(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no SIGINT for one process")
	}
	cmd := exec.Command(executable, "-out", t.TempDir(), "-timeout", "10m")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	watchdog := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
	defer watchdog.Stop()
	lines := bufio.NewScanner(stdout)
	if !lines.Scan() { // the work has begun
		t.Fatal("no line of progress")
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() {
	}
	err = cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 1 || stderr.Len() == 0 {
		t.Errorf("%v, %q; want exit status 1 and a sentence", err, stderr.String())
	}
	nothingLeft(t)
}

func TestCommandLine(t *testing.T) {
	for _, c := range []struct {
		name, want string
		args       []string
	}{
		{"place", "-place is processes or goroutines, not moon", []string{"-place", "moon"}},
		{"workers", "-workers and -timeout must be more than 0", []string{"-workers", "0"}},
		{"memory", "cannot be kept", []string{"-memory", "1"}},
		{"argument", "unexpected argument pictures", []string{"pictures"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := exec.Command(executable, c.args...).CombinedOutput()
			if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 2 || !strings.Contains(string(out), c.want) {
				t.Errorf("%v, want exit status 2 and %q:\n%s", err, c.want, out)
			}
		})
	}
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"", []string{""}},
		{"one two", []string{"one two"}},
		{"one two three", []string{"one two", "three"}},
		{"a verylongword", []string{"a", "verylong", "word"}},
	} {
		if got := wrap(c.text, 8); strings.Join(got, "|") != strings.Join(c.want, "|") {
			t.Errorf("wrap(%q) = %q, want %q", c.text, got, c.want)
		}
	}
	for _, n := range []int{3, 7, 8, 20} {
		if got := shorten("0123456789", n); len(got) != min(n, 10) {
			t.Errorf("shorten to %d gave %q", n, got)
		}
	}
}

// TestThumbOfLiar: a worker that returns nonsense is an error, not a panic.
func TestThumbOfLiar(t *testing.T) {
	for _, th := range []Thumb{
		{},
		{Width: -1, Height: -1, Pix: make([]byte, 4)},
		{Width: 1, Height: 1, Pix: make([]byte, 3)},
		{Width: 1 << 31, Height: 1 << 31},
		{Width: boxWidth + 1, Height: 1, Pix: make([]byte, 4*(boxWidth+1))},
	} {
		if _, err := th.image(); err == nil {
			t.Errorf("%d×%d with %d bytes was believed", th.Width, th.Height, len(th.Pix))
		}
	}
}
