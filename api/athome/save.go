package athome

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Save fetches the pages into a folder, which it makes if it is not there. The files are named
// after the place of the page and the kind of picture, so that they sort: 001.png, 002.jpg.
//
// A page is under its name only when it is whole. Pages that are in the folder are checked, by
// their SHA-256 or else by their size, and not fetched again; those that are wrong are replaced.
// So an interrupted Save goes on where it stopped when it is called again.
//
// A page that cannot be had is left out, and the others are fetched; the error joins the
// *[PageError] of each. Save ends early when so many pages fail one after the other that others will
// hardly fare better, and on any other error. Only one Save at a time can work on a folder.
func (c *Chapter) Save(ctx context.Context, dir string) error {
	if dir == "" {
		return c.errorf(errors.New("the name of the folder is empty; . is the current one"))
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return c.errorf(err)
	}
	removeParts(dir, pagePart)
	there, err := c.files(dir)
	if err != nil {
		return c.errorf(err)
	}
	t := newTracker(c.progress, len(c.pages))
	workers := c.parallel + checking
	lost := losses{limit: workers + 1}
	err = parallel(ctx, workers, len(c.pages), func(ctx context.Context, i int) error {
		if ctx.Err() != nil {
			return c.errorf(context.Cause(ctx))
		}
		return lost.note(c.savePage(ctx, dir, i, there[i], t))
	})
	return lost.join(err)
}

// savePage brings a page into the folder, unless one of the files that are there for it is whole.
// It removes those that are not.
func (c *Chapter) savePage(ctx context.Context, dir string, index int, there []string, t *tracker) error {
	name := ""
	for _, old := range there {
		if size, ok := c.whole(ctx, index, filepath.Join(dir, old)); ok {
			name = old
			t.had(size)
			break
		}
	}
	if name == "" {
		f := &file{dir: dir, prefix: pagePart}
		defer f.discard()
		out := t.track(f)
		_, a, err := c.fetch(ctx, index, out)
		if err == nil {
			name = c.stem(index) + extension(a.contentType)
			if err = f.keep(filepath.Join(dir, name)); err != nil {
				err = c.errorf(err)
			}
		}
		t.end(out, err)
		if err != nil {
			return err
		}
	}
	for _, old := range there {
		if old != name {
			if err := os.Remove(filepath.Join(dir, old)); err != nil {
				return c.errorf(err)
			}
		}
	}
	return nil
}

// stem is the name for the file of a page, without its ending.
func (c *Chapter) stem(index int) string {
	width := max(3, len(fmt.Sprint(len(c.pages))))
	return fmt.Sprintf("%0*d", width, index+1)
}

// files finds the files that have the name of a page, by the index of that page.
func (c *Chapter) files(dir string) (map[int][]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	indexes := make(map[string]int, len(c.pages))
	for i := range c.pages {
		indexes[c.stem(i)] = i
	}
	found := map[int][]string{}
	for _, entry := range entries {
		ext := filepath.Ext(entry.Name())
		i, ok := indexes[strings.TrimSuffix(entry.Name(), ext)]
		if ok && isExtension(ext) && entry.Type().IsRegular() {
			found[i] = append(found[i], entry.Name())
		}
	}
	return found, nil
}

// whole reports whether a file is a page, and how large it is.
func (c *Chapter) whole(ctx context.Context, index int, path string) (int64, bool) {
	f, err := os.Open(path)
	if err != nil {
		return 0, false
	}
	defer f.Close()
	if sum := c.pages[index].SHA256; sum != "" {
		got, size, err := sumOfFile(f)
		return size, err == nil && got == sum
	}
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return 0, false
	}
	return info.Size(), info.Size() == c.size(ctx, index)
}

// size asks a node how large a page is; -1 if it does not say. Whoever asks can fetch the page
// instead, so it is asked once only.
func (c *Chapter) size(ctx context.Context, index int) int64 {
	ctx, cancel := context.WithTimeout(ctx, c.fetcher.silence)
	defer cancel()
	n, err := c.source.after(ctx, nil)
	if err != nil {
		return -1
	}
	req, err := c.fetcher.request(ctx, http.MethodHead, c.source.address(n, c.pages[index].Name), nil)
	if err != nil {
		return -1
	}
	resp, err := c.fetcher.http.Do(req)
	if err != nil {
		return -1
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return -1
	}
	return resp.ContentLength
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

// parallel calls work for the numbers below n, some at once, until one of them fails.
func parallel(ctx context.Context, workers, n int, work func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		claimed atomic.Int64
		running sync.WaitGroup
		once    sync.Once
		first   error
	)
	for range min(workers, n) {
		running.Go(func() {
			for i := int(claimed.Add(1)) - 1; i < n; i = int(claimed.Add(1)) - 1 {
				if err := work(ctx, i); err != nil {
					once.Do(func() { first = err })
					cancel()
					return
				}
			}
		})
	}
	running.Wait()
	return first
}
