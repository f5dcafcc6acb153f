package upload

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
)

const (
	attempts    = 5                   // at sending the same pages
	requestSize = 2 * api.MaxPageSize // bytes of the pages of a request, which are held in memory
)

// AddPages sends pages (POST /upload/{uploadSessionId}) and puts them behind those that the session
// has. A page that the session has already, by its name and size, is not sent again; it only takes
// its place in the order.
//
// A page is a complete JPEG, PNG or GIF file of at most [api.MaxPageSize], with sides below 10,000
// pixels. A session takes [api.MaxPages] of them, and [api.MaxUploadSize] in all. This is checked
// before anything is sent, and the error has a [PageError] for each page that the server would not
// take.
//
// Where the server loses pages or does not answer, they are sent again, five times at most. After an
// error, the same call goes on where it stopped.
func (s *Session) AddPages(ctx context.Context, sources ...Source) error {
	if err := s.usable(); err != nil {
		return err
	}
	pictures, err := s.check(sources)
	if err != nil {
		return err
	}
	names := make([]string, len(pictures))
	for i, p := range pictures {
		names[i] = p.name
	}
	defer func() { s.ledger = s.ledger.behind(names) }()
	missing := s.missing(pictures)
	s.report(pictures)
	for len(missing) > 0 {
		n := first(missing)
		err := s.send(ctx, missing[:n])
		if err := errors.Join(err, s.kept()); err != nil {
			return err
		}
		missing = missing[n:]
		s.report(pictures)
	}
	return nil
}

// check collects the pictures and tells what is wrong with them, alone and together.
func (s *Session) check(sources []Source) ([]picture, error) {
	var pictures []picture
	var errs []error
	count, size := len(s.ledger.pages), int64(0)
	for _, page := range s.ledger.pages {
		size += page.Size
	}
	names := map[string]bool{}
	for _, source := range sources {
		more, err := source.pictures()
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, p := range more {
			if names[p.name] {
				errs = append(errs, pageErrorf(p.name, "another page has the same name; rename one of them"))
				continue
			}
			names[p.name] = true
			i := s.ledger.index(p.name)
			if i < 0 {
				count++
				size += p.size
			}
			if err := p.check(); err != nil {
				errs = append(errs, err)
			} else if i >= 0 {
				errs = append(errs, differs(p.page(), s.ledger.pages[i]))
			}
			pictures = append(pictures, p)
		}
		if size > api.MaxUploadSize {
			break // rather than read more into memory
		}
	}
	switch err := errors.Join(errs...); {
	case len(names) == 0 && err == nil:
		return nil, errors.New("upload: no pages are given; give Files, a Reader or a Folder")
	case count > api.MaxPages:
		errs = append(errs, fmt.Errorf("upload: with these the session has %d pages, and the server takes %d; join or leave out some, or split the chapter", count, api.MaxPages))
	case size > api.MaxUploadSize:
		errs = append(errs, fmt.Errorf("upload: with these the session has more than %d MiB, which is all the server takes; make the pages smaller, or split the chapter", api.MaxUploadSize>>20))
	}
	return pictures, errors.Join(errs...)
}

// differs is the error of a page that is not the one of its name in the session, nil if it may be.
func differs(page, has Page) error {
	switch {
	case has.Size != 0 && has.Size != page.Size:
		return pageErrorf(page.Name, "%w, of %d bytes where this one has %d; Remove it first, or rename this one", ErrAnotherPage, has.Size, page.Size)
	case !has.same(page):
		return pageErrorf(page.Name, "%w, of the same size; Remove it first, or rename this one", ErrAnotherPage)
	}
	return nil
}

// first returns how many of the pictures go into one request.
func first(pictures []picture) int {
	n, size := 0, int64(0)
	for n < len(pictures) && n < api.MaxPagesPerRequest && (n == 0 || size+pictures[n].size <= requestSize) {
		size += pictures[n].size
		n++
	}
	return n
}

// missing returns the pictures that are not in the session.
func (s *Session) missing(pictures []picture) []picture {
	var missing []picture
	for _, p := range pictures {
		if s.ledger.index(p.name) < 0 {
			missing = append(missing, p)
		}
	}
	return missing
}

func (s *Session) report(pictures []picture) {
	if s.progress == nil {
		return
	}
	p := Progress{TotalPages: len(pictures)}
	for _, picture := range pictures {
		p.TotalBytes += picture.size
		if s.ledger.index(picture.name) >= 0 {
			p.Pages++
			p.Bytes += picture.size
		}
	}
	s.progress(p)
}

// Remove takes pages out of the session, by their names, in one request
// (DELETE /upload/{uploadSessionId}/batch).
func (s *Session) Remove(ctx context.Context, names ...string) error {
	if err := s.usable(); err != nil {
		return err
	}
	var ids []uuid.UUID
	for _, name := range names {
		i := s.ledger.index(name)
		if i < 0 {
			return pageErrorf(name, "the session has no page of that name; see Pages for their names")
		}
		ids = append(ids, s.ledger.pages[i].ID)
	}
	err := s.remove(ctx, ids)
	switch {
	case errors.Is(err, errPageLost):
		return err
	case errors.Is(err, ErrSessionClosed):
		return fmt.Errorf("upload: %w", err)
	case err != nil:
		return &PageError{names, err}
	}
	return nil
}

// remove deletes files of the session.
func (s *Session) remove(ctx context.Context, ids []uuid.UUID) error {
	before := s.ledger
	s.ledger = before.removing(ids)
	var err error
	switch len(ids) {
	case 0:
		s.ledger = before
		return nil
	case 1:
		err = s.client.DeleteUploadedPage(ctx, s.id, ids[0])
	default:
		err = s.client.DeleteUploadedPages(ctx, s.id, ids)
	}
	if err == nil {
		s.ledger = s.ledger.without(ids)
		return nil
	}
	if !api.MayBeDone(err) && !errors.Is(err, api.ErrNotFound) {
		s.ledger = before
		return fmt.Errorf("the server did not remove it: %w", err)
	}
	// Perhaps they are gone, and only the answer is lost; or some of them were gone before.
	surplus, listErr := s.reconcile(ctx)
	if isOver(listErr) {
		return listErr
	}
	there := func(id uuid.UUID) bool { return slices.Contains(surplus, id) || s.ledger.knows(id) }
	if listErr != nil || slices.ContainsFunc(ids, there) {
		return fmt.Errorf("the server did not remove it; try again: %w", err)
	}
	return nil
}

// Reorder puts the pages of the session into the order of the names, which must name every page once.
func (s *Session) Reorder(names ...string) error {
	if err := s.usable(); err != nil {
		return err
	}
	reordered, err := s.ledger.reordered(names)
	s.ledger = reordered
	return err
}
