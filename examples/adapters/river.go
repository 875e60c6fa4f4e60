package main

import (
	"context"
	"time"

	"github.com/riverqueue/river"
)

type convertArgs struct {
	Document string `json:"document"`
}

func (convertArgs) Kind() string { return "convert" }

type riverWorker struct {
	river.WorkerDefaults[convertArgs]
	*executor
}

func (w *riverWorker) Timeout(*river.Job[convertArgs]) time.Duration { return queueTime }

func (w *riverWorker) Work(ctx context.Context, job *river.Job[convertArgs]) error {
	err := w.execute(ctx, job.Args.Document)
	switch decide(err) {
	case later:
		return river.JobSnooze(pause)
	case giveUp:
		return river.JobCancel(err)
	}
	return err
}
