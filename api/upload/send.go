package upload

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/mangadex-go/mangadex/api"
)

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
	if s.ledger.unsure {
		if _, err := s.reconcile(ctx); err != nil {
			return err
		}
		batch = s.missing(batch)
	}
	if len(batch) == 0 {
		return nil
	}
	request, pages := make(api.Pages, len(batch)), make([]Page, len(batch))
	for i, p := range batch {
		request[i] = api.File{Name: p.name, Content: bytes.NewReader(contents[p.name])}
		pages[i] = p.page()
	}
	s.ledger = s.ledger.sending(pages)
	answer, err := s.client.UploadPages(ctx, s.id, request)
	switch {
	case errors.Is(err, api.ErrNotFound):
		return s.lost()
	case err != nil:
		if !api.MayBeDone(err) {
			s.ledger = s.ledger.turnedDown(pages)
		}
		return err
	}
	s.ledger = s.ledger.taken(pages, answer.Data)
	if s.ledger.unsure {
		return &partialError{answer.Errors}
	}
	return nil
}
