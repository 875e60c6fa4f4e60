package process_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

var greet = tandem.NewTask("greet", func(ctx context.Context, name string) (int, error) {
	slog.InfoContext(ctx, "greeting", slog.Group("guest", "name", name))
	fmt.Println("hello", name) // a line is a record too, at the same level
	return len(name), nil
})

// What tasks log, and what they write, reaches one Logger, with where it comes from.
func ExampleConfig_logger() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{} // the output of an example is always the same
			}
			return a
		},
	}))
	pool := &process.Pool{Workers: 1, Name: "guests", Config: process.Config{Logger: logger}}
	if _, err := greet.On(pool).Call(context.Background(), "gopher"); err != nil {
		fmt.Println(err)
	}
	pool.Close() // all records are there when it returns
	// Unordered output:
	// level=INFO msg=greeting guest.name=gopher worker=guests-1 task=github.com/tandem-go/tandem/process_test.greet
	// level=INFO msg="hello gopher" worker=guests-1 task=github.com/tandem-go/tandem/process_test.greet stream=stdout
}

// ledger is a value that lives in a process of its own.
type ledger struct{ balance int }

var openLedger = process.NewConstructor("ledger", func(ctx context.Context, balance int) (*ledger, error) {
	return &ledger{balance}, nil
})

var deposit = process.NewMethod("ledger.deposit", func(ctx context.Context, l *ledger, sum int) (int, error) {
	l.balance += sum // one call at a time: no lock
	return l.balance, nil
})

func ExampleService() {
	svc := &process.Service[*ledger]{New: openLedger.With(10)}
	defer svc.Close()
	fmt.Println(deposit.On(svc).Call(context.Background(), 2))
	fmt.Println(deposit.On(svc).Call(context.Background(), 30))
	// Output:
	// 12 <nil>
	// 42 <nil>
}

var stock = process.NewMapType[string, int]("stock")

var sell = process.NewMethod("stock.sell", func(ctx context.Context, t *process.Table[string, int], what string) (int, error) {
	if n, _ := t.Get(what); n == 0 {
		return 0, fmt.Errorf("no %s left", what)
	}
	return t.Update(what, func(n int, found bool) int { return n - 1 }), nil
})

func ExampleMap() {
	ctx := context.Background()
	m := stock.New()
	defer m.Close()
	if err := m.Set(ctx, "apples", 2); err != nil {
		fmt.Println(err)
	}
	fmt.Println(sell.On(m).Call(ctx, "apples"))
	fmt.Println(sell.On(m).Call(ctx, "pears"))
	for e, err := range m.All(ctx) {
		fmt.Println(e.Key, e.Value, err)
	}
	// Output:
	// 1 <nil>
	// 0 no pears left
	// apples 1 <nil>
}
