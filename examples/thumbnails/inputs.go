package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// picture is a file to be done.
type picture struct {
	name    string // slash-separated, below its folder
	path    string
	want    string // good, or a part of the reason it must fail for; "": no telling
	hostile bool
}

// good is what is wanted of a picture that must become a thumbnail.
const good = "a thumbnail"

// collect lists the pictures, the hostile ones among the others.
func collect(ctx context.Context, o options) (found []picture, err error) {
	switch {
	case o.in != "":
		found, err = below(o.in, o.out)
	default:
		if found = distribution(ctx); len(found) == 0 {
			fmt.Println("This Go distribution has no image test files; drawing some.")
			found, err = drawn(filepath.Join(o.out, "drawn"))
		}
	}
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("no png, jpeg or gif below %s", o.in)
	}
	if err != nil || !o.hostile {
		return found, err
	}
	bad, err := hostileFiles(filepath.Join(o.out, "hostile"), o.limits.Memory > 0)
	return mix(found, bad), err
}

// mix puts the bad ones at equal distances between the others. The first comes
// before all: it takes all the time there is, while the others are done.
func mix(list, bad []picture) (mixed []picture) {
	for i, p := range bad {
		mixed = append(mixed, p)
		mixed = append(mixed, list[i*len(list)/len(bad):(i+1)*len(list)/len(bad)]...)
	}
	return mixed
}

// below lists the images of a folder. What this program wrote there itself is
// left out.
func below(dir, out string) (list []picture, err error) {
	own, err := os.Stat(out)
	if err != nil {
		return nil, err
	}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if info, err := d.Info(); err == nil && os.SameFile(info, own) {
				return fs.SkipDir
			}
			return nil
		}
		ext := strings.ToLower(filepath.Ext(path))
		if d.Type().IsRegular() && slices.Contains([]string{".png", ".jpg", ".jpeg", ".gif"}, ext) {
			name, err := filepath.Rel(dir, path)
			if err != nil {
				return err
			}
			list = append(list, picture{name: filepath.ToSlash(name), path: path})
		}
		return nil
	})
	return list, err
}

// distribution lists the image test files of the Go distribution, none if it has
// none. Those that are broken on purpose say so in their names; all others must
// become thumbnails.
func distribution(ctx context.Context) (list []picture) {
	root, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return nil // a program that was built elsewhere: there is no Go here
	}
	dir := filepath.Join(strings.TrimSpace(string(root)), "src", "image")
	found, err := below(dir, os.TempDir())
	if err != nil {
		return nil
	}
	for _, p := range found {
		if !strings.Contains(p.name, "testdata/") {
			continue
		}
		p.name = strings.Replace(p.name, "testdata/", "", 1)
		if !strings.Contains(p.name, "invalid") && !strings.Contains(p.name, "truncated") {
			p.want = good
		}
		list = append(list, p)
	}
	return list
}

// drawn makes pictures of its own, in all three formats.
func drawn(dir string) (list []picture, err error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	for i := range 24 {
		img := paint(i, 200+40*(i%5), 160+60*(i%3))
		name := fmt.Sprintf("drawn-%02d.%s", i, []string{"png", "jpeg", "gif"}[i%3])
		path := filepath.Join(dir, name)
		f, err := os.Create(path)
		if err != nil {
			return nil, err
		}
		switch i % 3 {
		case 0:
			err = png.Encode(f, img)
		case 1:
			err = jpeg.Encode(f, img, nil)
		case 2:
			err = gif.Encode(f, img, nil)
		}
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
		list = append(list, picture{name: "drawn/" + name, path: path, want: good})
	}
	return list, nil
}

// paint draws picture number i: waves that meet.
func paint(i, width, height int) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	phase := float64(i) * 0.9
	for y := range height {
		for x := range width {
			fx, fy := float64(x)/40, float64(y)/40
			wave := func(turn float64) uint8 {
				return uint8(127.5 + 127.5*math.Sin(math.Hypot(fx-3-turn, fy-2+turn)*2+phase+turn))
			}
			img.SetRGBA(x, y, color.RGBA{wave(0), wave(1), wave(2), 255})
		}
	}
	return img
}

func savePNG(name string, img image.Image) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(png.Encode(f, img), f.Close())
}
