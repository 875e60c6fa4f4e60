//go:build linux

package main

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"syscall"

	"github.com/tandem-go/tandem/bench/internal/drive"
)

// The bare side: what a program would write without a library, as fast as the
// system allows. The parent waits in the runtime's poller, as a server does; the
// child blocks in read.
var bares = []contender{
	{
		name: "bare socket", family: familySystem, note: "an echo over a socket pair, no codec; a payload after its length",
		can:  []string{drive.Echo, drive.Payload, drive.Crowd},
		open: openBare,
	},
	{
		name: "bare os/exec", family: familySystem, note: "this program, started by os/exec", can: []string{drive.Start},
		open: func(tools, int) (drive.Session, error) { return &drive.Local{Start: drive.StartBare}, nil },
	},
}

const (
	modeEcho = "echo"
	modeBlob = "blob"
)

// bareChild is what this program is when the bare side started it. It returns in
// the program itself.
func bareChild(mode string) {
	switch mode {
	case "":
		return
	case drive.ModeByte:
		drive.WriteByte()
	case modeEcho:
		var b drive.Bytes
		for {
			n, err := syscall.Read(3, b[:])
			if err != nil || n == 0 {
				break
			}
			syscall.Write(3, b[:n])
		}
	case modeBlob:
		if err := answerBlobs(); err != nil && err != io.EOF {
			os.Exit(1)
		}
	}
	os.Exit(0)
}

// answerBlobs reads a length and as many bytes, into memory that is used again,
// and answers with their probe.
func answerBlobs() error {
	var head [8]byte
	var buf []byte
	for {
		if err := readFull(3, head[:]); err != nil {
			return err
		}
		if n := binary.LittleEndian.Uint64(head[:]); uint64(cap(buf)) < n {
			buf = make([]byte, n)
		} else {
			buf = buf[:n]
		}
		if err := readFull(3, buf); err != nil {
			return err
		}
		binary.LittleEndian.PutUint64(head[:], uint64(drive.Probe(buf)))
		if _, err := syscall.Write(3, head[:]); err != nil {
			return err
		}
	}
}

func readFull(fd int, b []byte) error {
	for len(b) > 0 {
		n, err := syscall.Read(fd, b)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return err
		case n == 0:
			return io.EOF
		default:
			b = b[n:]
		}
	}
	return nil
}

func openBare(_ tools, workers int) (drive.Session, error) {
	l := &drive.Local{Crowd: drive.CrowdOf(openEcho)}
	if workers == 0 {
		return l, nil
	}
	e, err := openEcho()
	if err != nil {
		return nil, err
	}
	file, cmd, err := drive.Pair(modeBlob)
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	l.Echo = e.Echo
	l.Blob = func(b []byte) (int, error) {
		var head [8]byte
		binary.LittleEndian.PutUint64(head[:], uint64(len(b)))
		if _, err := file.Write(head[:]); err != nil {
			return 0, err
		}
		if _, err := file.Write(b); err != nil {
			return 0, err
		}
		_, err := io.ReadFull(file, head[:])
		return int(binary.LittleEndian.Uint64(head[:])), err
	}
	l.Closer = func() error { return errors.Join(e.Close(), file.Close(), cmd.Wait()) }
	return l, nil
}

// openEcho opens one echoing child.
func openEcho() (*drive.Local, error) {
	file, cmd, err := drive.Pair(modeEcho)
	if err != nil {
		return nil, err
	}
	return &drive.Local{
		Echo: func(in drive.Bytes) (out drive.Bytes, err error) {
			if _, err = file.Write(in[:]); err == nil {
				_, err = io.ReadFull(file, out[:])
			}
			return out, err
		},
		Closer: func() error { return errors.Join(file.Close(), cmd.Wait()) },
	}, nil
}
