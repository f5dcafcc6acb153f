package upload

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/oapi-codegen/nullable"

	"github.com/mangadex-go/mangadex/api"
)

// Terms says whether the user accepts the terms of uploading to MangaDex, which are at
// https://mangadex.org/compliance. There is no default: to accept them is up to the user.
type Terms bool

// TermsAccepted says that the user has read and accepted the terms.
const TermsAccepted Terms = true

// DraftOf returns the draft that leaves a chapter as it is, for a session of [Edit] that changes its
// pages only.
func DraftOf(chapter *api.Chapter) api.ChapterDraft {
	a := &chapter.Attributes
	draft := api.ChapterDraft{
		Volume:             valueOrNull(a.Volume),
		Chapter:            valueOrNull(a.Chapter),
		Title:              valueOrNull(a.Title),
		TranslatedLanguage: a.TranslatedLanguage,
	}
	if a.ExternalURL != nil {
		draft.ExternalURL = api.Value(*a.ExternalURL)
	}
	if a.PublishAt.After(time.Now()) {
		draft.PublishAt = &api.DateTime{Time: a.PublishAt}
	}
	return draft
}

func valueOrNull(v *string) nullable.Nullable[string] {
	if v == nil {
		return api.Null[string]()
	}
	return api.Value(*v)
}

// Commit publishes the chapter (POST /upload/{uploadSessionId}/commit): the pages of the session in
// their order, with what draft says. The session is over then.
//
// If the server turns it down, the session stays open and Commit may be called again with another
// draft. If the answer is lost and the session is over, the error is [ErrOutcomeUnknown].
func (s *Session) Commit(ctx context.Context, draft api.ChapterDraft, terms Terms) (*api.Chapter, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	link, _ := draft.ExternalURL.Get()
	switch {
	case terms != TermsAccepted:
		return nil, fmt.Errorf("upload: %w; have the user read https://mangadex.org/compliance and pass upload.TermsAccepted", ErrTermsNotAccepted)
	case draft.TranslatedLanguage == "":
		return nil, errors.New("upload: the draft has no language; set TranslatedLanguage to a code such as en or pt-br")
	case len(s.pages) == 0 && link == "":
		return nil, errors.New("upload: the session has no pages; add some, or set ExternalURL for a chapter on another site")
	}
	if err := s.settle(ctx); err != nil {
		return nil, err
	}
	order := make([]uuid.UUID, len(s.pages))
	for i, page := range s.pages {
		order[i] = page.ID
	}
	body := api.UploadSessionCommit{ChapterDraft: draft, PageOrder: order, TermsAccepted: bool(terms)}
	for attempt := 1; ; attempt++ {
		answer, err := s.client.CommitUpload(ctx, s.id, body)
		switch {
		case err == nil:
			s.closed = true
			return &answer.Data, nil
		case !temporary(ctx, err) || attempt == attempts || pause(ctx, attempt, err) != nil:
			return nil, fmt.Errorf("upload: the session cannot be committed: %w", err)
		case turnedDown(err):
			continue
		}
		switch _, listErr := s.files(ctx); {
		case errors.Is(listErr, ErrSessionClosed):
			return nil, fmt.Errorf("upload: %w: the session is over, but no answer to the commit arrived (%w); look for the chapter before uploading it again", ErrOutcomeUnknown, err)
		case listErr != nil:
			return nil, fmt.Errorf("upload: %w: no answer to the commit arrived (%w), nor to whether the session is over; look for the chapter, then Commit again or Close", ErrOutcomeUnknown, err)
		}
	}
}

// settle makes sure that the server has the pages of the session and no second copy of any, if an
// answer of its was lost.
func (s *Session) settle(ctx context.Context) error {
	if !s.unsure && !s.copies {
		return nil
	}
	copies, err := s.reconcile(ctx)
	switch {
	case errors.Is(err, errPageLost):
		return err
	case err != nil:
		return fmt.Errorf("upload: %w", err)
	}
	if err := s.remove(ctx, copies); err != nil {
		return fmt.Errorf("upload: second copies of pages: %w", err)
	}
	s.copies = false
	return nil
}
