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
	codecRival("gob", "codec-gob", "encoding/gob, one stream, so that the type is told once"),
	codecRival("JSON", "codec-json", "encoding/json"),
	rpc("os/exec with gRPC", "os-exec", "bench/rivals started by os/exec: what its packages alone cost", drive.Start),
}

var rpcCan = []string{drive.Echo, drive.Record, drive.Calls, drive.Payload, drive.Start, drive.Crowd, drive.Allocs}

// codecRival encodes and decodes without any call.
func codecRival(name, arg, note string) contender {
	c := rpc(name, arg, note, drive.Codec)
	c.family, c.local = familyLocal, true
	return c
}

func rpc(name, arg, note string, can ...string) contender {
	return contender{
		name: name, family: familyRPC, note: note, can: can,
		lacks: func(t tools) string { return t.NoRivals },
		open: func(t tools, workers int) (drive.Session, error) {
			return remote(t.Rivals, arg, strconv.Itoa(workers))
		},
	}
}

// build builds a program of this module into a folder, or says why it cannot be built.
func build(name, folder string) (path, why string) {
	path = filepath.Join(folder, name)
	out, err := exec.Command("go", "build", "-o", path, "github.com/tandem-go/tandem/bench/"+name).CombinedOutput()
	if err != nil {
		first, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
		return "", fmt.Sprintf("go build bench/%s: %v %s", name, err, first)
	}
	return path, ""
}
