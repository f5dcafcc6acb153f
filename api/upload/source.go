package upload

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/reading"
)

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
			return picture{name: filepath.Base(name), size: info.Size(), open: func() (io.ReadCloser, error) { return os.Open(name) }}, nil
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
		return []picture{{name: name, size: int64(len(content)), open: func() (io.ReadCloser, error) {
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
			return picture{name: name, size: info.Size(), open: func() (io.ReadCloser, error) { return fsys.Open(name) }}, nil
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
