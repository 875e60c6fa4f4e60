package all_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/course"
	"github.com/tandem-go/tandem/course/all"
)

func TestMain(m *testing.M) {
	tandem.Init() // the lessons start this test binary again
	os.Exit(m.Run())
}

// facts names what each lesson reports at least, in any order. Those in
// parallel are missing on a machine with one core.
var facts = map[string]string{
	"L01": "cores max_overlap_one_core wall_ms_one_core switches_one_core",
	"L02": "first_steps second_steps",
	"L03": "parent_pid child_pid child_ppid arg parent_steps child_steps orphans",
	"L04": "order early_wait_ms early_wait_returned total_ms",
	"L05": "child grandchild parent plain_grandchild",
	"L06": "workers done max_running default_size usable_cpus submit_after_close task_ms grandchild_ppid grandchild_parent_pid",
	"L07": "pid main_tid thread_tid main_name default_name own_name kernel_name",
	"L08": "low_level_result high_level_name high_level_result",
	"L09": "runs runs_with_loss small_runs_with_loss final caught",
	"L10": "final_lock final_with final_processes slowdown bare_ratio",
	"L11": "coroutines threads_used max_inside switch_ns",
	"L12": "pids tids max_running",
	"L13": "deaths others_expected others_done",
	"L14": "limit_ms gone_after_ms others_expected others_done",
	"L15": "places results_equal",
	"L16": "transfers_done owners_died repairs money",
}

// parallel are the facts of L01 that need a second core.
const parallel = "max_overlap_more_tasks max_overlap_parallel wall_ms_more_tasks wall_ms_parallel waited_ms_parallel"

// TestLessons plays each lesson once: its laws hold, or say why this machine
// cannot show them, and it reports its facts.
func TestLessons(t *testing.T) {
	for _, l := range all.Lessons {
		t.Run(l.ID, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
			defer cancel()
			r := l.Play(ctx, nil)
			if r.Err != nil {
				t.Error(r.Err)
			}
			for _, law := range r.Laws {
				if t.Log(law.Verdict, law.Text.En); law.Verdict == course.Broken {
					t.Errorf("the law does not hold; facts: %s", line(t, r))
				}
			}
			if len(r.Laws) == 0 {
				t.Error("no law was judged")
			}
			want := strings.Fields(facts[l.ID])
			if cores, ok := r.Facts.Get("cores"); ok && cores.(int) > 1 {
				want = append(want, strings.Fields(parallel)...)
			}
			for _, name := range want {
				if _, ok := r.Facts.Get(name); !ok {
					t.Errorf("the fact %s is missing: %s", name, line(t, r))
				}
			}
		})
	}
}

func line(t *testing.T, r *course.Result) string {
	t.Helper()
	b, err := r.JSON(course.En)
	if err != nil || !json.Valid(b) {
		t.Fatalf("%s %v", b, err)
	}
	return string(b)
}

// TestAgain: what a lesson leaves behind does not disturb its next run.
func TestAgain(t *testing.T) {
	for _, id := range []string{"L05", "L07"} {
		l := all.Lessons[slices.IndexFunc(all.Lessons, func(l *course.Lesson) bool { return l.ID == id })]
		for range 2 {
			if r := l.Play(t.Context(), nil); r.Failed() {
				t.Errorf("%s: %v %s", id, r.Err, line(t, r))
			}
		}
	}
}

// TestList: ids and folders run from 1 to 15 in the course's order, and nothing
// that a screen needs is missing in either language.
func TestList(t *testing.T) {
	if len(all.Lessons) != 16 {
		t.Fatalf("%d lessons, want 16", len(all.Lessons))
	}
	for i, l := range all.Lessons {
		if want := fmt.Sprintf("L%02d", i+1); l.ID != want || !strings.HasPrefix(l.Folder, want[1:]+"-") {
			t.Errorf("lesson %d is %s in %s", i+1, l.ID, l.Folder)
		}
		for what, text := range map[string]course.Text{"title": l.Title, "idea": l.Idea, "question": l.Question, "way": l.Way.Name} {
			if text.En == "" || text.Zh == "" {
				t.Errorf("%s: its %s lacks a language: %q", l.ID, what, text)
			}
			if r := course.Ambiguous(text.En + text.Zh); r != 0 {
				t.Errorf("%s: its %s has %q, whose width depends on the terminal", l.ID, what, r)
			}
		}
		if name, text := l.Course(); text == "" && l.Heading != "" {
			t.Errorf("%s has a heading of the course, but not its text", l.ID)
		} else if strings.HasSuffix(name, ".py") && !strings.Contains(text, "if __name__ == '__main__':") {
			t.Errorf("%s: %s lacks its main guard", l.ID, name)
		}
	}
}
