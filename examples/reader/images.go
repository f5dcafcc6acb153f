package main

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/athome"
	"github.com/mangadex-go/mangadex/examples/internal/web"
)

const (
	maxOpen = 16        // chapters that are kept open
	maxAge  = time.Hour // of an open chapter
)

// images fetches pages and covers on behalf of the browser: from the nodes that MangaDex names, with
// the reports that it wants on them, and without a token.
type images struct {
	client  *api.Client
	covers  *athome.Covers
	options []athome.Option

	mu      sync.Mutex
	open    []*openChapter // the one used last comes last
	closing sync.WaitGroup
}

// An openChapter is shared by all requests for its pages.
type openChapter struct {
	id   uuid.UUID
	born time.Time
	turn chan struct{} // held by who opens it

	*athome.Chapter // nil before it is open

	users   int
	dropped bool // closed by its last user
}

// hosts are where covers come from and reports on nodes go to; empty for those of MangaDex.
type hosts struct{ uploads, reports string }

func newImages(client *api.Client, at hosts, saver bool) (*images, error) {
	options := []athome.Option{athome.WithClient(client)}
	if at.uploads != "" {
		options = append(options, athome.WithUploadsServer(at.uploads))
	}
	covers, err := athome.NewCovers(options...)
	if err != nil {
		return nil, err
	}
	options = nil
	if at.reports != "" {
		options = append(options, athome.WithReportURL(at.reports))
	}
	if saver {
		options = append(options, athome.WithDataSaver())
	}
	return &images{client: client, covers: covers, options: options}, nil
}

// chapter opens a chapter, or finds it open. The caller calls release when it is done with it.
func (im *images) chapter(ctx context.Context, id uuid.UUID) (_ *athome.Chapter, release func(), err error) {
	c := im.find(id)
	release = func() { im.release(c) }
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		release()
		return nil, nil, ctx.Err()
	}
	defer func() { <-c.turn }()
	if c.Chapter == nil {
		if c.Chapter, err = athome.Open(ctx, im.client, id, im.options...); err != nil {
			im.drop(id)
			release()
			return nil, nil, err
		}
	}
	return c.Chapter, release, nil
}

func (im *images) find(id uuid.UUID) *openChapter {
	im.mu.Lock()
	defer im.mu.Unlock()
	at := slices.IndexFunc(im.open, func(c *openChapter) bool { return c.id == id })
	if at >= 0 && time.Since(im.open[at].born) > maxAge {
		im.remove(at)
		at = -1
	}
	c := &openChapter{id: id, born: time.Now(), turn: make(chan struct{}, 1)}
	if at >= 0 {
		c = im.open[at]
		im.open = slices.Delete(im.open, at, at+1)
	} else if len(im.open) == maxOpen {
		im.remove(0)
	}
	im.open = append(im.open, c)
	c.users++
	return c
}

// drop forgets a chapter, so that it is opened anew the next time.
func (im *images) drop(id uuid.UUID) {
	im.mu.Lock()
	defer im.mu.Unlock()
	if at := slices.IndexFunc(im.open, func(c *openChapter) bool { return c.id == id }); at >= 0 {
		im.remove(at)
	}
}

// remove takes a chapter off the list. The caller holds mu.
func (im *images) remove(at int) {
	c := im.open[at]
	im.open = slices.Delete(im.open, at, at+1)
	c.dropped = true
	im.end(c)
}

func (im *images) release(c *openChapter) {
	im.mu.Lock()
	defer im.mu.Unlock()
	c.users--
	im.end(c)
}

// end closes a chapter that nobody uses any more. That takes as long as its last reports, so it is
// not waited for here. The caller holds mu.
func (im *images) end(c *openChapter) {
	if c.dropped && c.users == 0 && c.Chapter != nil {
		im.closing.Go(func() { c.Close() })
	}
}

// Close closes what is open. No request may be running.
func (im *images) Close() {
	im.mu.Lock()
	for len(im.open) > 0 {
		im.remove(0)
	}
	im.mu.Unlock()
	im.closing.Wait()
	im.covers.Close()
}

// page sends a page of a chapter.
func (s *server) page(w http.ResponseWriter, r *http.Request) error {
	id, err := idOf(r)
	if err != nil {
		return err
	}
	wanted := r.FormValue("v")
	if web.IsKept(w, r, wanted) {
		return nil
	}
	chapter, release, err := s.images.chapter(r.Context(), id)
	if err != nil {
		return err
	}
	defer release()
	pages := chapter.Pages()
	n, err := strconv.Atoi(r.PathValue("page"))
	if err != nil || n < 1 || n > len(pages) {
		return &problem{http.StatusNotFound, "The chapter has no such page."}
	}
	if web.Tag([]byte(pages[n-1].Name)) != wanted {
		return &problem{http.StatusNotFound, "The page was replaced; load the chapter again."}
	}
	image, err := chapter.Fetch(r.Context(), pages[n-1])
	if errors.Is(err, athome.ErrChanged) {
		s.images.drop(id)
	}
	if err != nil {
		return err
	}
	return sendImage(w, r, image, wanted)
}

// cover sends a thumbnail of a cover.
func (s *server) cover(w http.ResponseWriter, r *http.Request) error {
	id, err := idOf(r)
	if err != nil {
		return err
	}
	size := api.CoverMedium
	if r.FormValue("size") == "256" {
		size = api.CoverSmall
	}
	file := r.PathValue("file")
	tag := web.Tag([]byte(file + string(size))) // a cover that is replaced gets another name
	if web.IsKept(w, r, tag) {
		return nil
	}
	image, err := s.images.covers.Fetch(r.Context(), id, file, size)
	if err != nil {
		return err
	}
	return sendImage(w, r, image, tag)
}

// sendImage sends a picture.
func sendImage(w http.ResponseWriter, r *http.Request, image athome.Image, tag string) error {
	if !web.SendPicture(w, r, image.Data, tag) {
		return &problem{http.StatusBadGateway, "What arrived from MangaDex is not a picture that this reader shows."}
	}
	return nil
}
