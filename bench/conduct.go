//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/tandem-go/tandem/bench/internal/drive"
)

// plan is what a run measures, and how long.
type plan struct {
	jobs  []job
	tools tools
	part  bool // not all
}

// planned makes the jobs of a run. only names measures and contenders; of a kind
// that it does not name, all are meant.
func planned(template job, only []string) (p plan, err error) {
	var measured, contending []string
	for _, name := range only {
		isMeasure := slices.ContainsFunc(measures, func(m measure) bool { return m.name == name })
		isContender := slices.ContainsFunc(contenders, func(c contender) bool { return c.name == name })
		switch {
		case isMeasure:
			measured = append(measured, name)
		case isContender:
			contending = append(contending, name)
		default:
			return p, fmt.Errorf("no measure and no contender is called %q; -list names them", name)
		}
	}
	template.Only = contending
	p.tools, p.part = template.Tools, len(only) > 0
	for _, m := range measures {
		if measured != nil && !slices.Contains(measured, m.name) {
			continue
		}
		for _, place := range m.placements {
			j := template
			j.Measure, j.Placement = m.name, place
			p.jobs = append(p.jobs, j)
		}
	}
	return p, nil
}

// conduct runs the jobs one after the other, each in a process of its own, and
// says on progress how far it is. What fails is in the report and does not end
// the run; a cancelled context does.
func (p plan) conduct(ctx context.Context, progress io.Writer) (rep Report, err error) {
	begin := time.Now()
	rep.Machine, rep.Part = lookAround(p.tools), p.part
	if rep.Machine.Load > 1 {
		fmt.Fprintf(progress, "the load average is %.2f: others work here, and all figures will show it\n", rep.Machine.Load)
	}
	for _, c := range contenders {
		if m := c.missing(p.tools); m != "" {
			rep.Left = append(rep.Left, c.name+": "+m)
		} else {
			rep.Contenders = append(rep.Contenders, Entry{c.name, c.family, c.note})
		}
	}
	for i, j := range p.jobs {
		fmt.Fprintf(progress, "[%2d/%d] %s, %s … ", i+1, len(p.jobs), j.Measure, j.Placement)
		since := time.Now()
		results, err := j.spawn(ctx)
		if ctx.Err() != nil {
			return rep, context.Cause(ctx)
		}
		if errors.Is(err, errors.ErrUnsupported) {
			rep.Left = append(rep.Left, j.Measure+", "+j.Placement+": "+err.Error())
		} else if err != nil {
			results = append(results, Result{Measure: j.Measure, Case: "all", Placement: j.Placement, Error: err.Error()})
		}
		rep.Results = append(rep.Results, results...)
		fmt.Fprintf(progress, "%.1f s\n", time.Since(since).Seconds())
		for _, r := range results {
			if r.Error != "" {
				fmt.Fprintf(progress, "        %s, %s: %s\n", r.Contender, r.Case, r.Error)
			}
		}
	}
	rep.Goals = rep.judge()
	rep.Seconds = time.Since(begin).Seconds()
	return rep, nil
}

// spawn runs a job in a process of its own, the leader of a group. A job that is
// too slow, or not wanted any more, is killed, and then what it started.
func (j job) spawn(ctx context.Context) (results []Result, err error) {
	patience := 3 * time.Minute
	if j.Largest > 64<<20 {
		patience *= 3
	}
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("it took more than %v and was ended", patience))
	defer cancel()
	order, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	var out, stderr bytes.Buffer
	self := drive.Child(modeMeasure)
	cmd := exec.CommandContext(ctx, self.Path)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = self.Env, bytes.NewReader(order), &out, &stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = 5 * time.Second
	if err := within(j.Placement, cmd.Start); err != nil {
		return nil, err
	}
	err = cmd.Wait()
	if ctx.Err() != nil {
		err = context.Cause(ctx)
		endGroup(cmd.Process.Pid)
	} else if err != nil {
		err = fmt.Errorf("%w: %s", err, strings.TrimSpace(stderr.String()))
	}
	for d := json.NewDecoder(&out); ; { // also what came before an error
		var r Result
		switch broken := d.Decode(&r); broken {
		case nil:
			results = append(results, r)
		case io.EOF:
			return results, err
		default:
			return results, errors.Join(err, broken)
		}
	}
}

// endGroup waits until a group whose leader was killed is gone. All contenders end
// at the end of their input, and take their shared memory with them; one that
// does not within some seconds is killed.
func endGroup(leader int) {
	for until := time.Now().Add(3 * time.Second); time.Now().Before(until); time.Sleep(10 * time.Millisecond) {
		if syscall.Kill(-leader, 0) == syscall.ESRCH {
			return
		}
	}
	syscall.Kill(-leader, syscall.SIGKILL)
}

// prepare finds and builds what contenders outside this program need, in a
// folder that the caller removes.
func prepare(pythonPath string, progress io.Writer) (t tools, remove func(), err error) {
	folder, err := os.MkdirTemp("", "tandem-bench-")
	if err != nil {
		return t, nil, err
	}
	remove = func() { os.RemoveAll(folder) }
	if t, err = findPython(pythonPath, folder); err != nil {
		remove()
		return t, nil, err
	}
	fmt.Fprint(progress, "building bench/rivals, bench/locals and bench/small … ")
	begin := time.Now()
	t.Rivals, t.NoRivals = build("rivals", folder)
	t.Locals, t.NoLocals = build("locals", folder)
	t.Small, t.NoSmall = build("small", folder)
	fmt.Fprintf(progress, "%.1f s\n", time.Since(begin).Seconds())
	return t, remove, nil
}
