package apitest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"image/color"
	_ "image/gif" // an upload may be one
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"strings"
)

// A canvas is drawn in a few colours.
type canvas struct {
	*image.Paletted
}

// inks of a canvas, by their index in the palette.
const (
	paper = iota
	ink
	tint
	shade
	accent
)

func newCanvas(width, height int, seed uint64) canvas {
	r := rand.New(rand.NewPCG(seed, 0))
	dye := func(low int) color.RGBA {
		return color.RGBA{uint8(low + r.IntN(256-low)), uint8(low + r.IntN(256-low)), uint8(low + r.IntN(256-low)), 255}
	}
	palette := color.Palette{dye(220), color.RGBA{20, 20, 30, 255}, dye(150), dye(90), dye(60)}
	return canvas{image.NewPaletted(image.Rect(0, 0, width, height), palette)}
}

func (c canvas) box(area image.Rectangle, ink uint8) {
	area = area.Intersect(c.Rect)
	for y := area.Min.Y; y < area.Max.Y; y++ {
		row := c.Pix[y*c.Stride:]
		for x := area.Min.X; x < area.Max.X; x++ {
			row[x] = ink
		}
	}
}

func (c canvas) disc(x, y, radius int, ink uint8) {
	area := image.Rect(x-radius, y-radius, x+radius, y+radius).Intersect(c.Rect)
	for py := area.Min.Y; py < area.Max.Y; py++ {
		for px := area.Min.X; px < area.Max.X; px++ {
			if (px-x)*(px-x)+(py-y)*(py-y) < radius*radius {
				c.Pix[py*c.Stride+px] = ink
			}
		}
	}
}

// glyphs are letters of three by five dots: a row is an octal digit.
var glyphs = map[rune]uint16{
	'A': 0o25755, 'B': 0o65656, 'C': 0o34443, 'D': 0o65556, 'E': 0o74647, 'F': 0o74644, 'G': 0o34553, 'H': 0o55755, 'I': 0o72227,
	'J': 0o11152, 'K': 0o55655, 'L': 0o44447, 'M': 0o57755, 'N': 0o65555, 'O': 0o25552, 'P': 0o65644, 'Q': 0o25563, 'R': 0o65655,
	'S': 0o34216, 'T': 0o72222, 'U': 0o55557, 'V': 0o55552, 'W': 0o55775, 'X': 0o55255, 'Y': 0o55222, 'Z': 0o71247,
	'0': 0o75557, '1': 0o26227, '2': 0o71747, '3': 0o71317, '4': 0o55711, '5': 0o74717, '6': 0o74757, '7': 0o71122, '8': 0o75757,
	'9': 0o75717, '-': 0o00700, '.': 0o00002, '\'': 0o22000, '/': 0o11244, ':': 0o02020,
}

// text writes in letters whose dots have a size, and breaks lines at the right edge.
func (c canvas) text(x, y, dot int, text string) {
	left := x
	for _, letter := range strings.ToUpper(text) {
		if x+4*dot > c.Rect.Max.X {
			x, y = left, y+7*dot
		}
		bits := glyphs[letter]
		for n := range 15 {
			if bits>>(14-n)&1 == 1 {
				c.box(image.Rect(x+n%3*dot, y+n/3*dot, x+n%3*dot+dot, y+n/3*dot+dot), ink)
			}
		}
		x += 4 * dot
	}
}

// scene fills the canvas with shapes that depend on the seed, and writes the lines over them.
func (c canvas) scene(seed uint64, lines ...string) {
	r := rand.New(rand.NewPCG(seed, 1))
	w, h := c.Rect.Dx(), c.Rect.Dy()
	for range 3 + r.IntN(3) {
		x, y := r.IntN(w), r.IntN(h)
		c.box(image.Rect(x, y, x+w/6+r.IntN(w/2), y+h/8+r.IntN(h/3)), tint+uint8(r.IntN(2)))
	}
	for range 2 + r.IntN(3) {
		c.disc(r.IntN(w), r.IntN(h), w/20+r.IntN(w/5), shade+uint8(r.IntN(2)))
	}
	dot := max(w/120, 1)
	c.box(image.Rect(2*dot, 2*dot, w-2*dot, (4+14*len(lines))*dot), paper)
	for n, line := range lines {
		c.text(4*dot, (4+14*n)*dot, dot, line)
	}
}

// rgba is the picture as the encoder of JPEG likes it.
func (c canvas) rgba() *image.RGBA {
	out := image.NewRGBA(c.Rect)
	var dyes [8][4]byte
	for n, dye := range c.Palette {
		rgba := dye.(color.RGBA)
		dyes[n] = [4]byte{rgba.R, rgba.G, rgba.B, rgba.A}
	}
	for n, index := range c.Pix {
		*(*[4]byte)(out.Pix[4*n:]) = dyes[index]
	}
	return out
}

func (c canvas) png() []byte {
	var b bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := encoder.Encode(&b, c.Paletted); err != nil {
		panic("apitest: " + err.Error()) // a canvas is always a picture
	}
	return b.Bytes()
}

func jpegOf(picture image.Image, quality int) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture, &jpeg.Options{Quality: quality}); err != nil {
		panic("apitest: " + err.Error())
	}
	return b.Bytes()
}

// shrink makes a picture at most so wide, without any care for beauty.
func shrink(picture image.Image, width int) image.Image {
	from := picture.Bounds()
	width = max(min(width, from.Dx()), 1)
	out := image.NewRGBA(image.Rect(0, 0, width, max(from.Dy()*width/from.Dx(), 1)))
	for y := range out.Rect.Max.Y {
		for x := range width {
			out.Set(x, y, picture.At(from.Min.X+x*from.Dx()/width, from.Min.Y+y*from.Dy()/out.Rect.Max.Y))
		}
	}
	return out
}

// A file is a picture as it is sent.
type file struct {
	name    string
	mime    string
	content []byte
}

// extensions of the names of files.
var extensions = map[string]string{"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif"}

// hashOf is the SHA-256 of a file.
func hashOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// pageFile names a page after its number and the SHA-256 of its content.
func pageFile(number int, mime string, content []byte) file {
	hash := hashOf(content)
	return file{fmt.Sprintf("%d-%s%s", number, hash, extensions[mime]), mime, content}
}

// Sizes of drawn pictures, in pixels.
const (
	pageWidth, pageHeight   = 320, 452
	saverWidth, saverHeight = 160, 226
	coverWidth, coverHeight = 528, 750
)

// drawPage draws a page in full quality: most are PNG, every fourth is JPEG.
func drawPage(seed uint64, number int, lines ...string) file {
	c := newCanvas(pageWidth, pageHeight, seed)
	c.scene(seed, lines...)
	if number%4 == 0 {
		return pageFile(number, "image/jpeg", jpegOf(c.rgba(), 85))
	}
	return pageFile(number, "image/png", c.png())
}

// drawSaver draws a page for savers of data.
func drawSaver(seed uint64, number int, lines ...string) file {
	c := newCanvas(saverWidth, saverHeight, seed)
	c.scene(seed, lines...)
	return pageFile(number, "image/jpeg", jpegOf(c.rgba(), 50))
}
