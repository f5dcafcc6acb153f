package upload_test

import (
	"bytes"
	"image"
	"image/color"
	"image/color/palette"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/mangadex-go/mangadex/api/upload"
)

// samples are pictures of every kind that encoders make.
func samples(t *testing.T) map[string][]byte {
	t.Helper()
	grey := image.NewGray(image.Rect(0, 0, 17, 19))
	for i := range grey.Pix {
		grey.Pix[i] = uint8(i * i)
	}
	indexed := image.NewPaletted(image.Rect(0, 0, 17, 19), palette.WebSafe)
	few := image.NewPaletted(image.Rect(0, 0, 5, 3), color.Palette{color.White, color.Black, color.Transparent})
	made := map[string][]byte{}
	for name, encode := range map[string]func(*bytes.Buffer) error{
		"grey.png":    func(b *bytes.Buffer) error { return png.Encode(b, grey) },
		"palette.png": func(b *bytes.Buffer) error { return png.Encode(b, indexed) },
		"grey.jpg":    func(b *bytes.Buffer) error { return jpeg.Encode(b, grey, nil) },
		"colour.jpg":  func(b *bytes.Buffer) error { return jpeg.Encode(b, indexed, &jpeg.Options{Quality: 100}) },
		"one.gif":     func(b *bytes.Buffer) error { return gif.Encode(b, few, nil) },
		"animated.gif": func(b *bytes.Buffer) error {
			return gif.EncodeAll(b, &gif.GIF{Image: []*image.Paletted{indexed, few, indexed}, Delay: []int{1, 2, 3}, LoopCount: 2})
		},
	} {
		var b bytes.Buffer
		must(t, encode(&b))
		made[name] = b.Bytes()
	}
	return made
}

// decodes reports whether a decoder takes all of a picture. It is the witness of what is whole.
func decodes(name string, content []byte) bool {
	if strings.HasSuffix(name, ".gif") {
		_, err := gif.DecodeAll(bytes.NewReader(content))
		return err == nil
	}
	_, _, err := image.Decode(bytes.NewReader(content))
	return err == nil
}

// TestWhole cuts pictures off at every byte. Those that a decoder takes are sent, others are not.
func TestWhole(t *testing.T) {
	t.Parallel()
	for name, content := range samples(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := start(t)
			session := mustBegin(t, t.Context(), srv.client(t))
			for n := 1; n <= len(content); n++ {
				before := srv.count(sendPages)
				err := session.AddPages(t.Context(), upload.Reader(name, bytes.NewReader(content[:n])))
				if whole := decodes(name, content[:n]); (err == nil) != whole || (srv.count(sendPages) > before) != whole {
					t.Errorf("%d of %d bytes, a decoder takes it: %t: %v", n, len(content), whole, err)
				}
				if err == nil && n < len(content) {
					t.Fatalf("%d of %d bytes are enough", n, len(content))
				}
			}
			must(t, session.Remove(t.Context(), name))
			must(t, session.AddPages(t.Context(), upload.Reader(name, strings.NewReader(string(content)+"and more"))))
		})
	}
}

// gone is the content of a file that is not there.
const gone = ""

// A changing folder has a file that is another one each time it is opened.
type changing struct {
	fs.FS
	contents []string
}

func (c *changing) Open(name string) (fs.File, error) {
	if name == "." {
		return c.FS.Open(name)
	}
	content := c.contents[0]
	if len(c.contents) > 1 {
		c.contents = c.contents[1:]
	}
	if content == gone {
		return nil, fs.ErrNotExist
	}
	return fstest.MapFS{name: {Data: []byte(content)}}.Open(name)
}

// TestChanging refuses a file that changes, before it is sent.
func TestChanging(t *testing.T) {
	t.Parallel()
	a, b, longer := picture("png", "A"), picture("png", "B"), picture("png", "longer")
	for name, contents := range map[string][]string{ // when its size is asked for, when it is checked, when it is sent
		"it grows while it is read":  {a, longer},
		"it shrinks":                 {longer, a},
		"another one of the size":    {a, a, b},
		"longer since it is checked": {a, a, longer},
		"gone since it was checked":  {a, a, gone},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := start(t)
			session := mustBegin(t, t.Context(), srv.client(t))
			files := &changing{FS: folder("1.png"), contents: contents}
			if err := session.AddPages(t.Context(), upload.Folder(files)); !slices.Equal(pagesOf(err), []string{"1.png"}) {
				t.Errorf("the error is %v", err)
			}
			if srv.count(sendPages) > 0 {
				t.Error("it was sent")
			}
		})
	}
}

// TestWholeOfOthers takes the pictures that come with Go, which other programs have made: progressive,
// interlaced, with restart marks; and none of them without its end.
func TestWholeOfOthers(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob(filepath.Join(runtime.GOROOT(), "src", "image", "testdata", "*.*")) //nolint:staticcheck // where there is none, the test is skipped
	if err != nil || len(paths) == 0 {
		t.Skip("this Go comes without its sources; with those of go.dev/dl in GOROOT its pictures are tried, too")
	}
	srv := start(t)
	session := mustBegin(t, t.Context(), srv.client(t))
	for _, path := range paths {
		name := filepath.Base(path)
		content, err := os.ReadFile(path)
		must(t, err)
		if strings.HasSuffix(name, ".base64") || !decodes(name, content) {
			continue
		}
		if err := session.AddPages(t.Context(), upload.Reader("half "+name, bytes.NewReader(content[:len(content)-2]))); err == nil {
			t.Errorf("%s is taken without its end", name)
		}
		must(t, session.AddPages(t.Context(), upload.Reader(name, bytes.NewReader(content))))
	}
	if len(session.Pages()) < 10 {
		t.Errorf("%d pictures were tried", len(session.Pages()))
	}
}
