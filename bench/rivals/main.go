//go:build linux

package main

import (
	"fmt"
	"os"
	"strconv"

	"github.com/tandem-go/tandem/bench/internal/drive"
)

// contenders maps a name to what opens one peer of it.
var contenders = map[string]func() (*drive.Local, error){
	"net-rpc":        openRPC,
	"go-plugin-rpc":  func() (*drive.Local, error) { return openPlugin(modePluginRPC) },
	"go-plugin-grpc": func() (*drive.Local, error) { return openPlugin(modePluginGRPC) },
}

func main() {
	child(drive.Mode()) // a child never gets past it
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "rivals: want CONTENDER WORKERS; the benchmark starts this program")
		os.Exit(2)
	}
	if err := drive.Serve(open(os.Args[1], os.Args[2])); err != nil {
		fmt.Fprintln(os.Stderr, "rivals:", err)
		os.Exit(1)
	}
}

// child is what this program is when a contender started it.
func child(mode string) {
	switch mode {
	case "":
		return
	case drive.ModeByte:
		drive.WriteByte()
	case modeRPC:
		serveRPC()
	case modePluginRPC, modePluginGRPC:
		servePlugin(mode)
	}
	os.Exit(0)
}

func open(name, count string) (drive.Session, error) {
	if name == "os-exec" { // what starting this binary costs without a rival
		return &drive.Local{Start: drive.StartBare}, nil
	}
	if codec := codecs[name]; codec != nil {
		return codec(), nil
	}
	one := contenders[name]
	workers, err := strconv.Atoi(count)
	if one == nil || err != nil || workers < 0 {
		return nil, fmt.Errorf("no contender %q with %s workers", name, count)
	}
	s := &drive.Local{}
	if workers > 0 { // none: the orders start and crowd bring their own
		if s, err = drive.Spread(workers, one); err != nil {
			return nil, err
		}
	}
	s.Start, s.Crowd = startOf(one), drive.CrowdOf(one)
	return s, nil
}
