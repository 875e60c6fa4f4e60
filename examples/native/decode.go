//go:build linux && cgo

package main

// #include "picture.h"
import "C"

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/tandem-go/tandem"
)

// The decoders, by their defects.
const (
	overflowing = "buffer overflow"
	leaking     = "leak"
	shared      = "static buffer"
)

// request is one file for one decoder.
type request struct {
	Decoder string
	Bytes   []byte
}

// reading is what a decoder has made of a file, and what that was like.
type reading struct {
	Sum          uint32 // of the pixels
	PID          int
	Began, Ended time.Time
	Resident     int64 // bytes of the process, afterwards
}

// decode is the task that the pool runs.
var decode = tandem.NewTask("decode", func(_ context.Context, r request) (reading, error) { return read(r) })

// read decodes a file and looks at what that was like.
func read(r request) (reading, error) {
	began := time.Now()
	pixels, err := call(r)
	if err != nil {
		return reading{}, err
	}
	resident, err := residentBytes()
	return reading{crc32.ChecksumIEEE(pixels), os.Getpid(), began, time.Now(), resident}, err
}

// program stands for one that decodes in its own process, with some goroutines: all or
// nothing, since its results are in the process that dies.
var program = tandem.NewTask("program", func(_ context.Context, p plain) (ran, error) {
	before, err := residentAtRest()
	if err != nil {
		return ran{}, err
	}
	readings, failures := make([]reading, p.Rounds*len(p.Files)), make([]error, p.Rounds*len(p.Files))
	next := make(chan int)
	var all sync.WaitGroup
	for range p.Goroutines {
		all.Go(func() {
			for i := range next {
				readings[i], failures[i] = read(request{p.Decoder, p.Files[i%len(p.Files)]})
			}
		})
	}
	for i := range readings {
		next <- i
	}
	close(next)
	all.Wait()
	after, err := residentAtRest()
	return ran{readings, after - before}, errors.Join(append(failures, err)...)
})

// plain is what such a program is to decode, as often as Rounds says.
type plain struct {
	Decoder            string
	Goroutines, Rounds int
	Files              [][]byte
}

// ran is what it has come to.
type ran struct {
	Readings []reading
	Grew     int64 // bytes
}

// call is the way from Go to C.
func call(r request) ([]byte, error) {
	if len(r.Bytes) < 8 {
		return nil, errors.New("no header")
	}
	width, height := binary.LittleEndian.Uint32(r.Bytes), binary.LittleEndian.Uint32(r.Bytes[4:])
	if width == 0 || height == 0 || width > 1<<12 || height > 1<<12 {
		return nil, fmt.Errorf("a picture of %d × %d pixels", width, height)
	}
	pixels := make([]byte, width*height)
	file, size := (*C.uint8_t)(&r.Bytes[0]), C.size_t(len(r.Bytes))
	to, room := (*C.uint8_t)(&pixels[0]), C.size_t(len(pixels))
	var code C.int
	switch r.Decoder {
	case overflowing:
		code = C.decode_unchecked(file, size, to, room)
	case leaking:
		code = C.decode_leaking(file, size, to, room)
	case shared:
		code = C.decode_static(file, size, to, room)
	default:
		return nil, fmt.Errorf("no decoder is called %q", r.Decoder)
	}
	if code != 0 {
		return nil, errors.New("the decoder refuses the file")
	}
	return pixels, nil
}

// residentAtRest is residentBytes without Go's garbage.
func residentAtRest() (int64, error) {
	debug.FreeOSMemory()
	return residentBytes()
}

// residentBytes is how much of the machine's memory this process has.
func residentBytes() (int64, error) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	var size, resident int64
	if _, err := fmt.Fscan(bytes.NewReader(text), &size, &resident); err != nil {
		return 0, fmt.Errorf("/proc/self/statm: %w", err)
	}
	return resident * int64(os.Getpagesize()), nil
}
