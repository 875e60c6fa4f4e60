// Command returns returns from main while its tasks run, in a worker of a pool and
// in a process of its own.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

var stay = tandem.NewTask("stay", func(ctx context.Context, _ struct{}) (struct{}, error) {
	sleep := exec.Command("sleep", "1000")
	if err := sleep.Start(); err != nil {
		return struct{}{}, err
	}
	for _, pid := range []int{sleep.Process.Pid, os.Getpid()} {
		if err := note(pid); err != nil {
			return struct{}{}, err
		}
	}
	select {}
})

var path = os.Getenv("TANDEM_TEST_FAMILY")

func note(pid int) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = fmt.Fprintf(f, "%7d 0\n", pid)
	return err
}

func main() {
	tandem.Init()
	stay.On(&process.Pool{Workers: 1}).Go(context.Background(), struct{}{})
	if _, err := process.Start(context.Background(), process.Config{}, stay, struct{}{}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	const lines = 4 * int64(len("1234567 0\n"))
	for {
		if info, err := os.Stat(path); err != nil || info.Size() >= lines {
			return
		}
		time.Sleep(time.Millisecond)
	}
}
