package upload

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mangadex-go/mangadex/api"
)

// maxSide is the first number of pixels that is too many.
const maxSide = 10000

// A picture is a page before it is sent.
type picture struct {
	name   string
	size   int64
	open   func() (io.ReadCloser, error)
	sha256 string // of what was checked
}

// page is the picture as a page that is not in the session.
func (p *picture) page() Page { return Page{Name: p.name, Size: p.size, SHA256: p.sha256} }

// format is what is known of a kind of picture: how to read its size, and how to find its end.
type format struct {
	config func(io.Reader) (image.Config, error)
	whole  func(content []byte) bool
}

func formatOf(contentType string) (format, bool) {
	switch contentType {
	case "image/jpeg":
		return format{jpeg.DecodeConfig, wholeJPEG}, true
	case "image/png":
		return format{png.DecodeConfig, wholePNG}, true
	case "image/gif":
		return format{gif.DecodeConfig, wholeGIF}, true
	}
	return format{}, false
}

// check returns an error if the server would not take the picture, by its name and what it holds. It
// notes what was checked, so that read gives nothing else.
func (p *picture) check() error {
	switch {
	case p.name == "":
		return errors.New("upload: a page has no name; give it the name of its file")
	case !utf8.ValidString(p.name) || strings.ContainsAny(p.name, `/\"`) || strings.ContainsFunc(p.name, unicode.IsControl):
		return pageErrorf(p.name, `the name has a slash, a backslash, a quotation mark or a control character, which the server may change; rename the file`)
	case p.size == 0:
		return pageErrorf(p.name, "it is empty; export it again")
	case p.size > api.MaxPageSize:
		return pageErrorf(p.name, "it is larger than %d MiB; make it smaller", api.MaxPageSize>>20)
	}
	content, err := p.content("while it was read; wait until it is finished, then")
	if err != nil {
		return err
	}
	contentType := http.DetectContentType(content)
	format, ok := formatOf(contentType)
	if !ok {
		return pageErrorf(p.name, "its content is %s, and only JPEG, PNG and GIF are taken; convert it, or leave it out", contentType)
	}
	config, err := format.config(bytes.NewReader(content))
	switch {
	case err != nil:
		return pageErrorf(p.name, "its content is damaged %s: %w; export it again", contentType, err)
	case config.Width >= maxSide || config.Height >= maxSide:
		return pageErrorf(p.name, "it has %d×%d pixels, and each side must have less than %d; split it", config.Width, config.Height, maxSide)
	case !format.whole(content):
		return pageErrorf(p.name, "its content is %s without its end; export it or copy it again", contentType)
	}
	p.sha256 = hashOf(content)
	return nil
}

// read returns the content that was checked.
func (p *picture) read() ([]byte, error) {
	const since = "since it was checked;"
	content, err := p.content(since)
	if err == nil && hashOf(content) != p.sha256 {
		err = p.changed(since)
	}
	return content, err
}

// content reads the file. When says when it was changed, and what to do before it is added again, if it
// has another size than it had.
func (p *picture) content(when string) ([]byte, error) {
	file, err := p.open()
	if err != nil {
		return nil, pageErrorf(p.name, "it cannot be opened: %w", err)
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, p.size+1))
	switch {
	case err != nil:
		return nil, pageErrorf(p.name, "it cannot be read: %w", err)
	case int64(len(content)) != p.size:
		return nil, p.changed(when)
	}
	return content, nil
}

func (p *picture) changed(when string) error {
	return &PageError{[]string{p.name}, fmt.Errorf("it was changed %s add it again", when)}
}

func hashOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}
