// Package owner is lesson L16: a process that dies with a lock in its hand holds up
// nobody; the next one is told, and makes whole what the lock protects.
package owner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/course"
	"github.com/tandem-go/tandem/process"
	"github.com/tandem-go/tandem/shared"
)

// Lesson is L16.
var Lesson = &course.Lesson{
	ID: "L16", Folder: "16-owner", Way: course.Beyond,
	Title: course.Text{En: "a lock whose owner dies", Zh: "持锁者死了"},
	Idea: course.Text{
		En: "40 transfers between two accounts in shared memory; 4 die with the lock held, halfway.",
		Zh: "共享内存里有两个账户，转账40次；其中4次在持锁、转到一半时进程死掉。",
	},
	Question: course.Text{
		En: "Do the others hang, as in Python? And is the money still there?",
		Zh: "其他进程会像Python里那样永远等下去吗？钱还在吗？",
	},
	Run: run,
}

const (
	workers   = 3
	transfers = 40
	every     = 10  // one of so many dies
	money     = 100 // in both accounts together
	patience  = 30 * time.Second
)

// order is one transfer: one from the first account to the second.
type order struct {
	Accounts *shared.Slice[int]
	Repairs  *shared.Atomic[int]
	Die      bool
}

// move repairs what a dead process left, if it comes across it.
var move = tandem.NewTask("move", func(ctx context.Context, o order) (struct{}, error) {
	for {
		err := o.Accounts.Update(ctx, func(p []int) error {
			p[0]--
			if o.Die {
				os.Exit(1)
			}
			p[1]++
			return nil
		})
		if !errors.As(err, new(*shared.OwnerDiedError)) {
			return struct{}{}, err
		}
		if err := o.repair(ctx); err != nil {
			return struct{}{}, err
		}
	}
})

// repair gives back what was taken and not given.
func (o order) repair(ctx context.Context) error {
	return o.Accounts.Repair(ctx, func(p []int, died *shared.OwnerDiedError) error {
		p[0] = money - p[1]
		o.Repairs.Add(1)
		return nil
	})
}

func run(ctx context.Context, s *course.Stage) error {
	accounts, err := shared.NewSliceOf([]int{money, 0})
	if errors.Is(err, errors.ErrUnsupported) {
		s.Skip("this system has no locks across processes", "这个系统没有跨进程的锁")
		return nil
	}
	if err != nil {
		return err
	}
	defer accounts.Close()
	repairs, err := shared.NewAtomic(0)
	if err != nil {
		return err
	}
	defer repairs.Close()
	pool := &process.Pool{Workers: workers, Config: process.Config{Stderr: io.Discard}}
	defer pool.Close()

	orders := make([]order, transfers)
	for i := range orders {
		orders[i] = order{accounts, repairs, i%every == every/2}
	}
	hang, cancel := context.WithTimeout(ctx, patience) // which nobody needs
	defer cancel()
	died, done := 0, 0
	for it := range move.On(pool).Unordered(hang, slices.Values(orders)) {
		switch {
		case errors.As(it.Err, new(*tandem.CrashError)):
			died++
		case it.Err != nil:
			return fmt.Errorf("a transfer: %w", it.Err)
		default:
			done++
		}
	}
	var left [2]int
	read := func(p []int) error { left = [2]int(p); return nil }
	err = accounts.Update(ctx, read)
	if errors.As(err, new(*shared.OwnerDiedError)) { // the last of all has died
		if err = orders[0].repair(ctx); err == nil {
			err = accounts.Update(ctx, read)
		}
	}
	if err != nil {
		return err
	}
	s.Say("%[1]d transfers done, %[2]d died halfway, accounts %[3]v", "%[1]d次转账完成，%[2]d次中途死掉，账户%[3]v", done, died, left)
	s.Fact("transfers_done", done)
	s.Fact("owners_died", died)
	s.Fact("repairs", repairs.Load())
	s.Fact("money", left[0]+left[1])
	s.Law(died == transfers/every && done == transfers-died, "nobody waits for the dead: all other transfers are done", "没有人等死者：其他转账都完成了")
	s.Law(repairs.Load() == died, "each death is told to exactly one, who makes it whole", "每次死亡恰好由一个进程得知并修复")
	s.Law(left == [2]int{money - done, done}, "no money is lost", "钱一分不少")
	return nil
}
