package upload_test

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io/fs"
	"strconv"
	"sync"
	"testing/fstest"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/upload"
)

// picture encodes a picture in a format; what is appended to it makes it one of its own.
func picture(format, appended string) string { return pictures()[format] + appended }

var pictures = sync.OnceValue(func() map[string]string {
	return map[string]string{"png": encodePicture("png"), "jpeg": encodePicture("jpeg"), "gif": encodePicture("gif")}
})

func encodePicture(format string) string {
	img := image.NewPaletted(image.Rect(0, 0, 3, 4), color.Palette{color.White, color.Black})
	var b bytes.Buffer
	var err error
	switch format {
	case "png":
		err = png.Encode(&b, img)
	case "jpeg":
		err = jpeg.Encode(&b, img, nil)
	case "gif":
		err = gif.Encode(&b, img, nil)
	}
	if err != nil {
		panic(err)
	}
	return b.String()
}

// pngOf returns the head of a PNG file with that many pixels.
func pngOf(width, height int) string {
	data := []byte(picture("png", ""))
	put := func(at, v int) {
		for i := range 4 {
			data[at+i] = byte(v >> (24 - 8*i))
		}
	}
	put(16, width)
	put(20, height)
	crc := crc32.ChecksumIEEE(data[12:29])
	put(29, int(crc))
	return string(data)
}

// folder makes a folder of pages whose content holds their names.
func folder(names ...string) fs.FS {
	files := fstest.MapFS{}
	for _, name := range names {
		files[name] = &fstest.MapFile{Data: []byte(picture("png", name))}
	}
	return files
}

// numbered returns names from 1.png to n.png.
func numbered(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("%d.png", i+1)
	}
	return names
}

func names(pages []upload.Page) []string {
	var names []string
	for _, p := range pages {
		names = append(names, p.Name)
	}
	return names
}

var draft = api.ChapterDraft{Chapter: api.Value("1"), TranslatedLanguage: "en"}

// pagesOf are the pages that an error is about.
func pagesOf(err error) []string {
	var page *upload.PageError
	if errors.As(err, &page) {
		return page.Pages
	}
	return nil
}

func itoa(n int) string { return strconv.Itoa(n) }
