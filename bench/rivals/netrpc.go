//go:build linux

package main

import (
	"errors"
	"net"
	"net/rpc"
	"os"

	"github.com/tandem-go/tandem/bench/internal/drive"
)

const modeRPC = "net-rpc"

// Service is what a child offers through net/rpc, bare and inside go-plugin. An
// echo is a slice: gob writes an array byte by byte.
type Service struct{}

func (Service) Echo(in []byte, out *[]byte) error               { *out = in; return nil }
func (Service) Record(in drive.Struct, out *drive.Struct) error { *out = in; return nil }
func (Service) Next(in int, out *int) error                     { *out = in + 1; return nil }
func (Service) Blob(in []byte, out *int) error                  { *out = drive.Probe(in); return nil }

func serveRPC() {
	conn, err := net.FileConn(os.NewFile(3, "peer"))
	if err != nil {
		os.Exit(1)
	}
	s := rpc.NewServer()
	if s.RegisterName("Plugin", Service{}) != nil {
		os.Exit(1)
	}
	s.ServeConn(conn)
}

func openRPC() (*drive.Local, error) {
	file, cmd, err := drive.Pair(modeRPC)
	if err != nil {
		return nil, err
	}
	conn, err := net.FileConn(file)
	file.Close()
	if err != nil {
		cmd.Process.Kill()
		return nil, errors.Join(err, cmd.Wait())
	}
	c := rpc.NewClient(conn)
	p := rpcCalls(c)
	p.Closer = func() error { return errors.Join(c.Close(), cmd.Wait()) }
	return p, nil
}

// rpcCalls makes the calls of Service. go-plugin dispenses one under the same
// name.
func rpcCalls(c *rpc.Client) *drive.Local {
	return &drive.Local{
		Echo: func(in drive.Bytes) (drive.Bytes, error) {
			var out []byte
			err := c.Call("Plugin.Echo", in[:], &out)
			return fixed(out, err)
		},
		Record: func(in drive.Struct) (out drive.Struct, err error) {
			err = c.Call("Plugin.Record", in, &out)
			return out, err
		},
		Next: func(in int) (out int, err error) {
			err = c.Call("Plugin.Next", in, &out)
			return out, err
		},
		Blob: func(in []byte) (out int, err error) {
			err = c.Call("Plugin.Blob", in, &out)
			return out, err
		},
	}
}

func fixed(b []byte, err error) (drive.Bytes, error) {
	if err == nil && len(b) != len(drive.Bytes{}) {
		err = errors.New("the echo has another length")
	}
	if err != nil {
		return drive.Bytes{}, err
	}
	return drive.Bytes(b), nil
}
