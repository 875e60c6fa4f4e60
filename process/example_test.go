package process_test

import (
	"context"
	"fmt"

	"github.com/tandem-go/tandem/process"
)

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
