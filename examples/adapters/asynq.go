package main

import (
	"context"
	"fmt"

	"github.com/hibiken/asynq"
)

type asynqHandler struct{ *executor }

func (h *asynqHandler) ProcessTask(ctx context.Context, t *asynq.Task) error {
	err := h.execute(ctx, string(t.Payload()))
	if decide(err) == giveUp {
		return fmt.Errorf("%w: %w", err, asynq.SkipRetry)
	}
	return err
}

func asynqConfig(workers int) asynq.Config {
	return asynq.Config{
		Concurrency: workers,
		IsFailure:   func(err error) bool { return err != nil && decide(err) != later },
	}
}
