package upload

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
)

// Begin opens a session (POST /upload/begin) for a new chapter of a title, by up to [api.MaxGroups]
// groups; with none, the chapter has no group. It returns an [OpenError] if the account has an open
// session.
func Begin(ctx context.Context, client *api.Client, manga uuid.UUID, groups []uuid.UUID, options ...Option) (*Session, error) {
	s, err := newSession("Begin", client, Record{Manga: manga, Groups: slices.Clone(groups)}, options)
	if err == nil {
		err = s.forNewChapter()
	}
	if err != nil {
		return nil, err
	}
	if s.language != nil {
		answer, err := client.CheckUploadApproval(ctx, api.UploadApprovalCheck{Manga: manga, Locale: *s.language})
		if err != nil {
			return nil, fmt.Errorf("upload: cannot ask whether approval is required: %w", err)
		}
		if answer.RequiresApproval {
			return nil, fmt.Errorf("upload: %w for title %v in language %s; leave out WithApprovalCheck to upload it all the same", ErrApprovalRequired, manga, *s.language)
		}
	}
	return s.open(ctx, s.newChapter, fitsNewChapter(manga))
}

// Resume goes on with the open session of the account, which must be for a new chapter of the title. If
// there is none, it fails with [ErrNoSession] and begins none; if the open one is for something else,
// the error is an [OpenError]. The groups are those that the session was begun with.
func Resume(ctx context.Context, client *api.Client, manga uuid.UUID, groups []uuid.UUID, options ...Option) (*Session, error) {
	s, err := newSession("Resume", client, Record{Manga: manga, Groups: slices.Clone(groups)}, options)
	if err == nil {
		err = s.forNewChapter()
	}
	if err != nil {
		return nil, err
	}
	none := func(context.Context) (*Session, error) {
		return nil, fmt.Errorf("upload: %w to go on with; Begin one", ErrNoSession)
	}
	_, err = s.open(ctx, none, fitsNewChapter(manga))
	var found *OpenError
	if !errors.As(err, &found) {
		return nil, err
	}
	if found.wrong != nil {
		return nil, fmt.Errorf("%w (%w)", found.wrong, found)
	}
	return found.Resume()
}

// forNewChapter checks what was given.
func (s *Session) forNewChapter() error {
	groups := s.record.Groups
	switch {
	case s.record.Manga == uuid.Nil:
		return errors.New("upload: the id of the title is empty; give that of the title the chapter belongs to")
	case len(groups) > api.MaxGroups:
		return fmt.Errorf("upload: %d groups; a chapter has at most %d: leave some out", len(groups), api.MaxGroups)
	case slices.Contains(groups, uuid.Nil):
		return errors.New("upload: the id of a group is empty; leave it out")
	case s.language != nil && *s.language == "":
		return errors.New("upload: WithApprovalCheck has no language; give it a code such as en or pt-br")
	}
	return nil
}

// newChapter begins a session for a new chapter.
func (s *Session) newChapter(ctx context.Context) (*Session, error) {
	return s.begin(ctx, func() (*api.UploadSessionResponse, error) {
		return s.client.BeginUpload(ctx, nil, api.UploadSessionCreate{Manga: s.record.Manga, Groups: s.record.Groups})
	}, fitsNewChapter(s.record.Manga))
}

// fitsNewChapter says what is wrong with an open session for a new chapter of a title.
func fitsNewChapter(manga uuid.UUID) func(api.Relationships) error {
	return func(session api.Relationships) error {
		if chapter, ok := session.Chapter(); ok {
			return fmt.Errorf("upload: the open session edits the chapter %v and is not for a new one; Replace it", chapter.ID)
		}
		if slices.ContainsFunc(session.Files(), published) {
			return errors.New("upload: the open session edits a published chapter and is not for a new one; Replace it")
		}
		if title, ok := session.Manga(); ok && title.ID != manga {
			return fmt.Errorf("upload: the open session is for the title %v, not for %v; Replace it", title.ID, manga)
		}
		return nil
	}
}

// Edit opens a session that changes the pages of a chapter (POST /upload/begin/{chapterId}). Version
// is the one that the chapter had when it was read; if it has another one by now, the error is an
// [api.ConflictError]. It returns an [OpenError] if the account has an open session.
//
// The session begins with the pages of the chapter, in the order in which the server lists them.
// Look at Pages before Commit, which makes the pages of the session those of the chapter.
func Edit(ctx context.Context, client *api.Client, chapter uuid.UUID, version int, options ...Option) (*Session, error) {
	s, err := newSession("Edit", client, Record{Chapter: chapter, Version: version}, options)
	switch {
	case err != nil:
		return nil, err
	case chapter == uuid.Nil:
		return nil, errors.New("upload: the id of the chapter is empty; give that of the chapter to edit")
	case version < 1:
		return nil, fmt.Errorf("upload: %d is not the version of a chapter; read the chapter and give its Version", version)
	}
	fits := func(session api.Relationships) error {
		if other, ok := session.Chapter(); ok && other.ID != chapter {
			return fmt.Errorf("upload: the open session edits the chapter %v, not %v; Replace it", other.ID, chapter)
		}
		return nil
	}
	begin := func(ctx context.Context) (*Session, error) {
		begun, err := s.begin(ctx, func() (*api.UploadSessionResponse, error) {
			answer, err := client.BeginChapterEdit(ctx, chapter, nil, api.UploadSessionEdit{Version: version})
			return answer, s.conflict(ctx, chapter, version, err)
		}, fits)
		if err != nil {
			return nil, err
		}
		files, err := begun.files(ctx)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("upload: %w", err), begun.Close())
		}
		begun.ledger.pages = pagesOf(files)
		return begun, nil
	}
	return s.open(ctx, begin, fits)
}

// conflict adds the current version of a chapter to the error of a version conflict.
func (s *Session) conflict(ctx context.Context, chapter uuid.UUID, version int, err error) error {
	if !errors.Is(err, api.ErrConflict) {
		return err
	}
	conflict := &api.ConflictError{Sent: version, Err: err}
	if chapter, readErr := s.client.GetChapter(ctx, chapter, nil); readErr == nil {
		conflict.Current = chapter.Data.Attributes.Version
	}
	if conflict.Current == version {
		return err // such as a session that another program has begun meanwhile
	}
	return conflict
}

// open begins a session unless there is one. Fits says what is wrong with one that is open.
func (s *Session) open(ctx context.Context, begin func(context.Context) (*Session, error), fits func(api.Relationships) error) (*Session, error) {
	session, err := current(ctx, s.client)
	switch {
	case err != nil:
		return nil, fmt.Errorf("upload: cannot ask whether a session is open: %w", err)
	case session == nil:
		return begin(ctx)
	}
	adopted := s.adopt(session)
	found := &OpenError{
		ID:      adopted.id,
		Begun:   session.Attributes.CreatedAt,
		Pages:   adopted.Pages(),
		session: adopted,
		wrong:   fits(session.Relationships),
		begin:   begin,
	}
	if title, ok := session.Relationships.Manga(); ok {
		found.Manga = title.ID
	}
	return nil, found
}

// adopt returns the session as it is on the server. The last request of the program that began it may
// still be on its way.
func (s *Session) adopt(session *api.UploadSession) *Session {
	adopted := s.begun(session)
	adopted.ledger.pages = pagesOf(withoutCopies(session.Relationships.Files()))
	if groups := session.Relationships.Groups(); len(groups) > 0 {
		adopted.record.Groups = nil
		for _, group := range groups {
			adopted.record.Groups = append(adopted.record.Groups, group.ID)
		}
	}
	for _, earlier := range s.earlier {
		if earlier.Session != adopted.id {
			continue
		}
		adopted.record.Groups = earlier.Groups
		if earlier.InDoubt() {
			adopted.ledger.phase = committing
			adopted.record = earlier
		}
		for i, page := range adopted.ledger.pages {
			for _, sent := range earlier.Pages {
				if sent.ID == page.ID && sent.SHA256 != "" {
					adopted.ledger.pages[i].SHA256 = sent.SHA256
				}
			}
		}
	}
	return adopted
}

// begun returns the session with what the server says of it.
func (s *Session) begun(session *api.UploadSession) *Session {
	const skew = time.Minute // of our clock and the server's, where only ours is known
	begun := *s
	begun.id = session.ID
	begun.record.Begun = session.Attributes.CreatedAt
	if begun.record.Begun.IsZero() {
		begun.record.Begun = time.Now().Add(-skew).UTC()
	}
	return &begun
}

// begin has the server begin a session. If the answer is lost, it looks for the session: an account
// has one at most, so that asking again does no harm.
func (s *Session) begin(ctx context.Context, post func() (*api.UploadSessionResponse, error), fits func(api.Relationships) error) (*Session, error) {
	begun := func(session *api.UploadSession) (*Session, error) {
		begun := s.begun(session)
		if err := begun.kept(); err != nil {
			return nil, errors.Join(err, begun.Close())
		}
		return begun, nil
	}
	for attempt, doubt := 1, false; ; attempt++ {
		answer, err := post()
		if err == nil && answer.Data.ID != uuid.Nil {
			return begun(&answer.Data)
		}
		if err == nil {
			err = errors.New("the answer has no session in it")
			doubt = true
		}
		doubt = doubt || api.MayBeDone(err)
		if doubt {
			session, lookErr := current(ctx, s.client)
			if lookErr == nil && session != nil && fits(session.Relationships) == nil && !slices.ContainsFunc(session.Relationships.Files(), local) {
				return begun(session)
			}
		}
		if attempt == attempts || !doubt && !temporary(ctx, err) || pause(ctx, attempt, err) != nil {
			return nil, fmt.Errorf("upload: the session cannot be begun: %w", err)
		}
	}
}

// local reports whether a file came in during the session.
func local(f file) bool { return !published(f) }
