package tandem

import (
	"context"
	"maps"
)

// Meta is small text that travels beside a call: a traceparent, an attempt
// number, an idempotency key. tandem carries it and never reads it.
type Meta map[string]string

type metaKey struct{}

// WithMeta returns a context whose calls carry m, merged over the Meta that ctx
// already has. Other context values do not leave the process.
func WithMeta(ctx context.Context, m Meta) context.Context {
	merged := maps.Clone(MetaOf(ctx))
	if merged == nil {
		merged = make(Meta, len(m))
	}
	maps.Copy(merged, m)
	return context.WithValue(ctx, metaKey{}, merged)
}

// MetaOf returns the Meta of ctx: inside a task that of its caller. The result
// must not be changed; nil means none.
func MetaOf(ctx context.Context) Meta {
	m, _ := ctx.Value(metaKey{}).(Meta)
	return m
}
