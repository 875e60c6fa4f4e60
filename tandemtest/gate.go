package tandemtest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
)

// visit is the argument of the task that comes to the gate: it reports there and
// stays until it is let go, its context ends, or its process does. Then its
// connection ends too, so the test knows what runs without asking the place.
type visit struct {
	Gate, Name string
	Deaf       bool // does not look at its context
}

var visiting = tandem.NewTask("visiting", func(ctx context.Context, v visit) (string, error) {
	conn, err := net.Dial("tcp", v.Gate)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if _, err := fmt.Fprintln(conn, v.Name); err != nil {
		return "", err
	}
	if !v.Deaf {
		defer context.AfterFunc(ctx, func() { conn.SetReadDeadline(time.Now()) })()
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	switch {
	case err != nil && ctx.Err() != nil:
		return "", ctx.Err()
	case err != nil:
		return "", err
	}
	return strings.TrimSpace(answer), nil
})

// gate is where visits report.
type gate struct {
	t    *testing.T
	at   net.Listener
	came chan *visitor

	mu   sync.Mutex
	here []*visitor
}

// visitor is a task that runs, or has run.
type visitor struct {
	name string
	conn net.Conn
	gone chan struct{} // closed when it no longer runs
}

func newGate(t *testing.T) *gate {
	at, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{t: t, at: at, came: make(chan *visitor, 4096)}
	var guards sync.WaitGroup
	guards.Go(func() {
		for {
			conn, err := at.Accept()
			if err != nil {
				return
			}
			guards.Go(func() { g.attend(conn) })
		}
	})
	t.Cleanup(func() {
		at.Close()
		g.mu.Lock()
		for _, v := range g.here {
			v.conn.Close()
		}
		g.mu.Unlock()
		guards.Wait()
	})
	return g
}

func (g *gate) attend(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	name, err := in.ReadString('\n')
	if err != nil {
		return
	}
	v := &visitor{name: strings.TrimSpace(name), conn: conn, gone: make(chan struct{})}
	g.mu.Lock()
	g.here = append(g.here, v)
	g.mu.Unlock()
	g.came <- v
	io.Copy(io.Discard, in) // until the task's end of it is closed
	g.mu.Lock()
	g.here = slices.DeleteFunc(g.here, func(o *visitor) bool { return o == v })
	g.mu.Unlock()
	close(v.gone)
}

// visit is an argument for a task that comes to this gate.
func (g *gate) visit(name string) visit { return visit{Gate: g.at.Addr().String(), Name: name} }

// deaf is one that only a kill, or go, ends.
func (g *gate) deaf(name string) visit {
	v := g.visit(name)
	v.Deaf = true
	return v
}

// next waits for the next task that begins to run.
func (g *gate) next() *visitor {
	g.t.Helper()
	select {
	case v := <-g.came:
		return v
	case <-time.After(patience):
		g.t.Fatal("no further task began to run")
		return nil
	}
}

// release lets the task go, with an answer that becomes its result.
func (v *visitor) release(answer string) { fmt.Fprintln(v.conn, answer) }

// ended waits until the task no longer runs.
func (g *gate) ended(v *visitor) {
	g.t.Helper()
	select {
	case <-v.gone:
	case <-time.After(patience):
		g.t.Fatalf("task %s still runs after its call has settled", v.name)
	}
}

// nobody checks that nothing came that was not taken by next.
func (g *gate) nobody(why string) {
	g.t.Helper()
	select {
	case v := <-g.came:
		g.t.Errorf("task %s began to run %s", v.name, why)
	default:
	}
}

// quiet checks that all that came and were not taken by next have ended.
func (g *gate) quiet() {
	g.t.Helper()
	for {
		select {
		case v := <-g.came:
			g.ended(v)
		default:
			return
		}
	}
}
