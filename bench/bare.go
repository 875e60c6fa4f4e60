//go:build linux

package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
)

// The bare side: what a program would write without tandem, as fast as the
// system allows. The parent waits in the runtime's poller, as a server does; the
// child blocks in read.

// bareMode is the variable that makes this binary a child of the bare side.
const bareMode = "TANDEM_BENCH_BARE"

func bareMain() {
	switch os.Getenv(bareMode) {
	case "":
		return
	case "byte":
		syscall.Write(3, []byte{1})
	case "echo":
		var p payload
		for {
			n, err := syscall.Read(3, p[:])
			if err != nil || n == 0 {
				break
			}
			syscall.Write(3, p[:n])
		}
	}
	os.Exit(0)
}

// bareEcho starts an echoing child on a socket pair and returns one round trip.
func bareEcho() (trip func() error, stop func(), err error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	syscall.SetNonblock(fds[0], true)
	ours, theirs := os.NewFile(uintptr(fds[0]), "echo"), os.NewFile(uintptr(fds[1]), "echo")
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), bareMode+"=echo")
	cmd.ExtraFiles = []*os.File{theirs}
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	theirs.Close()
	out, in := payload{1, 2, 3}, payload{}
	trip = func() error {
		if _, err := ours.Write(out[:]); err != nil {
			return err
		}
		if _, err := io.ReadFull(ours, in[:]); err != nil {
			return err
		}
		if in != out {
			return fmt.Errorf("the bare echo differs")
		}
		return nil
	}
	return trip, func() { ours.Close(); cmd.Wait() }, nil
}
