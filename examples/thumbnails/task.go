package main

import (
	"bufio"
	"context"
	"fmt"
	"image"
	_ "image/gif" // the formats that image.Decode knows; hostile.go adds three
	_ "image/jpeg"
	_ "image/png"
	"os"

	"golang.org/x/image/draw"

	"github.com/tandem-go/tandem"
)

// The box that a thumbnail fits into, in pixels.
const boxWidth, boxHeight = 128, 96

// thumbnail reads an image and makes it small. It is ordinary Go and knows
// nothing of processes, limits or its caller.
//
// image.Decode does not look at ctx, and few decoders do: that is why a time
// limit needs a process that can be killed. The task is not Idempotent: tandem
// would run such a task again after its worker died, and a file that killed one
// worker would kill two more.
var thumbnail = tandem.NewTask("thumbnail", func(ctx context.Context, path string) (Thumb, error) {
	f, err := os.Open(path)
	if err != nil {
		return Thumb{}, err
	}
	defer f.Close()
	img, format, err := image.Decode(bufio.NewReader(f))
	if err != nil {
		return Thumb{}, err
	}
	return shrink(img, format), nil
})

// Thumb is what comes back from a worker: plain pixels. The program that calls
// does not decode anything, so there is no decoder in it to attack.
type Thumb struct {
	Format        string // "png", "jpeg", "gif"
	From          image.Point
	Width, Height int
	Pix           []byte // RGBA with premultiplied alpha, 4 bytes for each pixel
}

func shrink(img image.Image, format string) Thumb {
	b := img.Bounds()
	small := image.NewRGBA(image.Rectangle{Max: fit(b.Size())})
	draw.CatmullRom.Scale(small, small.Rect, img, b, draw.Src, nil)
	return Thumb{Format: format, From: b.Size(), Width: small.Rect.Dx(), Height: small.Rect.Dy(), Pix: small.Pix}
}

// fit makes a size small enough for the box, keeps its proportions, and enlarges
// nothing.
func fit(s image.Point) image.Point {
	scale := min(1, boxWidth/float64(s.X), boxHeight/float64(s.Y))
	return image.Pt(max(1, int(float64(s.X)*scale+0.5)), max(1, int(float64(s.Y)*scale+0.5)))
}

// image turns the pixels into an image. They come from a process that has read a
// file of unknown origin, so the sizes are checked before they are believed.
func (t *Thumb) image() (*image.RGBA, error) {
	if t.Width < 1 || t.Width > boxWidth || t.Height < 1 || t.Height > boxHeight || len(t.Pix) != 4*t.Width*t.Height {
		return nil, fmt.Errorf("the worker returned %d bytes for %d×%d pixels", len(t.Pix), t.Width, t.Height)
	}
	return &image.RGBA{Pix: t.Pix, Stride: 4 * t.Width, Rect: image.Rect(0, 0, t.Width, t.Height)}, nil
}
