package upload

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/internal/answer"
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

func valueOrNull(v *string) api.Nullable[string] {
	if v == nil {
		return api.Null[string]()
	}
	return api.Value(*v)
}

// Commit publishes the chapter (POST /upload/{uploadSessionId}/commit): the pages of the session in
// their order, with what draft says. Other files of the session are removed first. After the commit the
// session is over.
//
// If the server refuses the commit, the session stays open and Commit may be called again with another
// draft. Where no clear answer arrives, Commit looks for the chapter as [Find] does. If it was not
// published, Commit sends it again, three times at most; if that cannot be told, the error is
// [ErrOutcomeUnknown]. Then it is safe to call Commit again: it looks for the chapter first.
func (s *Session) Commit(ctx context.Context, draft api.ChapterDraft, terms Terms) (*api.Chapter, error) {
	if s.client != nil && s.ledger.phase == committing {
		chapter, err := s.lookFor(ctx)
		if chapter != nil || !errors.Is(err, ErrNotPublished) {
			return chapter, err
		}
	}
	if err := s.usable(); err != nil {
		return nil, err
	}
	switch {
	case terms != TermsAccepted:
		return nil, fmt.Errorf("upload: %w; have the user read https://mangadex.org/compliance and pass upload.TermsAccepted", ErrTermsNotAccepted)
	case draft.TranslatedLanguage == "":
		return nil, errors.New("upload: the draft has no language; set TranslatedLanguage to a code such as en or pt-br")
	case len(s.ledger.pages) == 0 && textOf(draft.ExternalURL) == "":
		return nil, errors.New("upload: the session has no pages; add some, or set ExternalURL for a chapter on another site")
	}
	if err := s.settle(ctx); err != nil {
		return nil, err
	}
	s.record.Draft = draft
	s.others(ctx)
	return s.commit(ctx, draft)
}

// commits is how often a commit is sent that was not carried out.
const commits = 3

func (s *Session) commit(ctx context.Context, draft api.ChapterDraft) (*api.Chapter, error) {
	body := api.UploadSessionCommit{ChapterDraft: draft, TermsAccepted: true, PageOrder: make([]uuid.UUID, len(s.ledger.pages))}
	for i, page := range s.ledger.pages {
		body.PageOrder[i] = page.ID
	}
	for attempt, doubt := 1, false; ; attempt++ {
		s.record.Sent = time.Now()
		if err := s.kept(); err != nil {
			s.record.Sent = time.Time{}
			return nil, err
		}
		s.ledger = s.ledger.in(committing)
		answer, err := s.client.CommitUpload(ctx, s.id, body)
		if err == nil && answer.Data.ID != uuid.Nil {
			return s.published(&answer.Data)
		}
		refusal := err != nil && !api.MayBeDone(err)
		// The session was there a moment ago: a 404 can be of a commit that somebody has repeated below.
		if refusal && !doubt && !errors.Is(err, api.ErrNotFound) {
			s.reopened()
			if attempt < commits && temporary(ctx, err) && pause(ctx, attempt, err) == nil {
				continue
			}
			return nil, fmt.Errorf("upload: the session cannot be committed: %w", err)
		}
		if err == nil {
			err = errors.New("the answer has no chapter in it")
		}
		doubt = true
		s.record.Chapter = cmp.Or(s.record.Chapter, chapterIn(err))
		chapter, findErr := s.lookFor(ctx)
		switch {
		case chapter != nil:
			return chapter, nil
		case !errors.Is(findErr, ErrNotPublished):
			return nil, fmt.Errorf("%w (no clear answer to the commit arrived: %v)", findErr, err) //nolint:errorlint // what came of the attempt is not what is known now
		case refusal || attempt == commits:
			return nil, fmt.Errorf("%w, and was not committed: %w", findErr, err)
		}
	}
}

// lookFor finds out what came of the commit that had no clear answer.
func (s *Session) lookFor(ctx context.Context) (*api.Chapter, error) {
	chapter, err := find(ctx, s.client, s.Record(), s.patience)
	switch {
	case chapter != nil:
		return s.published(chapter)
	case errors.Is(err, ErrNotPublished):
		s.reopened()
	}
	return nil, err
}

// published ends the session. That the chapter is there is not kept back by what cannot be kept of it.
func (s *Session) published(chapter *api.Chapter) (*api.Chapter, error) {
	s.ledger = s.ledger.in(over)
	s.record.Published = chapter.ID
	_ = s.kept()
	return chapter, nil
}

// reopened notes that a commit was not carried out.
func (s *Session) reopened() {
	s.ledger = s.ledger.in(open)
	s.record.Sent = time.Time{}
	_ = s.kept() // a record that is in doubt for too long is careful, no more
}

// others notes what could be taken for the chapter that is to be, as far as that can be listed.
func (s *Session) others(ctx context.Context) {
	s.record.Others = nil
	if s.record.Version > 0 { // an edit, which makes no other chapter
		return
	}
	account, err := uploader(ctx, s.client)
	if err != nil {
		return
	}
	s.record.Uploader = account
	chapters, _ := list(ctx, s.client, account, s.record.Manga, s.record.Draft)
	for _, chapter := range chapters {
		s.record.Others = append(s.record.Others, chapter.ID)
	}
}

// chapterIn is the id of the chapter in what arrived of half an answer, zero if it is not there.
func chapterIn(err error) uuid.UUID {
	var e *api.Error
	if !errors.As(err, &e) || !answer.Whole(e.StatusCode) {
		return uuid.Nil
	}
	const member, length = `"data":{"id":"`, 36
	_, rest, _ := strings.Cut(string(e.Body), member)
	if len(rest) <= length { // it would be the end of what was cut off
		return uuid.Nil
	}
	id, _ := uuid.Parse(rest[:length])
	return id
}

// settle makes sure that the session holds its pages, and nothing else.
func (s *Session) settle(ctx context.Context) error {
	surplus, err := s.reconcile(ctx)
	switch {
	case errors.Is(err, errPageLost):
		return err
	case err != nil:
		return fmt.Errorf("upload: %w", err)
	}
	if err := s.remove(ctx, surplus); err != nil {
		return fmt.Errorf("upload: files that are no pages: %w", err)
	}
	return nil
}
