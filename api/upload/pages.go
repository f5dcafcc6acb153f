package upload

import (
	"bytes"
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
// A page is a JPEG, PNG or GIF file of at most [api.MaxPageSize], with sides below 10,000 pixels. A
// session takes [api.MaxPages] of them, and [api.MaxUploadSize] in all. This is checked before anything
// is sent, and the error has a [PageError] for each page that the server would not take.
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
	defer s.moveBehind(pictures)
	missing := s.missing(pictures)
	s.report(pictures)
	for len(missing) > 0 {
		n := first(missing)
		if err := s.send(ctx, missing[:n]); err != nil {
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
	count, size := len(s.pages), int64(0)
	for _, page := range s.pages {
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
			if i := s.index(p.name); i < 0 {
				count++
				size += p.size
			} else if has := s.pages[i].Size; has != p.size && has != 0 {
				errs = append(errs, pageErrorf(p.name, "the session has another page of that name, of %d bytes where this one has %d; Remove it first, or rename this one", has, p.size))
			}
			if err := p.check(); err != nil {
				errs = append(errs, err)
			}
			pictures = append(pictures, p)
		}
		if size > api.MaxUploadSize {
			break // rather than read more into memory
		}
	}
	switch {
	case len(names) == 0 && len(errs) == 0:
		errs = append(errs, errors.New("upload: no pages are given; give Files, a Reader or a Folder"))
	case count > api.MaxPages:
		errs = append(errs, fmt.Errorf("upload: with these the session has %d pages, and the server takes %d; join or leave out some, or split the chapter", count, api.MaxPages))
	case size > api.MaxUploadSize:
		errs = append(errs, fmt.Errorf("upload: with these the session has more than %d MiB, which is all the server takes; make the pages smaller, or split the chapter", api.MaxUploadSize>>20))
	}
	return pictures, errors.Join(errs...)
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

// index returns where the page of a name is, or -1.
func (s *Session) index(name string) int {
	return slices.IndexFunc(s.pages, func(p Page) bool { return p.Name == name })
}

// missing returns the pictures that are not in the session.
func (s *Session) missing(pictures []picture) []picture {
	var missing []picture
	for _, p := range pictures {
		if s.index(p.name) < 0 {
			missing = append(missing, p)
		}
	}
	return missing
}

// moveBehind puts the pages of the pictures, as far as they are there, in order behind the others.
func (s *Session) moveBehind(pictures []picture) {
	for _, p := range pictures {
		if i := s.index(p.name); i >= 0 {
			page := s.pages[i]
			s.pages = append(slices.Delete(s.pages, i, i+1), page)
		}
	}
}

func (s *Session) report(pictures []picture) {
	if s.progress == nil {
		return
	}
	p := Progress{TotalPages: len(pictures)}
	for _, picture := range pictures {
		p.TotalBytes += picture.size
		if s.index(picture.name) >= 0 {
			p.Pages++
			p.Bytes += picture.size
		}
	}
	s.progress(p)
}

// send has the server take a request full of pictures. A page is known by its name only, so after an
// answer that lacks some, or none at all, it finds out which are there before it sends the others
// again.
func (s *Session) send(ctx context.Context, batch []picture) error {
	contents := map[string][]byte{}
	for _, p := range batch {
		content, err := p.read()
		if err != nil {
			return err
		}
		contents[p.name] = content
	}
	for attempt := 1; ; attempt++ {
		err := s.try(ctx, batch, contents)
		batch = s.missing(batch)
		switch {
		case errors.Is(err, errPageLost):
			return err
		case len(batch) == 0:
			return nil
		case errors.Is(err, ErrSessionClosed):
			return fmt.Errorf("upload: %w", err)
		case len(batch) > 1 && (refused(err) || attempt == attempts && isPartial(err)):
			// One bad page may keep the others out: send each on its own.
			for i := range batch {
				if err := s.send(ctx, batch[i:i+1]); err != nil {
					return err
				}
			}
			return nil
		case attempt < attempts && temporary(ctx, err):
			if err = pause(ctx, attempt, err); err == nil {
				continue
			}
		}
		failed := &PageError{Err: err}
		for _, p := range batch {
			failed.Pages = append(failed.Pages, p.name)
		}
		return failed
	}
}

// try sends pictures once.
func (s *Session) try(ctx context.Context, batch []picture, contents map[string][]byte) error {
	if s.unsure {
		if _, err := s.reconcile(ctx); err != nil {
			return err
		}
		batch = s.missing(batch)
	}
	if len(batch) == 0 {
		return nil
	}
	request := make(api.Pages, len(batch))
	for i, p := range batch {
		request[i] = api.File{Name: p.name, Content: bytes.NewReader(contents[p.name])}
		s.sent[p.name] = p.size
	}
	answer, err := s.client.UploadPages(ctx, s.id, request)
	switch {
	case errors.Is(err, api.ErrNotFound):
		return s.lost()
	case err != nil:
		if !turnedDown(err) {
			s.unsure, s.copies = true, true
		}
		return err
	}
	for _, file := range answer.Data {
		name := file.Attributes.OriginalFileName
		if _, ok := contents[name]; ok && s.index(name) < 0 {
			s.pages = append(s.pages, Page{name, file.ID, s.sent[name]})
		}
	}
	if len(s.missing(batch)) > 0 {
		return &partialError{answer.Errors}
	}
	return nil
}

// errPageLost says that a page is gone that the server had.
var errPageLost = errors.New("the server has lost it; add it again")

// reconcile lists the files of the session after an answer was lost. Pages that came in all the same
// are added to the session. Other files that it does not know are copies of pages that were sent
// twice, which it returns.
func (s *Session) reconcile(ctx context.Context) (copies []uuid.UUID, err error) {
	files, err := s.files(ctx)
	if err != nil {
		return nil, err
	}
	there := make(map[uuid.UUID]bool, len(files))
	for _, file := range files {
		there[file.ID] = true
	}
	known := map[uuid.UUID]bool{}
	gone := &PageError{Err: errPageLost}
	s.pages = slices.DeleteFunc(s.pages, func(p Page) bool {
		known[p.ID] = true
		if !there[p.ID] && !s.removed[p.ID] {
			gone.Pages = append(gone.Pages, p.Name)
		}
		return !there[p.ID]
	})
	for _, file := range files {
		if known[file.ID] {
			continue
		}
		var name string
		if file.Attributes != nil {
			name = file.Attributes.OriginalFileName
		}
		if size, ok := s.sent[name]; ok && s.index(name) < 0 {
			s.pages = append(s.pages, Page{name, file.ID, size})
		} else {
			copies = append(copies, file.ID)
		}
	}
	s.unsure = false
	if len(gone.Pages) > 0 {
		return copies, gone
	}
	return copies, nil
}

// Remove takes pages out of the session, by their names, in one request
// (DELETE /upload/{uploadSessionId}/batch).
func (s *Session) Remove(ctx context.Context, names ...string) error {
	if err := s.usable(); err != nil {
		return err
	}
	var ids []uuid.UUID
	for _, name := range names {
		i := s.index(name)
		if i < 0 {
			return pageErrorf(name, "the session has no page of that name; see Pages for their names")
		}
		ids = append(ids, s.pages[i].ID)
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
	for _, page := range s.pages {
		if slices.Contains(ids, page.ID) {
			s.removed[page.ID] = true
			delete(s.sent, page.Name) // a copy of it that comes in late is not the page
		}
	}
	var err error
	switch len(ids) {
	case 0:
		return nil
	case 1:
		err = s.client.DeleteUploadedPage(ctx, s.id, ids[0])
	default:
		err = s.client.DeleteUploadedPages(ctx, s.id, ids)
	}
	if err == nil {
		s.pages = slices.DeleteFunc(s.pages, func(p Page) bool { return slices.Contains(ids, p.ID) })
		return nil
	}
	var answer *api.Error
	if errors.As(err, &answer) && turnedDown(err) && !errors.Is(err, api.ErrNotFound) {
		return fmt.Errorf("the server did not remove it: %w", err)
	}
	// Perhaps they are gone, and only the answer is lost: the client repeats a DELETE, and the error
	// is that of the repetition.
	s.unsure = true
	copies, listErr := s.reconcile(ctx)
	if errors.Is(listErr, ErrSessionClosed) || errors.Is(listErr, errPageLost) {
		return listErr
	}
	there := func(id uuid.UUID) bool {
		return slices.Contains(copies, id) || slices.ContainsFunc(s.pages, func(p Page) bool { return p.ID == id })
	}
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
	ordered := make([]Page, 0, len(s.pages))
	rest := slices.Clone(s.pages)
	for _, name := range names {
		i := slices.IndexFunc(rest, func(p Page) bool { return p.Name == name })
		switch {
		case i >= 0:
			ordered = append(ordered, rest[i])
			rest = slices.Delete(rest, i, i+1)
		case s.index(name) >= 0:
			return pageErrorf(name, "the order names it twice; name every page once")
		default:
			return pageErrorf(name, "the session has no page of that name; see Pages for their names")
		}
	}
	if len(rest) > 0 {
		return pageErrorf(rest[0].Name, "the order leaves it out; name every page once, or Remove it")
	}
	s.pages = ordered
	return nil
}
