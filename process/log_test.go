package process_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// account is a LogValuer, and stranger a type that slog does not know.
type (
	account  struct{ user, password string }
	stranger struct{ A, B int }
)

func (a account) LogValue() slog.Value {
	return slog.GroupValue(slog.String("user", a.user), slog.String("password", "?"))
}

var logMoment = time.Date(2024, 2, 29, 12, 0, 0, 123456789, time.FixedZone("", 3*3600))

// logEverything makes records of all kinds with l.
func logEverything(ctx context.Context, l *slog.Logger) {
	l.DebugContext(ctx, "debug")
	l.InfoContext(ctx, "all kinds", "bool", true, "int", -5, "uint", uint64(1<<63), "float", 0.1, "string", "a\n\"b\"",
		"duration", time.Second, "time", logMoment, "error", fmt.Errorf("wrapped: %w", os.ErrNotExist), "nil", nil,
		"account", account{"eve", "secret"}, "struct", stranger{1, 2}, "addr", netip.MustParseAddr("::1"), "bytes", []byte("abc"))
	l.WarnContext(ctx, "groups", slog.Group("outer", "a", 1, slog.Group("inner", "b", 2), slog.Group("empty")), slog.Group("", "inline", 3))
	deeper := l.With("before", 1).WithGroup("g").With("within", 2).WithGroup("h")
	deeper.Log(ctx, slog.LevelError+3, "scopes", "own", 3)
	deeper.ErrorContext(ctx, "no attributes of its own")
	l.With("shared", 1).With("a", 2).InfoContext(ctx, "")
}

var loggingEverything = tandem.NewTask("loggingEverything", func(ctx context.Context, _ int) (int, error) {
	logEverything(ctx, slog.Default())
	log.Print("by package log")
	return 0, nil
})

// TestLogRecords: what a task logs reads as if it had been logged here: level,
// attributes, groups, source line.
func TestLogRecords(t *testing.T) {
	leaveNothing(t)
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelWarn} {
		options := &slog.HandlerOptions{Level: level, AddSource: true}
		var here, there lockedBuffer
		logEverything(t.Context(), slog.New(slog.NewTextHandler(&here, options)))
		pool := &process.Pool{Workers: 1, Name: "W", Config: process.Config{Logger: slog.New(slog.NewTextHandler(&there, options))}}
		before := time.Now()
		if _, err := loggingEverything.On(pool).Call(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
		const source = ` worker=W-1 task=github.com/tandem-go/tandem/process_test.loggingEverything`
		times := regexp.MustCompile(`(?m)^time=(\S+) `)
		for _, m := range times.FindAllStringSubmatch(there.String(), -1) {
			if at, err := time.Parse("2006-01-02T15:04:05.999Z07:00", m[1]); err != nil || at.Before(before.Add(-time.Second)) || at.After(time.Now()) {
				t.Errorf("a record of %v (%v), logged after %v", m[1], err, before)
			}
		}
		want := times.ReplaceAllString(here.String(), "")
		got := times.ReplaceAllString(there.String(), "")
		if n := strings.Count(got, source); n != strings.Count(got, "\n") {
			t.Errorf("%d of the records say where they come from:\n%s", n, got)
		}
		got = strings.ReplaceAll(got, source, "")
		if level == slog.LevelDebug {
			want += "level=INFO msg=\"by package log\"\n"
		}
		if got != want {
			t.Errorf("at %v: logged there\n%s\nlogged here\n%s", level, got, want)
		}
	}
}

// counting is a slog.Handler that counts, and may be held up.
type counting struct {
	gate *gate
	mu   sync.Mutex
	all  []slog.Record
}

func (c *counting) Enabled(context.Context, slog.Level) bool { return true }
func (c *counting) WithAttrs([]slog.Attr) slog.Handler       { panic("not used") }
func (c *counting) WithGroup(string) slog.Handler            { panic("not used") }
func (c *counting) Handle(_ context.Context, r slog.Record) error {
	if c.gate != nil {
		c.gate.Write(nil)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, r)
	return errors.New("for nobody")
}

// attr is an attribute of r as text, "" if it has none of this name.
func attr(r slog.Record, key string) (text string) {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == key {
			text = a.Value.String()
		}
		return true
	})
	return text
}

var loggingMuch = tandem.NewTask("loggingMuch", func(ctx context.Context, how struct{ Records, Size, End int }) (int, error) {
	for i := range how.Records {
		slog.InfoContext(ctx, "much", "i", i, "text", strings.Repeat("z", how.Size))
	}
	switch how.End {
	case 1:
		os.Exit(3)
	case 2:
		self, _ := os.FindProcess(os.Getpid())
		self.Kill()
	}
	return how.Records, nil
})

// TestLogFlood: a task that logs faster than the Handler takes it waits, and nothing is
// lost, also when the process dies right after.
func TestLogFlood(t *testing.T) {
	leaveNothing(t)
	for end := range 3 {
		c := &counting{gate: newGate()}
		how := struct{ Records, Size, End int }{5000, 1000, end}
		h, err := process.Start(t.Context(), process.Config{Logger: slog.New(c)}, loggingMuch, how)
		if err != nil {
			t.Fatal(err)
		}
		<-c.gate.waiting
		select {
		case <-h.Done(): // 5 MB fit no socket
			t.Error("the task ended while nobody took what it logged")
		default:
		}
		close(c.gate.open)
		_, err = h.Wait(t.Context())
		var crash *tandem.CrashError
		if (end == 0) != (err == nil) || err != nil && !errors.As(err, &crash) {
			t.Errorf("end %d: %v", end, err)
		}
		for i, r := range c.all {
			if attr(r, "i") != fmt.Sprint(i) || len(attr(r, "text")) != 1000 {
				t.Fatalf("end %d: record %d is %v", end, i, attr(r, "i"))
			}
		}
		if len(c.all) != how.Records {
			t.Errorf("end %d: %d records came, want %d", end, len(c.all), how.Records)
		}
	}
}

var loggingLong = tandem.NewTask("loggingLong", func(ctx context.Context, _ int) (int, error) {
	nested := slog.String("bottom", "reached")
	for range 100 {
		nested = slog.Group("n", nested)
	}
	many := make([]any, 0, 4000)
	for i := range 2000 {
		many = append(many, fmt.Sprint("key", i), strings.Repeat("v", 100))
	}
	slog.Info(strings.Repeat("é", 1<<20))
	slog.Info("long", "text", strings.Repeat("é", 1<<20))
	slog.Info("deep", nested)
	slog.Info("many", many...)
	slog.Info("the last")
	return 0, nil
})

// TestLogBounds: a record that is too long, too deep or too wide arrives, cut.
func TestLogBounds(t *testing.T) {
	leaveNothing(t)
	c := new(counting)
	h, err := process.Start(t.Context(), process.Config{Logger: slog.New(c)}, loggingLong, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(c.all) != 5 || c.all[4].Message != "the last" {
		t.Fatalf("%d records came, want 5", len(c.all))
	}
	for i, text := range []string{c.all[0].Message, attr(c.all[1], "text")} {
		if len(text) > 17<<10 || len(text) < 10<<10 || !strings.HasSuffix(text, "é…") {
			t.Errorf("record %d has a text of %d bytes", i, len(text))
		}
	}
	if !strings.Contains(attr(c.all[2], "n"), "bottom") {
		t.Errorf("the deep one is %q", attr(c.all[2], "n"))
	}
	if attr(c.all[3], "!TRUNCATED") != "true" || attr(c.all[3], "key100") == "" {
		t.Errorf("the wide one has %d attributes, and says truncated: %q", c.all[3].NumAttrs(), attr(c.all[3], "!TRUNCATED"))
	}
	if got := attr(c.all[4], "task"); !strings.HasSuffix(got, ".loggingLong") { // by Info, without a context
		t.Errorf("the task is %q", got)
	}
}

var shouting = tandem.NewTask("shouting", func(_ context.Context, words string) (int, error) {
	fmt.Println(words)
	fmt.Fprint(os.Stderr, words+"!\n"+words) // the last line has no end
	return 0, nil
})

// TestLogLines: the lines of the standard streams are records too, unless they have a
// Writer.
func TestLogLines(t *testing.T) {
	leaveNothing(t)
	c := new(counting)
	h, err := process.Start(t.Context(), process.Config{Name: "P", Logger: slog.New(c)}, shouting, "hey")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range c.all {
		got = append(got, fmt.Sprint(r.Level, r.Message, attr(r, "stream"), attr(r, "worker"), strings.HasSuffix(attr(r, "task"), ".shouting")))
	}
	for _, want := range []string{"INFO hey stdout P true", "WARN hey! stderr P true", "WARN hey stderr P true"} {
		if n := strings.Count(strings.Join(got, "\n"), strings.ReplaceAll(want, " ", "")); n != 1 {
			t.Errorf("%q is there %d times in %q", want, n, got)
		}
	}
	var out bytes.Buffer
	c = new(counting)
	h, err = process.Start(t.Context(), process.Config{Stdout: &out, Logger: slog.New(c)}, shouting, "ho")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if out.String() != "ho\n" || len(c.all) != 2 {
		t.Errorf("the Writer got %q, the Logger %d records, want 2", out.String(), len(c.all))
	}
}
