package tour_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tandem-go/tandem/cmd/tandem/tour"
	"github.com/tandem-go/tandem/course"
)

func TestLangOf(t *testing.T) {
	type env = map[string]string
	for _, c := range []struct {
		name string
		env  env
		want course.Lang
	}{
		{"nothing is set", env{}, course.En},
		{"TANDEM_LANG wins", env{"TANDEM_LANG": "zh", "LC_ALL": "en_US.UTF-8"}, course.Zh},
		{"TANDEM_LANG wins in English too", env{"TANDEM_LANG": "EN", "LANG": "zh_CN.UTF-8"}, course.En},
		{"an unknown TANDEM_LANG is passed over", env{"TANDEM_LANG": "fr", "LANG": "zh_CN.UTF-8"}, course.Zh},
		{"LANG", env{"LANG": "zh_CN.UTF-8"}, course.Zh},
		{"LC_MESSAGES before LANG", env{"LC_MESSAGES": "en_US.UTF-8", "LANG": "zh_CN.UTF-8"}, course.En},
		{"LC_ALL before LC_MESSAGES", env{"LC_ALL": "zh_TW.utf8", "LC_MESSAGES": "en_US.UTF-8"}, course.Zh},
		{"an empty one is not set", env{"LC_ALL": "", "LANG": "zh_CN.UTF-8"}, course.Zh},
		{"not UTF-8", env{"LANG": "zh_CN.GB18030"}, course.En},
		{"no encoding", env{"LANG": "zh_CN"}, course.En},
		{"a variant", env{"LANG": "zh_CN.UTF-8@pinyin"}, course.Zh},
		{"no place", env{"LANG": "zh.UTF-8"}, course.Zh},
		{"another language that begins so", env{"LANG": "zha_CN.UTF-8"}, course.En},
		{"C", env{"LC_ALL": "C.UTF-8", "LANG": "zh_CN.UTF-8"}, course.En},
	} {
		if got := tour.LangOf(func(name string) string { return c.env[name] }); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

// lesson is one that needs no process: it shows what a screen can have.
func lesson(id string, run func(*course.Stage) error) *course.Lesson {
	return &course.Lesson{
		ID: id, Folder: "05-globals", Heading: "在子进程中修改全局变量", Way: course.Processes,
		Title: course.Text{En: "globals", Zh: "全局变量"}, Idea: course.Text{En: "An idea.", Zh: "想法。"},
		Question: course.Text{En: "What?", Zh: "什么？"},
		Run:      func(_ context.Context, s *course.Stage) error { return run(s) },
	}
}

func holds(s *course.Stage) error {
	s.Say("child <starts>...", "子进程启动...")
	s.Draw(&course.Lanes{Lanes: []course.Lane{
		{Name: "task1", Start: 0, End: 80, Runs: []course.Interval{{From: 0, To: 40}}},
		{Name: "task2", Start: 0, End: 80, Runs: []course.Interval{{From: 40, To: 80}}},
	}}, "one core", "一个核")
	s.Fact("child", 101)
	s.Law(true, "a copy", "备份")
	s.Skip("one core only", "只有一个核")
	return nil
}

func TestScreen(t *testing.T) {
	bar := strings.Repeat("#", 34)
	dots := strings.Repeat(".", 34)
	want := strings.Join([]string{
		"L05  globals    在子进程中修改全局变量",
		"     An idea.",
		"  ?  What?",
		"",
		"    child <starts>...",
		"    one core",
		"    task1 |" + bar + dots + "|",
		"    task2 |" + dots + bar + "|",
		"",
		"[ok] a copy",
		"[skip] one core only",
		"course/05-globals/main.go   change it: go run ./course/05-globals",
	}, "\n")
	r := lesson("L05", holds).Play(t.Context(), nil)
	if got := strings.Join(tour.Screen(r, course.En), "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	zh := strings.Join(tour.Screen(r, course.Zh), "\n")
	for _, row := range []string{"L05  全局变量    在子进程中修改全局变量\n", "    子进程启动...\n", "[ok] 备份\n", "[skip] 只有一个核\n"} {
		if !strings.Contains(zh, row) {
			t.Errorf("the Chinese screen lacks %q:\n%s", row, zh)
		}
	}
}

// TestRunPrintsTheScreen: what is printed while a lesson runs is the screen
// that Screen makes of its result.
func TestRunPrintsTheScreen(t *testing.T) {
	var out bytes.Buffer
	l := lesson("L05", holds)
	x := tour.Tour{All: []*course.Lesson{l}, Lessons: []*course.Lesson{l}, Lang: course.En, Out: &out}
	if ok, err := x.Run(t.Context()); !ok || err != nil {
		t.Fatalf("Run = %t, %v", ok, err)
	}
	want := strings.Join(tour.Screen(l.Play(t.Context(), nil), course.En), "\n") + "\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &out, want)
	}
}

func TestBrokenLawIsNotOK(t *testing.T) {
	for name, run := range map[string]func(*course.Stage) error{
		"law":   func(s *course.Stage) error { s.Law(false, "a copy", "备份"); return nil },
		"error": func(*course.Stage) error { return errors.New("no more processes") },
	} {
		for _, json := range []bool{false, true} {
			var out bytes.Buffer
			x := tour.Tour{Lessons: []*course.Lesson{lesson("L05", run)}, JSON: json, Out: &out}
			if ok, err := x.Run(t.Context()); ok || err != nil {
				t.Errorf("%s: Run = %t, %v, want false, <nil>", name, ok, err)
			}
			if want := map[bool]string{true: `"ok":false,"skipped":""`, false: "[!!] "}[json]; !strings.Contains(out.String(), want) {
				t.Errorf("%s: the output lacks %q:\n%s", name, want, &out)
			}
		}
	}
}

func TestColoursOnlyRepeat(t *testing.T) {
	escape := regexp.MustCompile("\x1b\\[[0-9;]*[mK]")
	var plain, coloured bytes.Buffer
	for out, colours := range map[*bytes.Buffer]bool{&plain: false, &coloured: true} {
		x := tour.Tour{Lessons: []*course.Lesson{lesson("L05", holds)}, Out: out, Colours: colours}
		if _, err := x.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if escape.MatchString(plain.String()) || !escape.MatchString(coloured.String()) {
		t.Errorf("escapes in plain output, or none in coloured:\n%q\n%q", &plain, &coloured)
	}
	if got := escape.ReplaceAllString(coloured.String(), ""); got != plain.String() {
		t.Errorf("without its escapes the coloured screen differs:\n%s\n%s", got, &plain)
	}
}

func TestHTML(t *testing.T) {
	file := filepath.Join(t.TempDir(), "course.html")
	x := tour.Tour{Lessons: []*course.Lesson{lesson("L05", holds)}, HTML: file, Lang: course.Zh, Out: &bytes.Buffer{}}
	if ok, err := x.Run(t.Context()); !ok || err != nil {
		t.Fatalf("Run = %t, %v", ok, err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	for _, want := range []string{
		`<html lang="zh" data-lang="zh">`,
		`<span lang="en">child &lt;starts&gt;...</span><span lang="zh">子进程启动...</span>`,
		`<svg `, `<rect class="run"`,
		"p = Process(target=run)", "tandem.NewVar(", // Python beside Go
		`<b>[ok]</b>`, `<b>[skip]</b>`, `<div class="law skip">`, "{&#34;child&#34;:101}",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if outside := regexp.MustCompile(`(?:src|href)="[^#"][^"]*"|url\(|@import`).FindString(page); outside != "" {
		t.Errorf("the page needs something else: %s", outside)
	}
}

func TestSVG(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lanes.svg")
	l := lesson("L01", holds)
	x := tour.Tour{Lessons: []*course.Lesson{l}, SVG: file, Out: &bytes.Buffer{}}
	if ok, err := x.Run(t.Context()); !ok || err != nil {
		t.Fatalf("Run = %t, %v", ok, err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(b), `class="run"`); n != 2 || !strings.HasPrefix(string(b), "<svg xmlns=") || !strings.HasSuffix(string(b), "</svg>\n") {
		t.Errorf("%d runs drawn, want 2:\n%s", n, b)
	}
	var tree struct {
		Desc string `xml:"desc"`
	}
	if err := xml.Unmarshal(b, &tree); err != nil || tree.Desc != "made by: tandem tour --svg FILE L01" {
		t.Errorf("%q, %v:\n%s", tree.Desc, err, b)
	}
	x.Lessons = []*course.Lesson{lesson("L08", func(s *course.Stage) error { s.Law(true, "x", "x"); return nil })}
	if _, err := x.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "no lanes") {
		t.Errorf("a lesson without lanes: %v", err)
	}
	x.SVG = filepath.Join(file, "no", "lanes.svg")
	if _, err := x.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "cannot be written") {
		t.Errorf("a folder that is not there: %v", err)
	}
	if now, err := os.ReadFile(file); err != nil || !bytes.Equal(now, b) {
		t.Error("the picture that was there is gone")
	}
}

// TestReaderLeaves: `tandem tour | head` ends the tour and is its error.
func TestReaderLeaves(t *testing.T) {
	played := 0
	l := lesson("L05", func(s *course.Stage) error { played++; return holds(s) })
	x := tour.Tour{Lessons: []*course.Lesson{l, l, l}, Out: &leaving{room: 100}}
	if _, err := x.Run(t.Context()); !errors.Is(err, errLeft) || played > 1 {
		t.Errorf("Run: %v after %d lessons, want %v after 1", err, played, errLeft)
	}
}

var errLeft = errors.New("the reader left")

// leaving accepts so many bytes.
type leaving struct{ room int }

func (w *leaving) Write(p []byte) (int, error) {
	if w.room -= len(p); w.room < 0 {
		return 0, errLeft
	}
	return len(p), nil
}
