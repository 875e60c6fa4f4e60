//go:build linux

package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/tandem-go/tandem/bench/internal/drive"
)

// The rivals that link much, in a program of their own: bench/rivals.
var rpcs = []contender{
	rpc("net/rpc", "net-rpc", "over a socket pair to a child", rpcCan...),
	rpc("go-plugin net/rpc", "go-plugin-rpc", "hashicorp/go-plugin", rpcCan...),
	rpc("go-plugin gRPC", "go-plugin-grpc", "hashicorp/go-plugin; the struct as a protobuf message, written by hand", rpcCan...),
	rpc("os/exec, gRPC linked", "os-exec", "bench/rivals started by os/exec: what its packages alone cost", drive.Start),
}

var rpcCan = []string{drive.Echo, drive.Record, drive.Calls, drive.Payload, drive.Start, drive.Crowd}

func rpc(name, arg, note string, can ...string) contender {
	return contender{
		name: name, family: familyRPC, note: note, can: can,
		lacks: func(t tools) string { return t.NoRivals },
		open: func(t tools, workers int) (drive.Session, error) {
			return remote(t.Rivals, arg, strconv.Itoa(workers))
		},
	}
}

// buildRivals builds bench/rivals into a folder, or says why it cannot be built.
func buildRivals(folder string) (path, why string) {
	path = filepath.Join(folder, "rivals")
	out, err := exec.Command("go", "build", "-o", path, "github.com/tandem-go/tandem/bench/rivals").CombinedOutput()
	if err != nil {
		first, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
		return "", fmt.Sprintf("go build bench/rivals: %v %s", err, first)
	}
	return path, ""
}
