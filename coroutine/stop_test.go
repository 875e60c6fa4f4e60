package coroutine_test

import (
	"errors"
	"runtime"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/coroutine"
)

func TestStop(t *testing.T) {
	cases := []struct {
		name   string
		body   func(y *yielder, ran *bool) error
		is     error
		panics string
	}{
		{"runs deferred calls", func(y *yielder, ran *bool) error {
			defer func() { *ran = true }()
			y.Yield(1)
			return errBody // is not reached
		}, nil, ""},
		{"a deferred call yields", func(y *yielder, ran *bool) error {
			defer func() { *ran = true }()
			defer y.Yield(2)
			y.Yield(1)
			return nil
		}, nil, ""},
		{"a recover swallows it", func(y *yielder, ran *bool) (err error) {
			defer func() { *ran, _, err = true, recover(), errBody }()
			y.Yield(1)
			return nil
		}, coroutine.ErrSwallowed, ""},
		{"swallowed, then yields again", func(y *yielder, ran *bool) error {
			defer func() { *ran = true }()
			func() {
				defer func() { recover() }()
				y.Yield(1)
			}()
			y.Yield(2)
			return nil
		}, nil, ""},
		{"recovered and raised again", func(y *yielder, ran *bool) error {
			defer func() { *ran = true; panic(recover()) }()
			y.Yield(1)
			return nil
		}, nil, ""},
		{"a deferred call panics", func(y *yielder, ran *bool) error {
			defer func() { *ran = true; panic(errBody) }()
			y.Yield(1)
			return nil
		}, errBody, errBody.Error()},
		{"a deferred call exits", func(y *yielder, ran *bool) error {
			defer func() { *ran = true; runtime.Goexit() }()
			y.Yield(1)
			return nil
		}, nil, "runtime.Goexit called"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			noLeak(t)
			ran := false
			c := coroutine.New(func(y *yielder, _ int) error { return tc.body(y, &ran) })
			c.Next()
			err := c.Stop()
			if !ran {
				t.Error("the deferred call had not run when Stop returned")
			}
			if tc.is != nil && !errors.Is(err, tc.is) {
				t.Errorf("Stop = %v, want %v", err, tc.is)
			}
			if wantErr := tc.is != nil || tc.panics != ""; (err != nil) != wantErr {
				t.Errorf("Stop = %v, want an error: %v", err, wantErr)
			}
			if p, ok := errors.AsType[*tandem.PanicError](err); ok != (tc.panics != "") || ok && p.Value != tc.panics {
				t.Errorf("Stop = %v, want a panic %q", err, tc.panics)
			}
			if c.Stop() != err || c.Err() != err {
				t.Errorf("second Stop = %v, Err = %v, want %v", c.Stop(), c.Err(), err)
			}
			if _, got := c.Next(); err == nil && got != coroutine.ErrDone {
				t.Errorf("Next after Stop = %v, want ErrDone", got)
			}
		})
	}
}

func TestStopBeforeBegin(t *testing.T) {
	noLeak(t)
	c := coroutine.New(func(*yielder, int) error { t.Error("the body ran"); return nil })
	if err := c.Stop(); err != nil {
		t.Errorf("Stop = %v", err)
	}
}
