package upload

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
)

// Published lists the chapters of the account that are like the one of a draft: of the same title, with
// the same number, in the same language and by the same groups, the newest first. A program calls it
// before an upload, so as not to upload a chapter again. The server holds a new chapter back from its
// lists until its pictures are processed and, where that is required, the staff has approved it.
func Published(ctx context.Context, client *api.Client, manga uuid.UUID, groups []uuid.UUID, draft api.ChapterDraft) ([]api.Chapter, error) {
	if client == nil {
		return nil, errNoClient
	}
	var found []api.Chapter
	account, err := uploader(ctx, client)
	if err == nil {
		found, err = list(ctx, client, account, manga, draft)
	}
	if err != nil {
		return nil, fmt.Errorf("upload: chapters of the account cannot be listed: %w", err)
	}
	return slices.DeleteFunc(found, func(c api.Chapter) bool { return !like(&c, groups, draft) }), nil
}

// uploader asks for the account.
func uploader(ctx context.Context, client *api.Client) (uuid.UUID, error) {
	answer, err := client.GetCurrentUser(ctx)
	switch {
	case err != nil:
		return uuid.Nil, err
	case answer.Data.ID == uuid.Nil:
		return uuid.Nil, errors.New("the answer has no account in it")
	}
	return answer.Data.ID, nil
}

// list asks for the newest chapters of an account that may be that of a draft.
func list(ctx context.Context, client *api.Client, account, manga uuid.UUID, draft api.ChapterDraft) ([]api.Chapter, error) {
	limit, unavailable := 100, api.Yes
	// Each of the filters lifts the rule that chapters of the future are left out. This one leaves out
	// only what cannot be the chapter.
	external := api.No
	if textOf(draft.ExternalURL) != "" {
		external = api.Yes
	}
	params := &api.ListChaptersParams{
		Limit: &limit, Manga: &manga, Uploader: []uuid.UUID{account}, TranslatedLanguage: []string{draft.TranslatedLanguage},
		ContentRating:      []api.ContentRating{api.ContentRatingSafe, api.ContentRatingSuggestive, api.ContentRatingErotica, api.ContentRatingPornographic},
		IncludeExternalURL: &external, IncludeUnavailable: &unavailable, Order: api.ChapterOrder{}.CreatedAt(api.Desc),
	}
	if number := textOf(draft.Chapter); number != "" {
		params.Chapter = []string{number}
	}
	answer, err := client.ListChapters(ctx, params)
	if err != nil {
		return nil, err
	}
	return answer.Data, nil
}

// like reports whether a chapter is by the groups and has the number and the language of a draft.
func like(chapter *api.Chapter, groups []uuid.UUID, draft api.ChapterDraft) bool {
	by := map[uuid.UUID]bool{}
	for _, group := range chapter.Relationships.Groups() {
		by[group.ID] = true
	}
	if len(by) != len(groups) || slices.ContainsFunc(groups, func(id uuid.UUID) bool { return !by[id] }) {
		return false
	}
	a := &chapter.Attributes
	return a.TranslatedLanguage == draft.TranslatedLanguage && valueOf(a.Chapter) == textOf(draft.Chapter)
}

func textOf[T ~string](v api.Nullable[T]) string {
	text, _ := v.Get()
	return string(text)
}

func valueOf(v *string) string {
	if v == nil {
		return ""
	}
	return *v
}

// Find looks for the chapter of an upload whose commit got no clear answer: among the newest chapters
// of the account, by its id where that is known, and in the session that it was made in. It returns the
// chapter. If the session is unchanged long after the commit was sent, the error is [ErrNotPublished].
// If neither is known when the patience ends ([WithPatience]), the error is [ErrOutcomeUnknown]: the
// chapter may still be held back, so look again later.
func Find(ctx context.Context, client *api.Client, record Record, options ...Option) (*api.Chapter, error) {
	settings, err := settingsOf("Find", options)
	switch {
	case client == nil:
		return nil, errNoClient
	case err != nil:
		return nil, err
	case record.Session == uuid.Nil || record.Sent.IsZero():
		return nil, fmt.Errorf("upload: the record is not of an upload that was committed; give one that is InDoubt: %w", ErrNotPublished)
	}
	return find(ctx, client, record, settings.patience)
}

// A sighting is what one look at the server has shown.
type sighting struct {
	chapter *api.Chapter // of the upload; nil: not there
	open    bool         // the session is there as it was
	err     error        // what could not be seen
}

// A conclusion is what sightings mean.
type conclusion uint8

const (
	lookAgain conclusion = iota
	isPublished
	notPublished
	notKnown
)

// conclude says what a sighting means, so long after the commit was sent, and so long after the first
// look. A server that is slow still has the session as it was, so that it means nothing too early.
func (s sighting) conclude(sent, looked, patience time.Duration) conclusion {
	const share = 4 // of the patience: a chapter is held back from lists for longer than one can wait
	switch {
	case s.chapter != nil:
		return isPublished
	case s.open && s.err == nil && sent >= patience:
		return notPublished
	case (s.open || s.err != nil) && sent < patience, looked < patience/share:
		return lookAgain
	}
	return notKnown
}

// find looks until it is known what came of a commit, or until the patience ends.
func find(ctx context.Context, client *api.Client, r Record, patience time.Duration) (*api.Chapter, error) {
	const shortest, longest = 120, 12 // parts of the patience between two looks
	wait := patience / shortest
	for start := time.Now(); ; wait = min(2*wait, patience/longest) {
		seen := look(ctx, client, &r)
		looked := time.Since(start)
		sent := max(time.Since(r.Sent), looked) // a clock may have been ahead when it was sent
		switch seen.conclude(sent, looked, patience) {
		case isPublished:
			return seen.chapter, nil
		case notPublished:
			return nil, fmt.Errorf("upload: %w: the session %v is open, with its pages", ErrNotPublished, r.Session)
		case lookAgain:
			if sleep(ctx, wait) == nil {
				continue
			}
		}
		return nil, unknown(&r, seen, context.Cause(ctx))
	}
}

// unknown is the error of an upload of which it is not known whether it was published.
func unknown(r *Record, seen sighting, cause error) error {
	why := "the session is over, as after a commit, but the chapter is not in the lists, from which it is held back until it is processed and perhaps approved"
	switch {
	case cause != nil || seen.err != nil:
		// The text alone: what came in the way now is not what came of the upload.
		why = fmt.Sprintf("it cannot be looked for (%v)", cmp.Or(cause, seen.err))
	case seen.open:
		why = "the server may still be at it"
	}
	return fmt.Errorf("upload: %w: %s; look at %s, or Find it later, before uploading it again", ErrOutcomeUnknown, why, r.place())
}

// place says where the chapter is, or would be.
func (r *Record) place() string {
	if r.Version > 0 {
		return fmt.Sprintf("https://mangadex.org/chapter/%v, whose pages were edited", r.Chapter)
	}
	what := "a oneshot"
	if number := textOf(r.Draft.Chapter); number != "" {
		what = "chapter " + number
	}
	return fmt.Sprintf("https://mangadex.org/title/%v for %s in language %s", r.Manga, what, r.Draft.TranslatedLanguage)
}

// look asks once for all that can tell what came of a commit.
func look(ctx context.Context, client *api.Client, r *Record) sighting {
	session, err := current(ctx, client)
	seen := sighting{err: err, open: err == nil && session != nil && session.ID == r.Session && holds(session, r.Pages)}
	if r.Chapter != uuid.Nil {
		answer, err := client.GetChapter(ctx, r.Chapter, nil)
		switch {
		case err == nil && made(&answer.Data, r, seen):
			seen.chapter = &answer.Data
			return seen
		case err != nil && !errors.Is(err, api.ErrNotFound):
			seen.err = err
		}
	}
	if r.Version > 0 { // an edit, which makes no other chapter
		return seen
	}
	if r.Uploader == uuid.Nil {
		if r.Uploader, err = uploader(ctx, client); err != nil {
			seen.err = err
			return seen
		}
	}
	chapters, err := list(ctx, client, r.Uploader, r.Manga, r.Draft)
	if err != nil {
		seen.err = err
	}
	for _, chapter := range chapters {
		if like(&chapter, r.Groups, r.Draft) && made(&chapter, r, seen) {
			seen.chapter = &chapter
		}
	}
	return seen
}

// holds reports whether a session has all of the pages.
func holds(session *api.UploadSession, pages []Page) bool {
	there := map[uuid.UUID]bool{}
	for _, f := range session.Relationships.Files() {
		there[f.ID] = true
	}
	return !slices.ContainsFunc(pages, func(p Page) bool { return !there[p.ID] })
}

// made reports whether a chapter is what the commit made.
func made(chapter *api.Chapter, r *Record, seen sighting) bool {
	a := &chapter.Attributes
	if r.Version > 0 {
		return a.Version > r.Version && !seen.open && seen.err == nil
	}
	return !a.CreatedAt.Before(r.Begun.Truncate(time.Second)) && valueOf(a.Volume) == textOf(r.Draft.Volume) && !slices.Contains(r.Others, chapter.ID)
}
