//go:build linux

package main

import (
	"context"
	"errors"
	"math"
	"net/rpc"
	"os"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/tandem-go/tandem/bench/internal/drive"
)

const (
	modePluginRPC  = "go-plugin net/rpc"
	modePluginGRPC = "go-plugin gRPC"
)

var handshake = plugin.HandshakeConfig{ProtocolVersion: 1, MagicCookieKey: "TANDEM_BENCH_PLUGIN", MagicCookieValue: "yes"}

// rpcPlugin and grpcPlugin are the two ways to make a plugin of the service.
type (
	rpcPlugin  struct{}
	grpcPlugin struct{ plugin.NetRPCUnsupportedPlugin }
)

func (rpcPlugin) Server(*plugin.MuxBroker) (any, error)                  { return Service{}, nil }
func (rpcPlugin) Client(_ *plugin.MuxBroker, c *rpc.Client) (any, error) { return rpcCalls(c), nil }

func (grpcPlugin) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	s.RegisterService(&serviceDesc, Service{})
	return nil
}

func (grpcPlugin) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, c *grpc.ClientConn) (any, error) {
	return grpcCalls(c), nil
}

func plugins(mode string) plugin.PluginSet {
	if mode == modePluginGRPC {
		return plugin.PluginSet{"service": grpcPlugin{}}
	}
	return plugin.PluginSet{"service": rpcPlugin{}}
}

func servePlugin(mode string) {
	// A plugin whose host was killed would live on. Descriptor 3 ends with it.
	go func() {
		os.NewFile(3, "host").Read(make([]byte, 1))
		os.Exit(0)
	}()
	c := &plugin.ServeConfig{HandshakeConfig: handshake, Plugins: plugins(mode), Logger: hclog.NewNullLogger()}
	if mode == modePluginGRPC {
		c.GRPCServer = func(o []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(o, grpc.MaxRecvMsgSize(math.MaxInt32), grpc.MaxSendMsgSize(math.MaxInt32))...)
		}
	}
	plugin.Serve(c)
}

func openPlugin(mode string) (*drive.Local, error) {
	theirs, ours, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	client := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  handshake,
		Plugins:          plugins(mode),
		Cmd:              drive.Child(mode, theirs),
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolNetRPC, plugin.ProtocolGRPC},
		Logger:           hclog.NewNullLogger(),
	})
	end := func() error {
		client.Kill()
		return ours.Close()
	}
	protocol, err := client.Client()
	if err != nil {
		return nil, errors.Join(err, end())
	}
	dispensed, err := protocol.Dispense("service")
	if err != nil {
		return nil, errors.Join(err, end())
	}
	p := dispensed.(*drive.Local)
	p.Closer = end
	return p, nil
}
