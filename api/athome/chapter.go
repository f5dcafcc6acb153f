package athome

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
)

// A Chapter is a chapter whose pages can be fetched. [Open] makes one. It is safe for use by many
// goroutines. Close it when it is no longer needed.
type Chapter struct {
	id       uuid.UUID
	parallel int
	memory   int64
	progress func(Progress)
	fallback func(Page) // nil: none
	gaps     bool
	title    *api.Manga // nil if it is not known
	pages    []Page
	others   []Page // in the other quality; empty if there are none, or they are not wanted
	source   *source
	fetcher  *fetcher
	reports  *reports // nil: none

	mu      sync.Mutex
	details api.Chapter
	asked   bool // details are all that the server says
}

// A Page is a page of a chapter.
type Page struct {
	Index  int    // 0 for the first
	Name   string // what the server calls it; not fit for a file name
	SHA256 string // of the content, 64 hexadecimal digits; empty if the name does not carry it
	URL    string // on the node that is used now; good for about a quarter of an hour

	DataSaver bool // it is the smaller JPEG version
}

// An Image is a picture: a page or a cover.
type Image struct {
	Page        Page   // zero for a cover
	ContentType string // such as image/png
	Data        []byte
}

// Ext returns the ending for a file of the picture, such as .png.
func (i Image) Ext() string { return extension(i.ContentType) }

// Open finds the pages of a chapter. It calls [api.Client.GetChapter] (GET /chapter/{id}), unless
// [WithDetails] is given, and [api.Client.GetAtHomeServer] (GET /at-home/server/{chapterId}).
//
// For a chapter without pages the error is [ErrExternal] (an *[ExternalError] with the link),
// [ErrTakenDown] or [ErrNoPages].
func Open(ctx context.Context, client *api.Client, id uuid.UUID, options ...Option) (*Chapter, error) {
	if client == nil {
		return nil, errors.New("athome: Open: the client is nil; make one with api.New")
	}
	if id == uuid.Nil {
		return nil, errors.New("athome: Open: the id of the chapter is empty; give that of a chapter")
	}
	s, err := newSettings("Open", options)
	if err != nil {
		return nil, err
	}
	s.client = client
	if s.details != nil && s.details.ID != id {
		return nil, fmt.Errorf("athome: WithDetails: these are the details of chapter %s, not of %s", s.details.ID, id)
	}
	c := &Chapter{id: id, parallel: s.parallel, memory: s.memory, progress: s.progress, fallback: s.fallback, gaps: s.gaps, title: s.title}
	c.source = &source{client: client, chapter: id, saver: s.dataSaver}
	if s.port443 {
		c.source.params = &api.GetAtHomeServerParams{ForcePort443: &s.port443}
	}
	if err := c.open(ctx, s.details); err != nil {
		return nil, err
	}
	c.fetcher = newFetcher(s)
	if url := reportURL(s, client.Server()); url != "" {
		c.reports = newReports(c.fetcher, url)
	}
	return c, nil
}

// reportURL is where reports go; empty if nowhere.
func reportURL(s *settings, server string) string {
	switch {
	case !s.reports:
		return ""
	case s.reportURL == "" && server == api.Production:
		return mangaDexReports
	}
	return s.reportURL
}

// open finds out whether there are pages, at the cost of as few at-home calls as can be.
func (c *Chapter) open(ctx context.Context, details *api.Chapter) error {
	if details != nil {
		c.details = *details
	} else if err := c.ask(ctx); err != nil {
		return c.errorf(err)
	}
	a := &c.details.Attributes
	external := &ExternalError{Chapter: c.id}
	if a.ExternalURL != nil {
		external.URL = *a.ExternalURL
	}
	switch {
	case a.IsUnavailable:
		return c.errorf(ErrTakenDown)
	case a.Pages == 0 && external.URL != "":
		return external
	case a.Pages == 0:
		return c.errorf(ErrNoPages)
	}
	if err := c.source.open(ctx, c.fallback != nil); err != nil {
		return c.errorf(err)
	}
	switch {
	case len(c.source.names) == 0 && external.URL != "":
		return external
	case len(c.source.names) == 0:
		return c.errorf(ErrNoPages)
	}
	c.pages = PagesOf(c.source.names, c.source.saver)
	if c.fallback != nil {
		c.others = PagesOf(c.source.other, !c.source.saver)
	}
	return nil
}

// PagesOf makes pages for [Check] of the names that the server gives them, in one of the two qualities.
func PagesOf(names []string, saver bool) []Page {
	pages := make([]Page, len(names))
	for i, name := range names {
		pages[i] = Page{Index: i, Name: name, SHA256: sumOf(name), DataSaver: saver}
	}
	return pages
}

// ask asks the server for everything about the chapter but its pages.
func (c *Chapter) ask(ctx context.Context) error {
	answer, err := c.source.client.GetChapter(ctx, c.id, &api.GetChapterParams{
		Includes: []api.Include{api.IncludeManga, api.IncludeScanlationGroup},
	})
	if err != nil {
		return err
	}
	c.details, c.asked = answer.Data, true
	return nil
}

func (c *Chapter) errorf(err error) error {
	return fmt.Errorf("athome: chapter %s: %w", c.id, err)
}

// sumOf is the SHA-256 in a name like 1-….png; empty if there is none.
func sumOf(name string) string {
	stem := name
	if dot := strings.LastIndexByte(stem, '.'); dot >= 0 {
		stem = stem[:dot]
	}
	sum := strings.ToLower(stem[strings.LastIndexByte(stem, '-')+1:])
	if _, err := hex.DecodeString(sum); err != nil || len(sum) != 64 || len(sum) == len(stem) {
		return ""
	}
	return sum
}

// Details returns what the server says of the chapter, or what [WithDetails] gave.
func (c *Chapter) Details() api.Chapter {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.details
}

// Pages returns the pages in reading order.
func (c *Chapter) Pages() []Page {
	c.source.mu.Lock()
	node := c.source.node
	c.source.mu.Unlock()
	pages := make([]Page, len(c.pages))
	for i, page := range c.pages {
		page.URL = c.source.address(node, page)
		pages[i] = page
	}
	return pages
}

// Fetch fetches a page. It returns a *[PageError] if that page cannot be had from any node that
// was tried, and another error if no node could be had or the context ended.
//
// No more calls than [WithParallel] allows run at the same time.
func (c *Chapter) Fetch(ctx context.Context, page Page) (Image, error) {
	if page.Index < 0 || page.Index >= len(c.pages) || c.pages[page.Index].Name != page.Name {
		return Image{}, c.errorf(fmt.Errorf("page %d (%q) is not one of this chapter; use those of Pages", page.Index+1, page.Name))
	}
	m := &memory{}
	page, a, err := c.fetch(ctx, page.Index, m, nil)
	if err != nil {
		return Image{}, err
	}
	return Image{Page: page, ContentType: a.contentType, Data: m.data}, nil
}

// Close ends what the chapter does in the background: it gives waiting reports two seconds, drops
// the rest, and frees idle connections. It does not wait for running calls, which should have
// ended before.
func (c *Chapter) Close() error {
	if c.reports != nil {
		c.reports.close()
	}
	c.fetcher.close()
	return nil
}
