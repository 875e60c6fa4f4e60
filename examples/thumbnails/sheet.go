package main

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"path"
	"strings"
	"time"

	"golang.org/x/image/draw"
	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

// Measures in pixels. A card is one picture: its thumbnail in the box, below it
// two lines for the name and one for what it is.
const (
	margin     = 28
	gap        = 12
	padding    = 10
	lineHeight = 13
	letter     = 7 // width of a character
	cardWidth  = boxWidth + 2*padding
	cardHeight = boxHeight + 2*padding + 3*lineHeight + 10
	header     = 70
	perLine    = boxWidth / letter
)

var (
	paper    = color.RGBA{0xf3, 0xf2, 0xee, 0xff}
	white    = color.RGBA{0xff, 0xff, 0xff, 0xff}
	edge     = color.RGBA{0xdc, 0xd9, 0xd2, 0xff}
	check    = color.RGBA{0xe0, 0xe0, 0xe0, 0xff}
	ink      = color.RGBA{0x22, 0x26, 0x2b, 0xff}
	grey     = color.RGBA{0x7c, 0x80, 0x85, 0xff}
	rose     = color.RGBA{0xfd, 0xf0, 0xee, 0xff}
	roseEdge = color.RGBA{0xe9, 0xb9, 0xb2, 0xff}
	red      = color.RGBA{0xa8, 0x2a, 0x1d, 0xff}
)

// contactSheet draws all results on one page, about as wide as it is high.
func contactSheet(results []result, took time.Duration) *image.RGBA {
	columns := min(max(5, int(math.Ceil(math.Sqrt(float64(len(results)))))), 12)
	rows := (len(results) + columns - 1) / columns
	page := image.NewRGBA(image.Rect(0, 0,
		2*margin+columns*(cardWidth+gap)-gap,
		2*margin+header+rows*(cardHeight+gap)-gap))
	fill(page, page.Rect, paper)

	for i, r := range results {
		at := image.Pt(margin+i%columns*(cardWidth+gap), margin+header+i/columns*(cardHeight+gap))
		card(page, image.Rectangle{at, at.Add(image.Pt(cardWidth, cardHeight))}, r)
	}
	bad := len(failed(results))
	title(page, image.Pt(margin, margin-4), "Contact sheet")
	text(page, image.Pt(margin, margin+32), grey, fmt.Sprintf("%d files, %d thumbnails, %d failures with their reasons, %v",
		len(results), len(results)-bad, bad, took.Round(10*time.Millisecond)))
	return page
}

func card(page *image.RGBA, r image.Rectangle, res result) {
	back, border, note, noteColor := white, edge, "", grey
	if res.err != nil {
		back, border, note, noteColor = rose, roseEdge, "worker "+res.worker(), red
	} else {
		note = fmt.Sprintf("%s %dx%d", res.thumb.Format, res.thumb.From.X, res.thumb.From.Y)
	}
	fill(page, r, border)
	fill(page, r.Inset(1), back)
	box := image.Rect(0, 0, boxWidth, boxHeight).Add(r.Min.Add(image.Pt(padding, padding)))
	if img, err := res.thumb.image(); res.err == nil && err == nil {
		place(page, box, img)
	} else {
		failure(page, box, res.reason())
	}
	below := image.Pt(box.Min.X, box.Max.Y+8)
	lines := wrapName(path.Base(res.name))
	for _, line := range lines {
		text(page, below, ink, line)
		below.Y += lineHeight
	}
	text(page, below, noteColor, shorten(note, perLine))
}

// wrapName breaks a file name into at most two lines, after a dot or a dash if
// it can.
func wrapName(name string) []string {
	name = shorten(name, 2*perLine)
	if len(name) <= perLine {
		return []string{name}
	}
	cut := 1 + strings.LastIndexAny(name[:perLine], ".-_")
	if len(name)-cut > perLine {
		cut = perLine
	}
	return []string{name[:cut], name[cut:]}
}

// place centres a thumbnail in its box. Those far smaller than the box are
// enlarged by a whole number, so that each of their pixels stays a square.
func place(page *image.RGBA, box image.Rectangle, img *image.RGBA) {
	times := max(1, min(boxWidth/img.Rect.Dx(), boxHeight/img.Rect.Dy()))
	size := img.Rect.Size().Mul(times)
	at := box.Min.Add(box.Size().Sub(size).Div(2))
	dst := image.Rectangle{at, at.Add(size)}
	for y := dst.Min.Y; y < dst.Max.Y; y += 8 { // the pattern that stands for transparency
		for x := dst.Min.X; x < dst.Max.X; x += 8 {
			if (x-dst.Min.X+y-dst.Min.Y)/8%2 == 1 {
				fill(page, image.Rect(x, y, x+8, y+8).Intersect(dst), check)
			}
		}
	}
	draw.NearestNeighbor.Scale(page, dst, img, img.Rect, draw.Over, nil)
}

// failure writes the reason where the thumbnail would be.
func failure(page *image.RGBA, box image.Rectangle, reason string) {
	const most = boxHeight / lineHeight
	lines := wrap(reason, perLine)
	if len(lines) > most {
		lines = append(lines[:most-1], "...")
	}
	at := image.Pt(box.Min.X, box.Min.Y+(boxHeight-len(lines)*lineHeight)/2)
	for _, line := range lines {
		text(page, at.Add(image.Pt((boxWidth-len([]rune(line))*letter)/2, 0)), red, line)
		at.Y += lineHeight
	}
}

func fill(page *image.RGBA, r image.Rectangle, c color.Color) {
	draw.Draw(page, r, image.NewUniform(c), image.Point{}, draw.Src)
}

// text writes a line whose upper left corner is at.
func text(page draw.Image, at image.Point, c color.Color, s string) {
	d := font.Drawer{
		Dst: page, Src: image.NewUniform(c), Face: basicfont.Face7x13,
		Dot: fixed.P(at.X, at.Y+basicfont.Face7x13.Ascent),
	}
	d.DrawString(s)
}

// title writes a line at twice the size.
func title(page *image.RGBA, at image.Point, s string) {
	line := image.NewRGBA(image.Rect(0, 0, letter*len(s), lineHeight))
	text(line, image.Point{}, ink, s)
	draw.NearestNeighbor.Scale(page, image.Rectangle{at, at.Add(line.Rect.Max.Mul(2))}, line, line.Rect, draw.Over, nil)
}
