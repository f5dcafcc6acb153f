package main

import (
	"archive/zip"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// A book is a folder of pages, and what there is to close when it has been read.
type book struct {
	fs.FS
	close func() error
}

// ReadDir lists the pages. Archives have a ComicInfo.xml, and folders what systems leave in them.
func (b *book) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(b.FS, name)
	return slices.DeleteFunc(entries, func(entry fs.DirEntry) bool { return !isPage(entry.Name()) }), err
}

// isPage tells a page from what only lies beside pages.
func isPage(name string) bool {
	switch {
	case strings.HasPrefix(name, "."), name == "__MACOSX", strings.EqualFold(name, "Thumbs.db"), strings.EqualFold(name, "desktop.ini"):
		return false
	}
	return !strings.EqualFold(path.Ext(name), ".xml")
}

// open opens a folder or an archive.
func open(path string) (*book, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return openFolder(path)
	}
	archive, err := zip.OpenReader(path)
	if err != nil {
		return nil, fmt.Errorf("%s is neither a folder nor a comic book archive: %w", path, err)
	}
	pages, err := pagesIn(path, archive)
	if err != nil {
		archive.Close()
		return nil, err
	}
	return &book{pages, archive.Close}, nil
}

func openFolder(path string) (*book, error) {
	b := &book{os.DirFS(path), func() error { return nil }}
	entries, err := b.ReadDir(".")
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		if entry.IsDir() {
			return nil, fmt.Errorf("%s has the folder %q in it; name a folder that has only pages", path, entry.Name())
		}
	}
	return b, nil
}

// pagesIn returns the folder of an archive that has the pages: its top, or the only folder there.
func pagesIn(path string, archive *zip.ReadCloser) (fs.FS, error) {
	for _, f := range archive.File {
		if name := strings.TrimSuffix(f.Name, "/"); !fs.ValidPath(name) || strings.ContainsAny(name, `\:`) {
			return nil, fmt.Errorf("%s has a file with the name %q, which cannot be that of a page; rename it in the archive", path, f.Name)
		}
	}
	top := &book{FS: archive}
	entries, err := top.ReadDir(".")
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s is damaged: %w", path, err)
	case len(entries) == 0:
		return nil, fmt.Errorf("%s has no pages; name another archive, or a folder", path)
	case len(entries) > 1 || !entries[0].IsDir():
		for _, entry := range entries {
			if entry.IsDir() {
				return nil, fmt.Errorf("%s has the folder %q beside other files; unpack it, and name a folder that has only pages", path, entry.Name())
			}
		}
		return archive, nil
	}
	folder := entries[0].Name()
	inside, err := fs.Sub(archive, folder)
	if err != nil {
		return nil, err
	}
	entries, err = (&book{FS: inside}).ReadDir(".")
	if err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", path, err)
	}
	for _, entry := range entries {
		if entry.IsDir() {
			return nil, fmt.Errorf("%s has folders in its folder %q; unpack it, and name a folder that has only pages", path, folder)
		}
	}
	return inside, nil
}
