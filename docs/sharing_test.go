package docs_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
	"github.com/tandem-go/tandem/shared"
)

// Page is what render gets.
type Page struct {
	Number   int
	Licences *shared.Semaphore
}

func render(ctx context.Context, in Page) (string, error) {
	text := ""
	err := in.Licences.With(ctx, func() error { // at most two in all workers together
		text = fmt.Sprintf("page %d", in.Number)
		return nil
	})
	return text, err
}

// Survey is what measure gets.
type Survey struct {
	Number    int
	Histogram *shared.Slice[int64]
	Done      *shared.Atomic[int]
}

func measure(ctx context.Context, in Survey) (struct{}, error) {
	err := in.Histogram.Update(ctx, func(bins []int64) error { // one worker at a time
		bins[in.Number%len(bins)]++
		return nil
	})
	in.Done.Add(1)
	return struct{}{}, err
}

// Stock is a number, its lock and what tells of its changes.
type Stock struct {
	Changed *shared.Cond
	Number  *shared.Buffer
}

// count changes the number. The lock is held.
func (s Stock) count(change int) (n int) {
	s.Number.View(func(p []byte) error {
		n = int(binary.NativeEndian.Uint64(p)) + change
		binary.NativeEndian.PutUint64(p, uint64(n))
		return nil
	})
	return n
}

func takeOne(ctx context.Context, in Stock) (left int, err error) {
	some := func() bool { left = in.count(0); return left > 0 }
	err = in.Changed.When(ctx, some, func() error { left = in.count(-1); return nil })
	return left, err
}

// Site is what crawl works on.
type Site struct {
	URLs *shared.Queue[string]
}

func crawl(ctx context.Context, in Site) (pages int, err error) {
	for url, err := range in.URLs.All(ctx) {
		if err != nil {
			return pages, err
		}
		pages += strings.Count(url, "//")
		if err := in.URLs.TaskDone(); err != nil {
			return pages, err
		}
	}
	return pages, nil // CloseSend was called, and nothing is left
}

// Text is what countWords gets.
type Text struct {
	Words string
	Total *shared.Value[int]
}

func countWords(ctx context.Context, in Text) (int, error) { // the task
	n := len(strings.Fields(in.Words))
	return n, in.Total.Update(ctx, func(total *int) error { *total += n; return nil })
}

func countAll(ctx context.Context, place tandem.Runner, texts []string) (int, error) { // who calls it
	total, err := shared.NewValue(0)
	if err != nil {
		return 0, err
	}
	defer total.Close()
	var list []Text
	for _, words := range texts {
		list = append(list, Text{Words: words, Total: total})
	}
	if _, err := countWordsTask.On(place).All(ctx, list); err != nil {
		return 0, err
	}
	return total.Load(ctx)
}

// Talk is who shout talks to.
type Talk struct {
	Line *shared.Conn[string, string]
}

func shout(ctx context.Context, in Talk) (n int, err error) {
	for text, err := range in.Line.All(ctx) {
		if err != nil {
			return n, err
		}
		if err := in.Line.Send(ctx, strings.ToUpper(text)); err != nil {
			return n, err
		}
		n++
	}
	return n, nil // the other end was closed
}

// Transfer is an amount to move between two accounts.
type Transfer struct {
	Accounts    *shared.Slice[int64]
	Amount, Sum int64
}

func transfer(ctx context.Context, in Transfer) (struct{}, error) {
	move := func(p []int64) error { p[0] -= in.Amount; p[1] += in.Amount; return nil }
	err := in.Accounts.Update(ctx, move)
	if died := (*shared.OwnerDiedError)(nil); errors.As(err, &died) { // perhaps between the two accounts
		err = in.Accounts.Repair(ctx, func(p []int64, _ *shared.OwnerDiedError) error { p[1] = in.Sum - p[0]; return nil })
		if err == nil {
			err = in.Accounts.Update(ctx, move)
		}
	}
	return struct{}{}, err
}

// dieBetween is a transfer whose process dies between the two accounts.
func dieBetween(ctx context.Context, in Transfer) (struct{}, error) {
	return struct{}{}, in.Accounts.Update(ctx, func(p []int64) error {
		p[0] -= in.Amount
		os.Exit(3)
		return nil
	})
}

var (
	crawlTask      = tandem.NewTask("crawl", crawl)
	renderTask     = tandem.NewTask("render", render)
	measureTask    = tandem.NewTask("measure", measure)
	takeOneTask    = tandem.NewTask("takeOne", takeOne)
	countWordsTask = tandem.NewTask("countWords", countWords)
	shoutTask      = tandem.NewTask("shout", shout)
	transferTask   = tandem.NewTask("transfer", transfer)
	dieBetweenTask = tandem.NewTask("dieBetween", dieBetween)
)

// TestSharingPage: the functions that sharing.md shows are those that run here.
func TestSharingPage(t *testing.T) {
	text, err := os.ReadFile("sharing.md")
	must(t, err)
	source, err := os.ReadFile("sharing_test.go")
	must(t, err)
	blocks := strings.Split(string(text), "```go\n")[1:]
	want(t, len(blocks), 8)
	for _, block := range blocks {
		block, _, closed := strings.Cut(block, "```")
		if !closed || !strings.Contains(string(source), "\n"+block) {
			t.Errorf("sharing.md shows code that is not in sharing_test.go:\n%s", block)
		}
	}
}

func TestSharing(t *testing.T) {
	ctx, pool := t.Context(), twoWorkers(t)
	sem, err := shared.NewSemaphore(2)
	if errors.Is(err, errors.ErrUnsupported) && runtime.GOOS != "linux" {
		t.Skip(err)
	}
	must(t, err)
	defer sem.Close()
	pages, err := renderTask.On(pool).All(ctx, []Page{{1, sem}, {2, sem}, {3, sem}})
	must(t, err)
	want(t, pages, []string{"page 1", "page 2", "page 3"})

	bins, err := shared.NewSlice[int64](10)
	must(t, err)
	defer bins.Close()
	done, err := shared.NewAtomic(0)
	must(t, err)
	defer done.Close()
	_, err = measureTask.On(pool).All(ctx, []Survey{{3, bins, done}, {13, bins, done}, {4, bins, done}})
	must(t, err)
	want(t, done.Load(), 3)
	must(t, bins.View(func(p []int64) error { want(t, p, []int64{0, 0, 0, 2, 1, 0, 0, 0, 0, 0}); return nil }))

	mu, err := shared.NewMutex()
	must(t, err)
	defer mu.Close()
	changed, err := shared.NewCond(mu)
	must(t, err)
	defer changed.Close()
	number, err := shared.NewBuffer(8)
	must(t, err)
	defer number.Close()
	s := Stock{changed, number}
	one, two := takeOneTask.On(pool).Go(ctx, s), takeOneTask.On(pool).Go(ctx, s)
	must(t, mu.With(ctx, func() error { s.count(2); return changed.Broadcast() }))
	var lefts []int
	for _, f := range []*tandem.Future[int]{one, two} {
		left, err := f.Wait(ctx)
		must(t, err)
		lefts = append(lefts, left)
	}
	slices.Sort(lefts)
	want(t, lefts, []int{0, 1})

	urls, err := shared.NewQueue[string](10)
	must(t, err)
	defer urls.Close()
	crawled := crawlTask.On(pool).Go(ctx, Site{urls})
	n, err := urls.PutAll(ctx, []string{"http://a", "http://bc", "http://def"})
	must(t, err)
	want(t, n, 3)
	must(t, urls.Join(ctx))
	must(t, urls.CloseSend())
	crawledPages, err := crawled.Wait(ctx)
	must(t, err)
	want(t, crawledPages, 3)
}

// TestSharingFirst, TestSharingTalk and TestSharingDeath run the other functions of the
// page.
func TestSharingFirst(t *testing.T) {
	needsLinux(t)
	texts := []string{"one two", "three", "four five six"}
	for _, place := range []tandem.Runner{twoWorkers(t), tandem.Goroutines(2)} {
		total, err := countAll(t.Context(), place, texts)
		must(t, err)
		want(t, total, 6)
	}
}

func TestSharingTalk(t *testing.T) {
	needsLinux(t)
	near, far, err := shared.NewPipe[string, string]()
	must(t, err)
	defer near.Close()
	h, err := process.Start(t.Context(), process.Config{}, shoutTask, Talk{far})
	must(t, err)
	must(t, far.Close())
	for _, text := range []string{"hello", "world"} {
		must(t, near.Send(t.Context(), text))
		back, err := near.Recv(t.Context())
		must(t, err)
		want(t, back, strings.ToUpper(text))
	}
	must(t, near.Close())
	n, err := h.Wait(t.Context())
	must(t, err)
	want(t, n, 2)
}

func TestSharingDeath(t *testing.T) {
	needsLinux(t)
	accounts, err := shared.NewSliceOf([]int64{100, 0})
	must(t, err)
	defer accounts.Close()
	in := Transfer{accounts, 30, 100}
	h, err := process.Start(t.Context(), process.Config{}, dieBetweenTask, in)
	must(t, err)
	if _, err := h.Wait(t.Context()); err == nil {
		t.Fatal("it has not died")
	}
	_, err = transferTask.On(twoWorkers(t)).Call(t.Context(), in)
	must(t, err)
	must(t, accounts.View(func(p []int64) error { want(t, p, []int64{40, 60}); return nil }))
}

func needsLinux(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("on other systems the New functions answer errors.ErrUnsupported")
	}
}
