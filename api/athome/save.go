package athome

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/mangadex-go/mangadex/internal/atomicfile"
	"github.com/mangadex-go/mangadex/internal/fanout"
)

// Save fetches the pages into a folder, which it makes if it is not there. The files are named
// after the place of the page and the kind of picture, so that they sort: 001.png, 002.jpg.
//
// A page is under its name only when it is whole. Pages that are in the folder are not fetched again
// but checked: by their SHA-256, even if a page has another place now, or else by their head and end.
// Wrong pages are replaced, and pictures that have the name of a page that the chapter does not have
// (any more) are removed. So an interrupted Save goes on where it stopped when it is called again.
//
// A page that cannot be had is left out, and the others are fetched; the error joins the *[PageError]
// of each. Save ends early when many pages fail one after the other, and on any other error. Only one
// Save at a time can work on a folder.
func (c *Chapter) Save(ctx context.Context, dir string) error {
	if dir == "" {
		return c.errorf(errors.New("the name of the folder is empty; . is the current one"))
	}
	all := make([]int, len(c.pages))
	for i := range all {
		all[i] = i
	}
	lost, err := c.saveSome(ctx, dir, all, newTracker(c.progress, len(c.pages)))
	return lost.join(err)
}

// saveSome is Save for some of the pages, by their indexes. It returns the pages that could not be had, and
// what ended it before the others were tried.
func (c *Chapter) saveSome(ctx context.Context, dir string, indexes []int, t *tracker) (*losses, error) {
	workers := c.parallel + checking
	lost := &losses{limit: workers + 1}
	if err := atomicfile.MakeFolder(dir, 0o777); err != nil {
		return lost, c.errorf(err)
	}
	removeParts(dir, pagePart)
	there, err := scanFolder(ctx, dir)
	if err != nil {
		return lost, c.errorf(err)
	}
	if there, err = c.move(dir, there, indexes); err != nil {
		return lost, c.errorf(err)
	}
	err = fanout.Each(ctx, workers, len(indexes), func(ctx context.Context, n int) error {
		if ctx.Err() != nil {
			return c.errorf(context.Cause(ctx))
		}
		i := indexes[n]
		return lost.note(c.savePage(ctx, dir, i, there[c.stem(i)], t))
	})
	if err == nil {
		err = c.removeSurplus(dir, there)
	}
	return lost, err
}

// A pageFile is a file with a name like those that Save gives.
type pageFile struct {
	name      string
	sum       string // SHA-256
	size      int64
	isPicture bool
	isWhole   bool // by its head and end
}

func (f pageFile) stem() string { return strings.TrimSuffix(f.name, filepath.Ext(f.name)) }

// is reports whether the file has the content of a page.
func (f pageFile) is(page Page) bool {
	if page.SHA256 != "" {
		return f.sum == page.SHA256
	}
	return f.isPicture && f.isWhole
}

// isPageName reports whether a name is one for a page of some chapter.
func isPageName(name string) bool {
	ext := filepath.Ext(name)
	stem := strings.TrimSuffix(name, ext)
	return len(stem) >= 3 && strings.Trim(stem, "0123456789") == "" && isExtension(ext)
}

// read looks at the content of a file.
func (f *pageFile) read(r io.Reader) error {
	hash := newSum()
	var s sight
	buffer := make([]byte, 64<<10)
	for {
		n, err := r.Read(buffer)
		hash.Write(buffer[:n])
		s.see(buffer[:n])
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	f.sum, f.size, f.isPicture, f.isWhole = sumText(hash), s.size, seenType(s.head) != "", s.isWhole()
	return nil
}

// scanFolder reads the files of a folder that have names of pages, by those names without the ending.
func scanFolder(ctx context.Context, dir string) (map[string][]pageFile, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []pageFile
	for _, entry := range entries {
		if isPageName(entry.Name()) && entry.Type().IsRegular() {
			files = append(files, pageFile{name: entry.Name()})
		}
	}
	err = fanout.Each(ctx, checking, len(files), func(_ context.Context, i int) error {
		f, err := os.Open(filepath.Join(dir, files[i].name))
		if err != nil {
			return nil // it counts as wrong
		}
		defer f.Close()
		if files[i].read(f) != nil {
			files[i] = pageFile{name: files[i].name}
		}
		return nil
	})
	there := map[string][]pageFile{}
	for _, f := range files {
		there[f.stem()] = append(there[f.stem()], f)
	}
	return there, err
}

// move gives pages that are there, but have another place now, their new names, and returns what is in the
// folder then. The files are found under both names until all have theirs, so that a kill loses none.
func (c *Chapter) move(dir string, there map[string][]pageFile, indexes []int) (map[string][]pageFile, error) {
	bySum := map[string]pageFile{}
	for _, files := range there {
		for _, f := range files {
			bySum[f.sum] = f
		}
	}
	type step struct {
		file       pageFile
		part, name string
	}
	var steps []step
	for _, i := range indexes {
		page, stem := c.pages[i], c.stem(i)
		f, ok := bySum[page.SHA256]
		if page.SHA256 == "" || !ok || slices.ContainsFunc(there[stem], func(f pageFile) bool { return f.is(page) }) {
			continue
		}
		s := step{f, filepath.Join(dir, pagePart+stem+partSuffix), stem + filepath.Ext(f.name)}
		if err := linkOrCopy(filepath.Join(dir, f.name), s.part); err != nil {
			return nil, err
		}
		steps = append(steps, s)
	}
	for _, s := range steps {
		if err := atomicfile.Place(s.part, filepath.Join(dir, s.name)); err != nil {
			return nil, err
		}
	}
	for _, s := range steps {
		stem := strings.TrimSuffix(s.name, filepath.Ext(s.name))
		there[stem] = slices.DeleteFunc(there[stem], func(f pageFile) bool { return f.name == s.name })
		s.file.name = s.name
		there[stem] = append(there[stem], s.file)
	}
	return there, nil
}

// linkOrCopy gives a file a second name, or makes a second one where file systems have no links.
func linkOrCopy(from, to string) error {
	if os.Link(from, to) == nil {
		return nil
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return cmp.Or(err, out.Close())
}

// removeSurplus removes pictures that have names of pages which the chapter does not have.
func (c *Chapter) removeSurplus(dir string, there map[string][]pageFile) error {
	ours := make(map[string]bool, len(c.pages))
	for i := range c.pages {
		ours[c.stem(i)] = true
	}
	for stem, files := range there {
		for _, f := range files {
			if ours[stem] || !f.isPicture {
				continue
			}
			if err := os.Remove(filepath.Join(dir, f.name)); err != nil {
				return c.errorf(err)
			}
		}
	}
	return nil
}

// savePage brings a page into the folder, unless one of the files that are there for it is whole.
// It removes those that are not.
func (c *Chapter) savePage(ctx context.Context, dir string, index int, there []pageFile, t *tracker) error {
	name := ""
	if i := slices.IndexFunc(there, func(f pageFile) bool { return f.is(c.pages[index]) }); i >= 0 {
		name = there[i].name
		t.had(there[i].size)
	} else {
		var err error
		if name, err = c.fetchFile(ctx, dir, index, there, t); err != nil {
			return err
		}
	}
	for _, old := range there {
		if old.name != name {
			if err := os.Remove(filepath.Join(dir, old.name)); err != nil {
				return c.errorf(err)
			}
		}
	}
	return nil
}

// fetchFile fetches a page into a file and returns its name, or that of a file which has the page in the
// other quality, if it cannot be had in the wanted one.
func (c *Chapter) fetchFile(ctx context.Context, dir string, index int, there []pageFile, t *tracker) (string, error) {
	f := &file{dir: dir, prefix: pagePart}
	defer f.discard()
	m := t.meter()
	_, a, err := c.fetchPage(ctx, c.pages[index], f, m)
	if isPageError(err) && len(c.others) > 0 {
		other := c.others[index]
		if i := slices.IndexFunc(there, func(f pageFile) bool { return other.SHA256 != "" && f.is(other) }); i >= 0 {
			m.end(err)
			t.had(there[i].size)
			c.fallback(other)
			return there[i].name, nil
		}
		if page, b, otherErr := c.fetchPage(ctx, other, f, m); otherErr == nil {
			a, err = b, nil
			c.fallback(page)
		}
	}
	name := c.stem(index) + extension(a.contentType)
	if err == nil {
		if err = f.keep(filepath.Join(dir, name)); err != nil {
			err = c.errorf(err)
		}
	}
	m.end(err)
	return name, err
}

// stem is the name for the file of a page, without its ending.
func (c *Chapter) stem(index int) string {
	width := max(3, len(fmt.Sprint(len(c.pages))))
	return fmt.Sprintf("%0*d", width, index+1)
}

// losses are the pages that could not be had.
type losses struct {
	// limit is how many of them in a row are too many: more than are worked on at once, which may
	// be all that is left at the end.
	limit int

	mu     sync.Mutex
	row    int
	errors []*PageError
}

// errLosses ends a run in which nothing goes well any more.
var errLosses = errors.New("too many pages in a row could not be had")

// note takes note of how a page went. It returns an error if the others should not be tried.
func (l *losses) note(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var lost *PageError
	switch {
	case err == nil:
		l.row = 0
		return nil
	case !errors.As(err, &lost):
		return err
	}
	l.errors = append(l.errors, lost)
	if l.row++; l.row == l.limit {
		return errLosses
	}
	return nil
}

// join adds the pages that were lost to the error that ended the run.
func (l *losses) join(err error) error {
	slices.SortFunc(l.errors, func(a, b *PageError) int { return a.Page.Index - b.Page.Index })
	all := make([]error, 0, len(l.errors)+1)
	for _, lost := range l.errors {
		all = append(all, lost)
	}
	return errors.Join(append(all, err)...)
}
