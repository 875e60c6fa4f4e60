//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// fullEnv makes this program one whose files, dumps and output go to a disk that is
// full. Its value is the folder where it mounts that, for itself alone.
const fullEnv = "TANDEM_CHAOS_FULL"

// fillDiskOfOurs is called in main behind Init, and returns in all other programs.
func fillDiskOfOurs() {
	folder := os.Getenv(fullEnv)
	if folder == "" {
		return
	}
	os.Unsetenv(fullEnv)
	if err := syscall.Mount("chaos", folder, "tmpfs", 0, "size=1m"); err != nil {
		fmt.Print("not mounted: ", err)
		os.Exit(unmounted)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := onFullDisk(ctx, folder); err != nil {
		fmt.Print(err)
		os.Exit(1)
	}
	os.Exit(0)
}

// unmounted is the exit status of who may not mount.
const unmounted = 3

// onFullDisk: what goes to a full disk is refused or lost; no task, no call and no
// error is.
func onFullDisk(ctx context.Context, folder string) error {
	filler, err := os.Create(folder + "/filler")
	if err != nil {
		return err
	}
	defer filler.Close()
	dumps, output := folder+"/dumps", folder+"/output"
	out, err := os.Create(output)
	if err := errors.Join(err, os.Mkdir(dumps, 0o700), os.Setenv("TMPDIR", folder)); err != nil {
		return err
	}
	defer out.Close()
	for {
		if _, err := filler.Write(make([]byte, 4096)); errors.Is(err, syscall.ENOSPC) {
			break
		} else if err != nil {
			return err
		}
	}
	pool := &process.Pool{Workers: 2, Limits: tandem.Limits{Time: 10 * time.Second},
		Config: process.Config{Stdout: out, Dumps: &process.Dumps{Dir: dumps}}}
	defer pool.Close()
	crash := func() (*tandem.CrashError, error) {
		_, err := deed.On(pool).Call(ctx, "exit")
		crash, ok := errors.AsType[*tandem.CrashError](err)
		if !ok || crash.ExitCode != 3 {
			return nil, fmt.Errorf("exit 3 came as %w", err)
		}
		return crash, nil
	}
	if first, err := crash(); err != nil {
		return err
	} else if first.Dump != "" {
		return fmt.Errorf("a dump is said to lie on a full disk: %s", first.Dump)
	}
	if _, err := written.On(pool).Call(ctx, folder); !errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("a write to a full disk: %w", err)
	}
	if got, err := sum.On(pool).Call(ctx, make([]byte, 8<<20)); err != nil || got == [32]byte{} {
		return fmt.Errorf("a large argument, which needs no disk: %w", err)
	}
	if err := serves(ctx, pool); err != nil {
		return err
	}
	if err := os.Remove(filler.Name()); err != nil {
		return err
	}
	filler.Close()
	last, err := crash()
	if err != nil {
		return err
	}
	if text, err := os.ReadFile(last.Dump); err != nil || !strings.Contains(string(text), "deed") {
		return fmt.Errorf("the dump of a crash when there was room again: %d bytes, %w", len(text), err)
	}
	return pool.Close()
}

// written writes a file in a folder.
var written = tandem.NewTask("written", func(_ context.Context, folder string) (int, error) {
	f, err := os.CreateTemp(folder, "written")
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return f.Write(make([]byte, 64<<10))
})

// fullDisk runs the program of that name.
func fullDisk(ctx context.Context) error {
	folder, err := os.MkdirTemp("", "chaos")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	cmd := exec.CommandContext(ctx, "/proc/self/exe")
	cmd.Env = append(os.Environ(), fullEnv+"="+folder)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}}
	out, err := cmd.Output()
	exit, ended := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil:
		return nil
	case !ended || exit.ExitCode() == unmounted:
		return fmt.Errorf("%w: %v: %s", errors.ErrUnsupported, err, out)
	}
	return fmt.Errorf("%w: %s\n%s", err, out, exit.Stderr)
}
