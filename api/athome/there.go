package athome

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
)

// An oldArchive is an archive that is there. A nil one has nothing.
type oldArchive struct {
	zip     *zip.ReadCloser
	entries []*entry
	bySum   map[string]*entry
	info    []byte
	order   []string // names of all files
}

// An entry is a page in an archive that can be read.
type entry struct {
	pageFile
	load func() ([]byte, error)
}

// maxEntry bounds what is read of a file in an archive, which may be any.
const maxEntry = 1 << 30

// openArchive reads the archive at a path, and nothing if there is none or it is damaged.
func openArchive(path string) *oldArchive {
	r, err := zip.OpenReader(path)
	if err != nil {
		return nil
	}
	old := &oldArchive{zip: r, bySum: map[string]*entry{}}
	for _, f := range r.File {
		old.order = append(old.order, f.Name)
		if f.UncompressedSize64 > maxEntry || f.Name != comicInfoName && !isPageName(f.Name) {
			continue
		}
		load := func() ([]byte, error) {
			content, err := f.Open()
			if err != nil {
				return nil, err
			}
			defer content.Close()
			return io.ReadAll(io.LimitReader(content, maxEntry))
		}
		if f.Name == comicInfoName {
			old.info, _ = load()
			continue
		}
		content, err := f.Open()
		if err != nil {
			continue
		}
		e := &entry{pageFile{name: f.Name}, load}
		if e.read(content) == nil { // which checks the checksum, too
			old.entries = append(old.entries, e)
			old.bySum[e.sum] = e
		}
		content.Close()
	}
	return old
}

// find returns the entry that has the content of a page.
func (a *oldArchive) find(page Page, stem string) *entry {
	switch {
	case a == nil:
		return nil
	case page.SHA256 != "":
		return a.bySum[page.SHA256]
	}
	for _, e := range a.entries {
		if e.stem() == stem && e.is(page) {
			return e
		}
	}
	return nil
}

// same reports whether the archive is as it would be written now.
func (a *oldArchive) same(info []byte, sheets []sheet, comment string) bool {
	if a == nil || a.zip.Comment != comment || !bytes.Equal(a.info, info) || len(a.order) != len(sheets)+1 || len(a.entries) != len(sheets) || a.order[0] != comicInfoName {
		return false
	}
	for i, s := range sheets {
		if a.order[i+1] != s.name || a.entries[i].sum != s.sum {
			return false
		}
	}
	return true
}

// Close closes the file. It may be called twice.
func (a *oldArchive) Close() {
	if a != nil {
		a.zip.Close()
	}
}

// A Fault is what [Check] found wrong with a page.
type Fault string

// Faults of pages.
const (
	FaultMissing Fault = "missing" // there is no file for it
	FaultWrong   Fault = "wrong"   // there is one with another content, or at another place
	FaultSurplus Fault = "surplus" // there is a file for a page that the chapter does not have
)

// Check compares a folder of [Chapter.Save] or an archive of [Chapter.SaveCBZ] with the pages that a
// chapter has. It returns the faults by the index of the page, none if all is right. It reads every
// page and sends no request. Pages whose name has no hash are checked by their head and end.
func Check(ctx context.Context, path string, pages []Page) (map[int]Fault, error) {
	var there map[string][]pageFile
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("athome: %w", err)
	case info.IsDir():
		if there, err = scanFolder(ctx, path); err != nil {
			return nil, fmt.Errorf("athome: %w", err)
		}
	default:
		there = map[string][]pageFile{}
		old := openArchive(path)
		defer old.Close()
		if old != nil {
			for _, e := range old.entries {
				there[e.stem()] = append(there[e.stem()], e.pageFile)
			}
		}
	}
	c := &Chapter{pages: pages}
	faults := map[int]Fault{}
	for i, page := range pages {
		switch files := there[c.stem(i)]; {
		case len(files) == 0:
			faults[i] = FaultMissing
		case len(files) > 1 || !files[0].is(page):
			faults[i] = FaultWrong
		}
		delete(there, c.stem(i))
	}
	surplus := len(pages)
	for _, stem := range slices.Sorted(maps.Keys(there)) {
		if slices.ContainsFunc(there[stem], func(f pageFile) bool { return f.isPicture }) {
			faults[surplus] = FaultSurplus
			surplus++
		}
	}
	return faults, nil
}
