package docs_test

import (
	"context"
	"testing"

	"github.com/tandem-go/tandem/process"
)

type account struct{ balance int }

var (
	openAccount = process.NewConstructor("account", func(ctx context.Context, balance int) (*account, error) { return &account{balance}, nil })
	pay         = process.NewMethod("account.pay", func(ctx context.Context, a *account, n int) (int, error) {
		a.balance -= n
		return a.balance, nil
	})
	ages = process.NewMapType[string, int]("ages")
)

func TestService(t *testing.T) {
	ctx := t.Context()
	{
		// page: multiprocessing Manager
		m := ages.New() // process.NewMapType made ages, at package level
		err := m.Set(ctx, "Ann", 30)
		// end
		must(t, err)
		n, found, err := m.Get(ctx, "Ann")
		must(t, err)
		want(t, n, 30)
		want(t, found, true)
		must(t, m.Close())
	}
	{
		// page: multiprocessing managers.BaseManager
		svc := &process.Service[*account]{New: openAccount.With(10)}
		left, err := pay.On(svc).Call(ctx, 3)
		// end
		must(t, err)
		want(t, left, 7)
		must(t, svc.Close())
	}
}
