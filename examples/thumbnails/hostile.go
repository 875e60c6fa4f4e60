package main

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"path/filepath"
)

// Three formats whose decoders are broken in ways that recover cannot mend. They
// stand for what is found in real decoders, most of them written in C.
func init() {
	noConfig := func(io.Reader) (image.Config, error) { return image.Config{}, image.ErrFormat }
	image.RegisterFormat("loop", "LOOP", decodeLoop, noConfig)
	image.RegisterFormat("deep", "DEEP", decodeDeep, noConfig)
	image.RegisterFormat("maps", "MAPS", decodeMaps, noConfig)
}

// decodeLoop never returns: a length of zero that its loop does not expect.
func decodeLoop(io.Reader) (image.Image, error) {
	for length := 0; ; {
		length += length
	}
}

// decodeDeep overflows the stack: a group that contains itself.
func decodeDeep(io.Reader) (image.Image, error) { return decodeGroup([4096]byte{}) }

func decodeGroup(header [4096]byte) (image.Image, error) {
	header[0]++
	img, err := decodeGroup(header)
	return img, err
}

// decodeMaps writes a map from two goroutines: the Go runtime ends the process.
func decodeMaps(io.Reader) (image.Image, error) {
	palette := map[byte]color.Gray{}
	go func() {
		for i := byte(0); ; i++ {
			palette[i] = color.Gray{}
		}
	}()
	for i := byte(0); ; i++ {
		palette[i] = color.Gray{Y: i}
	}
}

// hostileFiles writes the bad files below dir and says for each what its reason
// must be. Without a memory limit the bomb is left out: nothing would stop it.
func hostileFiles(dir string, limited bool) ([]picture, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	word := func(s string) func() ([]byte, error) { return func() ([]byte, error) { return []byte(s), nil } }
	var list []picture
	for _, f := range []struct {
		name, want string
		content    func() ([]byte, error)
	}{
		{"never-returns.loop", "time limit exceeded", word("LOOP")},
		{"bomb.png", "out of memory", bomb},
		{"overflows-stack.deep", "stack overflow", word("DEEP")},
		{"two-writers.maps", "concurrent map writes", word("MAPS")},
		{"truncated.png", "not enough pixel data", truncated},
	} {
		if f.name == "bomb.png" && !limited {
			continue
		}
		content, err := f.content()
		if err != nil {
			return nil, err
		}
		path := filepath.Join(dir, f.name)
		if err := os.WriteFile(path, content, 0o666); err != nil {
			return nil, err
		}
		list = append(list, picture{name: "hostile/" + f.name, path: path, want: f.want, hostile: true})
	}
	return list, nil
}

// truncated is the first half of a sound PNG.
func truncated() ([]byte, error) {
	var b bytes.Buffer
	err := png.Encode(&b, paint(1, 320, 240))
	return b.Bytes()[:b.Len()/2], err
}

// bomb is a correct PNG of 40,000 × 40,000 black pixels: about 200 KB here, 1.6 GB
// once it is decoded. (A decoder could look at the size first. Then the bomb is
// a file with a modest size and a million frames.)
func bomb() ([]byte, error) {
	const side = 40_000
	var data bytes.Buffer
	z, err := zlib.NewWriterLevel(&data, zlib.BestSpeed)
	if err != nil {
		return nil, err
	}
	row := make([]byte, 1+side/8) // the filter's number and one bit for each pixel
	for range side {
		if _, err := z.Write(row); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	header := binary.BigEndian.AppendUint32(nil, side)
	header = binary.BigEndian.AppendUint32(header, side)
	header = append(header, 1, 0, 0, 0, 0) // 1 bit, grey, the usual methods
	b := []byte("\x89PNG\r\n\x1a\n")
	b = appendChunk(b, "IHDR", header)
	b = appendChunk(b, "IDAT", data.Bytes())
	return appendChunk(b, "IEND", nil), nil
}

// appendChunk appends what a PNG is made of: length, name, data, checksum.
func appendChunk(b []byte, name string, data []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
	start := len(b)
	b = append(append(b, name...), data...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[start:]))
}
