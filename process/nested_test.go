package process_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// kin is what a process sees of itself and its relatives.
type kin struct {
	Name, Parent, Child string // of the first child
	PID, ParentPID, ChildPID,
	SysParent int // os.Getppid
	Children []string // names, in the order of their start
}

// look is asked with how many children to have. The last generation just answers.
var look = tandem.NewTask("look", func(ctx context.Context, children int) (k kin, err error) {
	k.Name, k.PID, k.SysParent = process.Current().Name(), process.Current().PID(), os.Getppid()
	if p := process.Parent(); p != nil {
		k.Parent, k.ParentPID = p.Name(), p.PID()
	}
	for i := range children {
		h, err := process.Start(ctx, process.Config{}, rest, struct{}{})
		if err != nil {
			return k, err
		}
		defer h.Process.Kill()
		if i == 0 {
			k.Child, k.ChildPID = h.Process.Name(), h.Process.PID()
		}
	}
	for _, p := range process.Children() {
		k.Children = append(k.Children, p.Name())
	}
	return k, nil
})

var rest = tandem.NewTask("rest", func(ctx context.Context, _ struct{}) (struct{}, error) {
	<-ctx.Done()
	return struct{}{}, ctx.Err()
})

func TestNestedSeenFromInside(t *testing.T) {
	leaveNothing(t)
	h, err := process.Start(t.Context(), process.Config{Name: "Process-1"}, look, 2)
	if err != nil {
		t.Fatal(err)
	}
	k, err := h.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if k.Name != "Process-1" || k.PID != h.Process.PID() || k.Parent != "MainProcess" || k.ParentPID != os.Getpid() || k.SysParent != os.Getpid() {
		t.Errorf("the child sees itself as %+v", k)
	}
	if want := []string{"Process-1:1", "Process-1:2"}; !slices.Equal(k.Children, want) || k.Child != want[0] || k.ChildPID == 0 {
		t.Errorf("the child's children are %q, want %q; first %s (pid %d)", k.Children, want, k.Child, k.ChildPID)
	}
	if process.Parent() != nil || process.Current().Name() != "MainProcess" || len(process.Children()) != 0 {
		t.Errorf("the root program: parent %v, name %s, %d children", process.Parent(), process.Current().Name(), len(process.Children()))
	}
}

// inner is what a task of the outer pool does with a pool of its own.
var inner = tandem.NewTask("inner", func(ctx context.Context, n int) (sum int, err error) {
	pool := &process.Pool{Workers: 2}
	defer pool.Close()
	ins := make([]int, n)
	for i := range ins {
		ins[i] = i
	}
	outs, err := double.On(pool).All(ctx, ins)
	for _, v := range outs {
		sum += v
	}
	return sum, err
})

func TestNestedPools(t *testing.T) {
	leaveNothing(t)
	pool := &process.Pool{Workers: 2}
	closing(t, pool)
	sums, err := inner.On(pool).All(t.Context(), []int{2, 3, 4})
	if want := []int{2, 6, 12}; err != nil || !slices.Equal(sums, want) {
		t.Errorf("got %v, %v, want %v", sums, err, want)
	}
}

// Names inside a nested pool, and a crash two levels down that keeps its identity
// on the way up.
var deepCrash = tandem.NewTask("deep crash", func(ctx context.Context, code int) (string, error) {
	pool := &process.Pool{Workers: 1, Name: "deep"}
	defer pool.Close()
	k, err := look.On(pool).Call(ctx, 0)
	if err != nil {
		return "", err
	}
	_, err = exit.On(pool).Call(ctx, code)
	return k.Name + " below " + k.Parent, err
})

var exit = tandem.NewTask("exit", func(ctx context.Context, code int) (string, error) {
	if code > 0 {
		os.Exit(code)
	}
	return "", nil
})

func TestNestedPoolNames(t *testing.T) {
	leaveNothing(t)
	pool := &process.Pool{Workers: 1, Name: "top"}
	closing(t, pool)
	if got, err := deepCrash.On(pool).Call(t.Context(), 0); got != "deep-1 below top-1" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	_, err := deepCrash.On(pool).Call(t.Context(), 5)
	if crash, ok := errors.AsType[*tandem.CrashError](err); !ok || crash.ExitCode != 5 || !strings.HasSuffix(crash.Task, ".exit") {
		t.Errorf("the crash two levels down arrives as %#v", err)
	}
}

// dig starts itself without end, by processes or by pools. It is made in an init
// function, since its own function uses it.
var dig *tandem.Task[bool, int]

func init() {
	dig = tandem.NewTask("dig", func(ctx context.Context, pools bool) (int, error) { return digDeeper(ctx, pools) })
}

func digDeeper(ctx context.Context, pools bool) (int, error) {
	if pools {
		pool := &process.Pool{Workers: 1}
		defer pool.Close()
		n, err := dig.On(pool).Call(ctx, pools)
		return n + 1, err
	}
	h, err := process.Start(ctx, process.Config{}, dig, pools)
	if err != nil {
		return 0, err
	}
	return h.Wait(ctx)
}

func TestDepthLimit(t *testing.T) {
	for _, c := range []struct {
		name  string
		pools bool
	}{{"processes", false}, {"pools", true}} {
		t.Run(c.name, func(t *testing.T) {
			leaveNothing(t)
			_, err := digDeeper(t.Context(), c.pools)
			const want = "tandem: cannot start a process: this is a worker of a worker, 8 deep, which is the limit; does a task start itself?"
			if err == nil || err.Error() != want {
				t.Errorf("got %v\nwant %s", err, want)
			}
		})
	}
}
