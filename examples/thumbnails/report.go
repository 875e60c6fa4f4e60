package main

import (
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// result is what became of a picture.
type result struct {
	picture
	thumb Thumb
	err   error
}

// reason is the exact reason of a failure, in one line. All that can befall a
// task arrives as an error, and errors.Is and errors.As tell the kinds apart.
func (r result) reason() string {
	if crash, ok := errors.AsType[*tandem.CrashError](r.err); ok {
		return crash.Reason // also: PID, exit code, signal, last lines of stderr, the runtime's report
	}
	// ErrTimeout, or the decoder's own error. Who speaks of which task is known.
	return strings.NewReplacer("tandem: ", "", thumbnail.FullName()+": ", "").Replace(r.err.Error())
}

// worker is what became of the worker that had the file.
func (r result) worker() string {
	switch _, crashed := errors.AsType[*tandem.CrashError](r.err); {
	case crashed:
		return "died"
	case errors.Is(r.err, tandem.ErrTimeout):
		return "killed"
	}
	return "lives"
}

// asExpected reports whether a picture of known quality fared as it must.
func (r result) asExpected() bool {
	switch {
	case r.want == "":
		return true
	case r.want == good || r.err == nil:
		return r.want == good && r.err == nil
	}
	return strings.Contains(r.reason(), r.want)
}

// report prints the closing tables. Its error says which pictures did not fare
// as they must.
func report(w io.Writer, o options, results []result, stats process.Stats, took time.Duration) error {
	fmt.Fprintf(w, "\n%-32s %-7s %s\n%s\n", "failed", "worker", "reason", strings.Repeat("-", 80))
	failures := failed(results)
	for _, r := range failures {
		left := fmt.Sprintf("%-32s %-7s", shorten(r.name, 32), r.worker())
		for _, line := range wrap(r.reason(), 39) {
			fmt.Fprintf(w, "%-40s %s\n", left, line)
			left = ""
		}
	}
	if len(failures) == 0 {
		fmt.Fprintln(w, "(none)")
	}

	fmt.Fprintf(w, "\n%-12s %8s %12s %8s\n%s\n", "kind", "files", "thumbnails", "failed", strings.Repeat("-", 43))
	for _, k := range kinds(results) {
		fmt.Fprintf(w, "%-12s %8d %12d %8d\n", k.name, k.files, k.files-k.failed, k.failed)
	}

	fmt.Fprintf(w, "\n%v with %d workers at once; %d were started in all, %d lost to a file.\n",
		took.Round(10*time.Millisecond), o.workers, stats.Started, stats.Crashed)
	fmt.Fprintf(w, "contact sheet  %s\nthumbnails     %s\ncrash traces   %s\n",
		filepath.Join(o.out, "contact.png"), filepath.Join(o.out, "thumbs"), filepath.Join(o.out, "workers.log"))

	var surprises []error
	for _, r := range results {
		if !r.asExpected() {
			surprises = append(surprises, fmt.Errorf("%s: want %s, got %v", r.name, r.want, r.err))
		}
	}
	return errors.Join(surprises...)
}

// failed lists the failures, those of hostile files first.
func failed(results []result) (list []result) {
	at := 0
	for _, r := range results {
		switch {
		case r.err == nil:
		case r.hostile:
			list = slices.Insert(list, at, r)
			at++
		default:
			list = append(list, r)
		}
	}
	return list
}

type kind struct {
	name          string
	files, failed int
}

// kinds counts results by what their names promise, in order of appearance; the
// last row counts them all.
func kinds(results []result) (list []*kind) {
	byName := map[string]*kind{}
	all := &kind{name: "all"}
	for _, r := range results {
		name := strings.ToLower(strings.TrimPrefix(path.Ext(r.name), "."))
		if r.hostile {
			name = "hostile"
		}
		if name == "jpg" {
			name = "jpeg"
		}
		if byName[name] == nil {
			byName[name] = &kind{name: name}
			list = append(list, byName[name])
		}
		for _, k := range []*kind{byName[name], all} {
			k.files++
			if r.err != nil {
				k.failed++
			}
		}
	}
	return append(list, all)
}

// shorten cuts the middle out of what is longer than n: the end of a file name
// tells as much as its beginning.
func shorten(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	head := (n - 2) / 2
	return string(r[:head]) + ".." + string(r[len(r)-(n-2-head):])
}

// wrap breaks text into lines of at most n characters, at spaces if it can.
func wrap(text string, n int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len([]rune(line))+1+len([]rune(word)) <= n {
			line += " " + word
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		r := []rune(word)
		for ; len(r) > n; r = r[n:] {
			lines = append(lines, string(r[:n]))
		}
		line = string(r)
	}
	return append(lines, line)
}
