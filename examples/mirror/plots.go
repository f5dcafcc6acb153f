package main

import (
	"errors"
	"fmt"
	"image/color"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/mangadex-go/mangadex/api/reading"
)

// A look is how a plot is drawn.
type look struct {
	paper, ink, line color.Color
	bars             []color.Color
	narrow           bool // for a telephone
}

// The colours are those of the style sheet, and four more.
var (
	light = look{rgb(0xffffff), rgb(0x1d1b19), rgb(0xdcd7d0), []color.Color{rgb(0x8a2f1d), rgb(0xd98324), rgb(0x2f6f8f), rgb(0x5b8c3a), rgb(0x7a5195), rgb(0xa8a29a)}, false}
	dark  = look{rgb(0x22201f), rgb(0xebe7e2), rgb(0x3a3633), []color.Color{rgb(0xf0a088), rgb(0xf2c063), rgb(0x7fbfdc), rgb(0xa5d17f), rgb(0xc7a3e0), rgb(0x7d766f)}, false}
)

func rgb(v uint32) color.Color { return color.RGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 0xff} }

// size is how wide and high a plot is that lies.
func (l look) size() (width, height vg.Length) {
	if l.narrow {
		return 3.4 * vg.Inch, 2.4 * vg.Inch
	}
	return 9 * vg.Inch, 3.4 * vg.Inch
}

// labels are how many there are along a sequence, and how long one may be.
func (l look) labels() (most, length int) {
	if l.narrow {
		return 4, 15
	}
	return 12, 26
}

// heightOf is that of the plot of a figure.
func (l look) heightOf(f figure) vg.Length {
	_, height := l.size()
	if f.Upright {
		return height
	}
	return max(1.2*vg.Inch+vg.Length(len(f.Rows))*0.22*vg.Inch, height/2)
}

// drawFigure draws a figure.
func drawFigure(c draw.Canvas, f figure, l look) error {
	p := plot.New()
	p.BackgroundColor = l.paper
	p.Title.Text = f.Title
	p.Title.Padding = vg.Points(8)
	face := font.Font{Typeface: "Liberation", Variant: "Sans"}
	style := func(s *text.Style, size vg.Length) {
		s.Font, s.Color = font.Font{Typeface: face.Typeface, Variant: face.Variant, Size: size}, l.ink
	}
	style(&p.Title.TextStyle, 13)
	style(&p.Legend.TextStyle, 10)
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		style(&axis.Tick.Label, 10)
		style(&axis.Label.TextStyle, 10)
		axis.LineStyle.Color, axis.Tick.LineStyle.Color = l.line, l.line
	}
	if len(f.Rows) == 0 {
		p.Title.Text += " (there is nothing yet)"
		p.HideAxes()
		p.X.Max, p.Y.Max = 1, 1
		p.Draw(c)
		return nil
	}
	rows := f.Rows
	if !f.Upright { // the first one goes to the top
		rows = make([]figureRow, len(f.Rows))
		for i, row := range f.Rows {
			rows[len(rows)-1-i] = row
		}
	}
	room := c.Max.X - c.Min.X
	if !f.Upright {
		room = c.Max.Y - c.Min.Y - 0.7*vg.Inch // of the axis
	}
	width := min(max(room*0.6/vg.Length(len(rows)), 1), vg.Inch)
	var below *plotter.BarChart
	for n, name := range f.Series {
		values := make(plotter.Values, len(rows))
		for i, row := range rows {
			values[i] = row.Values[n]
		}
		bars, err := plotter.NewBarChart(values, width)
		if err != nil {
			return err
		}
		bars.Color, bars.LineStyle.Width, bars.Horizontal = l.bars[n%len(l.bars)], 0, !f.Upright
		if below != nil {
			bars.StackOn(below)
		}
		below = bars
		p.Add(bars)
		if name != "" {
			p.Legend.Add(reading.Short(name, 12), bars)
		}
	}
	// The names stand behind their colours: a browser may have another font, of another width.
	p.Legend.Top, p.Legend.Left = true, true
	p.Legend.Padding, p.Legend.ThumbnailWidth, p.Legend.XOffs = vg.Points(3), vg.Points(12), vg.Points(8)
	labels := ticks(rows, f.Upright, l)
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.TickerFunc(plainTicks), plot.TickerFunc(plainTicks)
	if f.Upright {
		p.X.Tick.Marker, p.Y.Min = plot.ConstantTicks(labels), 0
		p.Y.Label.Text = f.Unit
		p.X.Min, p.X.Max = -0.6, float64(len(rows))-0.4
		p.Y.Max *= 1.05
		if f.Series[0] != "" {
			p.Y.Max *= 1.4 // room for the legend
		}
	} else {
		p.Y.Tick.Marker, p.X.Min = plot.ConstantTicks(labels), 0
		p.X.Label.Text = f.Unit
		p.Y.Min, p.Y.Max = -0.6, float64(len(rows))-0.4
		p.X.Max *= 1.02
	}
	p.Draw(c)
	return nil
}

// plainTicks are those of the values, without decimals that say nothing.
func plainTicks(low, high float64) []plot.Tick {
	all := plot.DefaultTicks{}.Ticks(low, high)
	for i, tick := range all {
		if tick.Label != "" {
			all[i].Label = strconv.FormatFloat(tick.Value, 'f', -1, 32)
		}
	}
	return all
}

// ticks are the labels, a few of a sequence.
func ticks(rows []figureRow, few bool, l look) []plot.Tick {
	most, length := l.labels()
	step := 1
	if few {
		step = (len(rows) + most - 1) / most
	}
	var all []plot.Tick
	for i, row := range rows {
		if i%step == 0 {
			label := row.Label
			if few && len(label) > len("2006-01-") && strings.Count(label, "-") == 2 {
				label = label[len("2006-"):]
			}
			all = append(all, plot.Tick{Value: float64(i), Label: reading.Short(label, length)})
		}
	}
	return all
}

// writeSVG writes a plot as SVG.
func writeSVG(w io.Writer, l look, all ...figure) error {
	c := vgsvg.New(l.sizeOf(all))
	if err := drawAll(draw.New(c), l, all); err != nil {
		return err
	}
	_, err := c.WriteTo(w)
	return err
}

// writePNG writes a plot as PNG, in a resolution for good screens.
func writePNG(w io.Writer, l look, all ...figure) error {
	c := vgimg.NewWith(vgimg.UseWH(l.sizeOf(all)), vgimg.UseDPI(144))
	if err := drawAll(draw.New(c), l, all); err != nil {
		return err
	}
	_, err := vgimg.PngCanvas{Canvas: c}.WriteTo(w)
	return err
}

// sizeOf is that of plots below each other.
func (l look) sizeOf(all []figure) (width, height vg.Length) {
	width, _ = l.size()
	for _, f := range all {
		height += l.heightOf(f)
	}
	return width, height
}

// drawAll draws figures below each other.
func drawAll(c draw.Canvas, l look, all []figure) error {
	top := c.Max.Y
	c.SetColor(l.paper)
	c.Fill(c.Rectangle.Path())
	for _, f := range all {
		part := c
		part.Max.Y, part.Min.Y = top, top-l.heightOf(f)
		top = part.Min.Y
		const margin = 12
		if err := drawFigure(draw.Crop(part, margin, -2*margin, margin/2, -margin/2), f, l); err != nil {
			return fmt.Errorf("%s: %w", f.Title, err)
		}
	}
	return nil
}

// plotWriter is how a file is written, by its name.
func plotWriter(path string) (func(io.Writer, look, ...figure) error, error) {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".svg":
		return writeSVG, nil
	case ".png":
		return writePNG, nil
	}
	return nil, errors.New("-plot " + strconv.Quote(path) + " must end in .svg or .png")
}
