package upload

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/reading"
)

// maxSide is the first number of pixels that is too many.
const maxSide = 10000

// A Source is where pictures come from: [Files], [Reader] or [Folder]. It can be used again. The
// server knows a page by the name of its file, so the names of a session must differ.
type Source struct {
	yield func() ([]picture, error)
}

// pictures returns what the source has.
func (s Source) pictures() ([]picture, error) {
	if s.yield == nil {
		return nil, errors.New("upload: a source is empty; make it by Files, Reader or Folder")
	}
	return s.yield()
}

// A picture is a page before it is sent.
type picture struct {
	name string
	size int64
	open func() (io.ReadCloser, error)
}

// Files takes files in the order given. The page has the name of the file without the folders.
func Files(paths ...string) Source {
	return Source{func() ([]picture, error) {
		return collect(paths, func(name string) (picture, error) {
			info, err := os.Stat(name)
			if err != nil {
				return picture{}, pageErrorf(name, "%w; check the path", err)
			}
			if info.IsDir() {
				return picture{}, pageErrorf(name, "it is a folder; use Folder(os.DirFS(%q))", name)
			}
			return picture{filepath.Base(name), info.Size(), func() (io.ReadCloser, error) { return os.Open(name) }}, nil
		})
	}}
}

// Reader takes one picture, which it reads into memory, at most [api.MaxPageSize]. It reads r once,
// when the source is first used.
func Reader(name string, r io.Reader) Source {
	read := sync.OnceValues(func() ([]byte, error) {
		if r == nil {
			return nil, pageErrorf(name, "its reader is nil; give one that has the picture")
		}
		content, err := io.ReadAll(io.LimitReader(r, api.MaxPageSize+1))
		if err != nil {
			return nil, pageErrorf(name, "it cannot be read: %w", err)
		}
		return content, nil
	})
	return Source{func() ([]picture, error) {
		content, err := read()
		if err != nil {
			return nil, err
		}
		return []picture{{name, int64(len(content)), func() (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(content)), nil
		}}}, nil
	}}
}

// Folder takes the files of the top folder of fsys, such as [os.DirFS] or a [zip.Reader], in natural
// order: 2.png is before 10.png. Patterns of [path.Match] choose among them; without one, all are
// pages but those whose name begins with a dot.
func Folder(fsys fs.FS, patterns ...string) Source {
	return Source{func() ([]picture, error) {
		if fsys == nil {
			return nil, errors.New("upload: the folder is nil; give one, such as os.DirFS of its path")
		}
		entries, err := fs.ReadDir(fsys, ".")
		if err != nil {
			return nil, fmt.Errorf("upload: the folder cannot be read: %w; check its path", err)
		}
		var names []string
		for _, entry := range entries {
			chosen, err := choose(entry.Name(), patterns)
			if err != nil {
				return nil, err
			}
			if chosen {
				names = append(names, entry.Name())
			}
		}
		if len(names) == 0 {
			return nil, noPages(patterns)
		}
		slices.SortFunc(names, reading.CompareNames)
		return collect(names, func(name string) (picture, error) {
			info, err := fs.Stat(fsys, name)
			if err != nil {
				return picture{}, pageErrorf(name, "%w; check the folder", err)
			}
			if info.IsDir() {
				return picture{}, pageErrorf(name, "it is a folder; choose the pages by a pattern such as *.png")
			}
			return picture{name, info.Size(), func() (io.ReadCloser, error) { return fsys.Open(name) }}, nil
		})
	}}
}

// noPages is the error of a folder none of whose files is a page.
func noPages(patterns []string) error {
	if len(patterns) == 0 {
		return errors.New("upload: no file of the folder is a page: it is empty, or has hidden files only; check its path")
	}
	quoted := make([]string, len(patterns))
	for i, pattern := range patterns {
		quoted[i] = strconv.Quote(pattern)
	}
	return fmt.Errorf("upload: no file of the folder is a page: none matches %s; check the path of the folder and the patterns", strings.Join(quoted, " or "))
}

// choose reports whether a file of a folder is a page.
func choose(name string, patterns []string) (bool, error) {
	for _, pattern := range patterns {
		chosen, err := path.Match(pattern, name)
		if err != nil {
			return false, fmt.Errorf("upload: the pattern %q: %w; see path.Match", pattern, err)
		}
		if chosen {
			return true, nil
		}
	}
	return len(patterns) == 0 && !strings.HasPrefix(name, "."), nil
}

// collect makes a picture of each name, or the errors of all that are none.
func collect(names []string, make func(name string) (picture, error)) ([]picture, error) {
	var pictures []picture
	var errs []error
	for _, name := range names {
		p, err := make(name)
		if err != nil {
			errs = append(errs, err)
		}
		pictures = append(pictures, p)
	}
	return pictures, errors.Join(errs...)
}

// check returns an error if the server would not take the picture, by its name and its first bytes.
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
	file, err := p.open()
	if err != nil {
		return pageErrorf(p.name, "it cannot be opened: %w", err)
	}
	defer file.Close()
	content := bufio.NewReader(file)
	head, err := content.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		return pageErrorf(p.name, "it cannot be read: %w", err)
	}
	var decode func(io.Reader) (image.Config, error)
	format := http.DetectContentType(head)
	switch format {
	case "image/jpeg":
		decode = jpeg.DecodeConfig
	case "image/png":
		decode = png.DecodeConfig
	case "image/gif":
		decode = gif.DecodeConfig
	default:
		return pageErrorf(p.name, "its content is %s, and only JPEG, PNG and GIF are taken; convert it, or leave it out", format)
	}
	config, err := decode(content)
	switch {
	case err != nil:
		return pageErrorf(p.name, "its content is damaged %s: %w; export it again", format, err)
	case config.Width >= maxSide || config.Height >= maxSide:
		return pageErrorf(p.name, "it has %d×%d pixels, and each side must have less than %d; split it", config.Width, config.Height, maxSide)
	}
	return nil
}

// read returns the content.
func (p *picture) read() ([]byte, error) {
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
		return nil, pageErrorf(p.name, "it was changed since it was checked; add it again")
	}
	return content, nil
}
