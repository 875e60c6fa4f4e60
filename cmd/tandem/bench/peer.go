package bench

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"os/exec"
	"time"
)

// peerArg makes this program the bare child that tandem is compared with.
const peerArg = "bench-peer"

// Peer is the rest of main in a program that was started as a bare child: it
// does not return there. Everywhere else it does nothing.
func Peer() {
	if len(os.Args) == 2 && os.Args[1] == peerArg {
		os.NewFile(3, "ready").Write([]byte{1})
		answer(os.Stdin, os.Stdout)
		os.Exit(0)
	}
}

// answer reads messages, each behind its length, and answers each with a number,
// until there are no more.
func answer(in io.Reader, out io.Writer) {
	var b, n [8]byte
	var large []byte
	for {
		if _, err := io.ReadFull(in, n[:]); err != nil {
			return
		}
		m := b[:]
		if size := binary.LittleEndian.Uint64(n[:]); size != 8 {
			if uint64(len(large)) != size {
				large = make([]byte, size)
			}
			m = large
		}
		if _, err := io.ReadFull(in, m); err != nil {
			return
		}
		result := binary.LittleEndian.Uint64(m) + 1
		if len(m) != 8 {
			result = look(m)
		}
		binary.LittleEndian.PutUint64(n[:], result)
		if _, err := out.Write(n[:]); err != nil {
			return
		}
	}
}

// peer is a bare child with a pipe to it and one back.
type peer struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out io.Reader
	buf [16]byte
}

// bare starts a child by os/exec alone and returns when its first byte is here.
func bare(ctx context.Context, pipes bool) (*peer, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	p := &peer{cmd: exec.CommandContext(ctx, self, peerArg)}
	p.cmd.ExtraFiles = []*os.File{w}
	if pipes {
		if p.in, err = p.cmd.StdinPipe(); err == nil {
			p.out, err = p.cmd.StdoutPipe()
		}
	}
	if err == nil {
		err = p.cmd.Start()
	}
	w.Close()
	if err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(r, p.buf[:1]); err != nil {
		return nil, errors.Join(err, p.cmd.Wait())
	}
	return p, nil
}

func startPeer(ctx context.Context) (*peer, error) { return bare(ctx, true) }

// next sends a number and returns the answer.
func (p *peer) next(n uint64) (uint64, error) {
	binary.LittleEndian.PutUint64(p.buf[:], 8)
	binary.LittleEndian.PutUint64(p.buf[8:], n)
	if _, err := p.in.Write(p.buf[:]); err != nil {
		return 0, err
	}
	return p.result()
}

// send sends many bytes and returns the answer.
func (p *peer) send(b []byte) (uint64, error) {
	binary.LittleEndian.PutUint64(p.buf[:], uint64(len(b)))
	if _, err := p.in.Write(p.buf[:8]); err != nil {
		return 0, err
	}
	if _, err := p.in.Write(b); err != nil {
		return 0, err
	}
	return p.result()
}

func (p *peer) result() (uint64, error) {
	_, err := io.ReadFull(p.out, p.buf[:8])
	return binary.LittleEndian.Uint64(p.buf[:]), err
}

// Close lets the child end, and waits for that.
func (p *peer) Close() error {
	if p.in != nil {
		p.in.Close()
	}
	return p.cmd.Wait()
}

// startBare is a child to its first byte.
func startBare(ctx context.Context) (func(time.Duration) ([]float64, error), func() error, error) {
	return starts(func() (func() error, error) {
		p, err := bare(ctx, false)
		if err != nil {
			return nil, err
		}
		return p.Close, nil
	}), nothing, nil
}
