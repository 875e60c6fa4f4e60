package process

import (
	"os"

	"github.com/tandem-go/tandem/internal/child"
	"github.com/tandem-go/tandem/internal/codec"
	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/ring"
	"github.com/tandem-go/tandem/internal/slab"
	"github.com/tandem-go/tandem/internal/spawn"
	"github.com/tandem-go/tandem/internal/sys"
	"github.com/tandem-go/tandem/internal/wire"
)

// launch starts a process. Only what the exec needs is made before it; the lanes
// and the page are made while the new process boots, which takes longer. made, when all
// that can fail is done, returns what is sent right behind the introduction, nil for
// nothing.
func launch(p *plan, name string, made func(*worker) (frame []byte)) (w *worker, err error) {
	w = &worker{plan: p, gone: make(chan struct{}), results: slab.Reader{Kind: mem.KindResult}}
	var theirs codec.Handles // the worker's ends
	defer func(begun *worker) {
		theirs.Close()
		if err != nil {
			begun.abandon()
		}
	}(w)
	control, err := pair(&theirs)
	if err != nil {
		return nil, err
	}
	err = w.exec(&theirs, name)
	oomKills.Begin() // the first time it reads files: the process boots meanwhile
	theirs.Close()
	if w.control, err = conn(control, err); err != nil {
		return nil, err
	}
	container.add(w)
	if w.group != nil {
		if err := w.group.OnOverrun(w.starve); err != nil {
			return nil, err
		}
	}
	if err := w.equip(&theirs); err != nil {
		return nil, err
	}
	w.proc.OnEnd(w.expire) // which ends the sending, too, should something hold the other end
	first := made(w)
	if err := w.introduce(&theirs, name, first); err != nil {
		w.kill("it could not be told who it is: " + err.Error())
	}
	return w, nil
}

// exec starts the process with its end of the channel.
func (w *worker) exec(theirs *codec.Handles, name string) error {
	stdio, err := w.open()
	if err != nil {
		return err
	}
	p := w.plan
	err = w.born(spawn.Command{Env: p.Env, Dir: p.Dir, Stdio: stdio.theirs, Extra: p.ExtraFiles, Worker: theirs.Files()[0]})
	stdio.closeTheirs()
	if err == nil {
		w.process = newProcess(name, w.proc, w.sandbox.String())
		w.output.process.Store(w.process)
	}
	if begun := w.output.begin(); err == nil {
		err = begun
	}
	return err
}

// equip makes the page, the rings, the log channel and the lanes. The worker expects
// their ends in this order.
func (w *worker) equip(theirs *codec.Handles) (err error) {
	if w.pageFile, err = sys.NewPageFile("tandem-page", child.PageFile); err != nil {
		return err
	}
	if w.page, err = sys.NewPage(w.pageFile); err != nil {
		return err
	}
	if w.plan.rings {
		if w.spinners, err = useSpinners(); err != nil {
			return err
		}
		if w.rings, err = ring.Create(ring.Config{Lanes: max(w.plan.lanes, 1), Slots: laneDepth, Spinners: w.spinners, Once: w.plan.single}); err != nil {
			return err
		}
	}
	if w.plan.Logger != nil {
		if err := w.openLog(theirs); err != nil {
			return err
		}
	}
	if w.plan.direct() {
		w.lanes = append(w.lanes, newLane(w, 0, w.control))
		return nil
	}
	for i := range max(w.plan.lanes, 1) {
		fd, err := pair(theirs)
		c, err := conn(fd, err)
		if err != nil {
			return err
		}
		l := newLane(w, i, c)
		if w.rings != nil {
			l.ring, l.depth = w.rings.Lanes()[i], laneDepth
		}
		w.lanes = append(w.lanes, l)
	}
	return nil
}

// introduce tells the worker who it is, and sends first behind that. One that cannot be
// told is dying, most often, and its keeper finds out why.
func (w *worker) introduce(theirs *codec.Handles, name string, first []byte) error {
	// Large variables fill the socket, and then this waits for the worker to read.
	w.expectInit()
	hello := w.plan.hello(name)
	hello.Grouped = !w.limitData()
	if w.sandbox == nil { // a confined process has inherited them
		hello.Nice, hello.CPUs = w.plan.Nice, w.plan.CPUs
		hello.IOClass, hello.IOLevel = w.plan.IOClass.rank(), w.plan.IOLevel
	}
	hello.Calls = w.sandbox.Calls()
	var send codec.Handles
	files := []*os.File{w.pageFile}
	// Whoever writes there names process groups to be killed. What is confined is not
	// trusted with it, and has a warden of its own if it starts workers.
	if r := spawn.Registrations(); r != nil && w.sandbox == nil {
		hello.Warden = true
		files = append(files, r)
	}
	if w.rings != nil {
		hello.Rings = true
		files = append(append(files, w.rings.Files()...), w.spinners.File())
		if f := w.rings.Alarm(); f != nil {
			files = append(files, f)
		}
	}
	if w.plan.Logger != nil {
		hello.Log, hello.LogLevel = true, leastLevel(w.plan.Logger)
	}
	for _, f := range append(files, theirs.Files()...) {
		if _, err := send.Add(f); err != nil {
			return err
		}
	}
	return w.control.SendBefore(wire.Start, 0, hello.Append(wire.Room(nil)), &send, first)
}

// abandon ends a worker that was not made completely.
func (w *worker) abandon() {
	if w.proc != nil {
		w.proc.Kill()
		<-w.proc.Done()
		container.remove(w)
		if w.process != nil { // nil: it could not be moved into its group
			w.process.ended(w.proc.State())
		}
	}
	w.disband()
	if w.output != nil {
		w.output.finish()
	}
	w.release()
}

// pair makes a socket pair: the other side goes into theirs.
func pair(theirs *codec.Handles) (ours int, err error) {
	ours, other, err := sys.Socketpair()
	if err != nil {
		return -1, err
	}
	f, err := sys.File(other, "tandem socket", false)
	if err == nil {
		err = theirs.Receive(f)
	}
	if err != nil {
		sys.CloseAll([]int{ours})
		return -1, err
	}
	return ours, nil
}

// conn makes a Conn of this side of a pair, unless something went wrong before.
func conn(fd int, before error) (*wire.Conn, error) {
	if before != nil {
		if fd >= 0 {
			sys.CloseAll([]int{fd})
		}
		return nil, before
	}
	return wire.NewConn(fd, "tandem socket")
}

func (p *plan) hello(name string) *child.Hello {
	h := &child.Hello{
		Name: name, ParentName: Current().Name(), Depth: child.Self.Depth + 1,
		Lanes: p.lanes, MaxProcs: p.maxProcs, MaxStack: p.maxStack(), Memory: p.Limits.Memory, OpenFiles: p.OpenFiles, Core: p.Dumps.core(),
		Single: p.single, Standby: p.standby, Setup: p.setup, Exit: p.exit, Vars: p.vars,
	}
	h.Build, h.Tasks = child.Root.Identity()
	return h
}
