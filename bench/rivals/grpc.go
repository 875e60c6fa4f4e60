//go:build linux

package main

import (
	"context"
	"errors"
	"math"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/tandem-go/tandem/bench/internal/drive"
)

// The service as protoc would describe it, on the well-known wrapper messages,
// so that no generator is needed. The small struct is written and read by hand
// as a message of its own, inside a BytesValue: that is about as fast as
// generated code.

var serviceDesc = grpc.ServiceDesc{
	ServiceName: "tandem.bench.Service",
	HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{
		method("Echo", func(in *wrapperspb.BytesValue) (*wrapperspb.BytesValue, error) { return in, nil }),
		method("Record", func(in *wrapperspb.BytesValue) (*wrapperspb.BytesValue, error) {
			s, err := readStruct(in.Value)
			return wrapperspb.Bytes(appendStruct(nil, s)), err
		}),
		method("Next", func(in *wrapperspb.Int64Value) (*wrapperspb.Int64Value, error) {
			return wrapperspb.Int64(in.Value + 1), nil
		}),
		method("Blob", func(in *wrapperspb.BytesValue) (*wrapperspb.Int64Value, error) {
			return wrapperspb.Int64(int64(drive.Probe(in.Value))), nil
		}),
	},
}

// method describes a unary call. There is no interceptor, so none is asked for.
func method[In any, Out proto.Message, P interface {
	*In
	proto.Message
}](name string, f func(P) (Out, error)) grpc.MethodDesc {
	return grpc.MethodDesc{MethodName: name, Handler: func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		in := P(new(In))
		if err := decode(in); err != nil {
			return nil, err
		}
		return f(in)
	}}
}

// grpcCalls makes the calls of serviceDesc.
func grpcCalls(c *grpc.ClientConn) *drive.Local {
	call := func(name string, in, out proto.Message) error {
		return c.Invoke(context.Background(), "/tandem.bench.Service/"+name, in, out,
			grpc.MaxCallRecvMsgSize(math.MaxInt32), grpc.MaxCallSendMsgSize(math.MaxInt32))
	}
	return &drive.Local{
		Echo: func(in drive.Bytes) (drive.Bytes, error) {
			var out wrapperspb.BytesValue
			err := call("Echo", wrapperspb.Bytes(in[:]), &out)
			return fixed(out.Value, err)
		},
		Record: func(in drive.Struct) (drive.Struct, error) {
			var out wrapperspb.BytesValue
			if err := call("Record", wrapperspb.Bytes(appendStruct(nil, in)), &out); err != nil {
				return drive.Struct{}, err
			}
			return readStruct(out.Value)
		},
		Next: func(in int) (int, error) {
			var out wrapperspb.Int64Value
			err := call("Next", wrapperspb.Int64(int64(in)), &out)
			return int(out.Value), err
		},
		Blob: func(in []byte) (int, error) {
			var out wrapperspb.Int64Value
			err := call("Blob", wrapperspb.Bytes(in), &out)
			return int(out.Value), err
		},
	}
}

// appendStruct writes {1: ID, 2: Name, 3: packed Data}.
func appendStruct(b []byte, s drive.Struct) []byte {
	b = protowire.AppendVarint(protowire.AppendTag(b, 1, protowire.VarintType), uint64(s.ID))
	b = protowire.AppendString(protowire.AppendTag(b, 2, protowire.BytesType), s.Name)
	b = protowire.AppendTag(b, 3, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(8*len(s.Data)))
	for _, f := range s.Data {
		b = protowire.AppendFixed64(b, math.Float64bits(f))
	}
	return b
}

func readStruct(b []byte) (s drive.Struct, err error) {
	for len(b) > 0 {
		field, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return s, protowire.ParseError(n)
		}
		b = b[n:]
		switch {
		case field == 1 && kind == protowire.VarintType:
			var id uint64
			id, n = protowire.ConsumeVarint(b)
			s.ID = int(id)
		case field == 2 && kind == protowire.BytesType:
			s.Name, n = protowire.ConsumeString(b)
		case field == 3 && kind == protowire.BytesType:
			var data []byte
			if data, n = protowire.ConsumeBytes(b); n >= 0 {
				s.Data = floats(data)
			}
		default:
			return s, errors.New("an unknown field in the struct")
		}
		if n < 0 {
			return s, protowire.ParseError(n)
		}
		b = b[n:]
	}
	return s, nil
}

func floats(b []byte) []float64 {
	list := make([]float64, 0, len(b)/8)
	for len(b) >= 8 {
		v, n := protowire.ConsumeFixed64(b)
		list, b = append(list, math.Float64frombits(v)), b[n:]
	}
	return list
}
