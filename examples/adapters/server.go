package main

import (
	"context"
	"errors"
	"os"
	"slices"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// startServer starts a NATS server in this program, without a port, and connects to it.
func startServer() (js jetstream.JetStream, stop func(), err error) {
	folder, err := os.MkdirTemp("", "adapters-")
	if err != nil {
		return nil, nil, err
	}
	var closers []func()
	stop = func() {
		for _, c := range slices.Backward(closers) {
			c()
		}
	}
	closers = append(closers, func() { os.RemoveAll(folder) })
	defer func() {
		if err != nil {
			stop()
		}
	}()
	s, err := server.NewServer(&server.Options{DontListen: true, JetStream: true, StoreDir: folder, NoSigs: true, NoLog: true})
	if err != nil {
		return nil, nil, err
	}
	s.Start()
	closers = append(closers, func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(30 * time.Second) {
		return nil, nil, errors.New("the NATS server does not become ready")
	}
	conn, err := nats.Connect("", nats.InProcessServer(s))
	if err != nil {
		return nil, nil, err
	}
	closers = append(closers, conn.Close)
	js, err = jetstream.New(conn)
	return js, stop, err
}

// createStream makes the queue, whose jobs are kept in memory until they are answered.
func createStream(ctx context.Context, js jetstream.JetStream) (jetstream.Stream, error) {
	return js.CreateStream(ctx, jetstream.StreamConfig{
		Name: "JOBS", Subjects: []string{"jobs"}, Retention: jetstream.WorkQueuePolicy, Storage: jetstream.MemoryStorage,
	})
}
