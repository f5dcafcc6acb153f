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

// closeTimeout bounds what Close may take.
const closeTimeout = 10 * time.Second

// A Session is an open upload session. [Begin], [Edit] and [OpenError] give one. It is used by one
// goroutine at a time.
//
// Close it when done: what has not been committed is abandoned. To leave it for another program to
// resume, do not close it; nothing else is held.
type Session struct {
	client *api.Client
	settings
	id      uuid.UUID
	pages   []Page             // in reading order
	sent    map[string]int64   // size of every page that was sent, by name
	removed map[uuid.UUID]bool // pages that are to be gone, though perhaps they are not
	unsure  bool               // an answer was lost, and the files have not been listed since
	copies  bool               // an answer was lost, and a page may have come in after it was sent again
	closed  bool
}

// A Page is a page in a session.
type Page struct {
	// Name is the name of the file. Where the server has no name, or another page has the same, it is
	// the ID.
	Name string
	ID   uuid.UUID
	Size int64 // bytes; zero if the server does not say
}

// An Option changes how [Begin] and [Edit] work.
type Option func(*settings)

type settings struct {
	progress func(Progress)
	language *string // whose approval to check
}

// Progress is how far a run of AddPages has come.
type Progress struct {
	Pages      int // that are in the session, those from before included
	TotalPages int
	Bytes      int64 // of those pages
	TotalBytes int64
}

// WithProgress has report called when AddPages begins to send and after each request. It is called in
// the goroutine of AddPages, which waits for it.
func WithProgress(report func(Progress)) Option {
	return func(s *settings) { s.progress = report }
}

// WithApprovalCheck has [Begin] ask first whether a chapter of the account in that language would wait
// for the approval of the staff. If so, Begin fails with [ErrApprovalRequired] and opens nothing.
func WithApprovalCheck(language string) Option {
	return func(s *settings) { s.language = &language }
}

// Begin opens a session (POST /upload/begin) for a new chapter of a title, by up to [api.MaxGroups]
// groups; by none, it is a chapter without a group. It returns an [OpenError] if the account has an
// open session.
func Begin(ctx context.Context, client *api.Client, manga uuid.UUID, groups []uuid.UUID, options ...Option) (*Session, error) {
	s := newSession(client, options)
	switch {
	case client == nil:
		return nil, errNoClient
	case manga == uuid.Nil:
		return nil, errors.New("upload: the id of the title is empty; give that of the title the chapter belongs to")
	case len(groups) > api.MaxGroups:
		return nil, fmt.Errorf("upload: %d groups; a chapter has at most %d: leave some out", len(groups), api.MaxGroups)
	case slices.Contains(groups, uuid.Nil):
		return nil, errors.New("upload: the id of a group is empty; leave it out")
	case s.language != nil && *s.language == "":
		return nil, errors.New("upload: WithApprovalCheck has no language; give it a code such as en or pt-br")
	}
	if s.language != nil {
		answer, err := client.CheckUploadApproval(ctx, api.UploadApprovalCheck{Manga: manga, Locale: *s.language})
		if err != nil {
			return nil, fmt.Errorf("upload: whether approval is required cannot be asked: %w", err)
		}
		if answer.RequiresApproval {
			return nil, fmt.Errorf("upload: %w for title %v in language %s; leave out WithApprovalCheck to upload it all the same", ErrApprovalRequired, manga, *s.language)
		}
	}
	begin := func(ctx context.Context) (*Session, error) {
		answer, err := client.BeginUpload(ctx, nil, api.UploadSessionCreate{Manga: manga, Groups: groups})
		if err != nil {
			return nil, fmt.Errorf("upload: the session cannot be begun: %w", err)
		}
		s.id = answer.Data.ID
		return s, nil
	}
	return s.open(ctx, begin, func(open api.Relationships) error {
		if chapter, ok := open.Chapter(); ok {
			return fmt.Errorf("upload: the open session edits the chapter %v and is not for a new one; Replace it", chapter.ID)
		}
		if slices.ContainsFunc(open.Files(), published) {
			return errors.New("upload: the open session edits a published chapter and is not for a new one; Replace it")
		}
		if title, ok := open.Manga(); ok && title.ID != manga {
			return fmt.Errorf("upload: the open session is for the title %v, not for %v; Replace it", title.ID, manga)
		}
		return nil
	})
}

// Edit opens a session that changes the pages of a chapter (POST /upload/begin/{chapterId}). Version
// is the one that the chapter had when it was read; if it has another one by now, the error is an
// [api.ConflictError]. It returns an [OpenError] if the account has an open session.
//
// The session begins with the pages of the chapter, in the order in which the server lists them.
// Look at Pages before Commit, which makes the pages of the session those of the chapter.
func Edit(ctx context.Context, client *api.Client, chapter uuid.UUID, version int, options ...Option) (*Session, error) {
	s := newSession(client, options)
	switch {
	case client == nil:
		return nil, errNoClient
	case chapter == uuid.Nil:
		return nil, errors.New("upload: the id of the chapter is empty; give that of the chapter to edit")
	case version < 1:
		return nil, fmt.Errorf("upload: %d is not the version of a chapter; read the chapter and give its Version", version)
	case s.language != nil:
		return nil, errors.New("upload: WithApprovalCheck is for new chapters; leave it out of Edit")
	}
	begin := func(ctx context.Context) (*Session, error) {
		answer, err := client.BeginChapterEdit(ctx, chapter, nil, api.UploadSessionEdit{Version: version})
		if err != nil {
			return nil, fmt.Errorf("upload: the session cannot be begun: %w", s.conflict(ctx, chapter, version, err))
		}
		s.id = answer.Data.ID
		files, err := s.files(ctx)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("upload: %w", err), s.Close())
		}
		s.pages = pagesOf(files)
		return s, nil
	}
	return s.open(ctx, begin, func(open api.Relationships) error {
		if other, ok := open.Chapter(); ok && other.ID != chapter {
			return fmt.Errorf("upload: the open session edits the chapter %v, not %v; Replace it", other.ID, chapter)
		}
		return nil
	})
}

var errNoClient = errors.New("upload: the client is nil; make one with api.New")

func newSession(client *api.Client, options []Option) *Session {
	s := &Session{client: client, sent: map[string]int64{}, removed: map[uuid.UUID]bool{}}
	for _, option := range options {
		if option != nil {
			option(&s.settings)
		}
	}
	return s
}

// open begins a session unless there is one. Check says what is wrong with one that is open.
func (s *Session) open(ctx context.Context, begin func(context.Context) (*Session, error), check func(api.Relationships) error) (*Session, error) {
	answer, err := s.client.GetUploadSession(ctx, withFiles)
	switch {
	case errors.Is(err, api.ErrNotFound) || err == nil && over(&answer.Data):
		return begin(ctx)
	case err != nil:
		return nil, fmt.Errorf("upload: whether a session is open cannot be asked: %w", err)
	}
	open := *s
	open.id, open.pages = answer.Data.ID, pagesOf(withoutCopies(answer.Data.Relationships.Files()))
	open.copies = true // the last request of the other program may still be on its way
	found := &OpenError{
		ID:      open.id,
		Begun:   answer.Data.Attributes.CreatedAt,
		Pages:   slices.Clone(open.pages),
		session: &open,
		wrong:   check(answer.Data.Relationships),
		begin:   begin,
	}
	if title, ok := answer.Data.Relationships.Manga(); ok {
		found.Manga = title.ID
	}
	return nil, found
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

var withFiles = &api.GetUploadSessionParams{Includes: []api.UploadSessionInclude{api.UploadSessionIncludeUploadSessionFile}}

// over reports whether a session has come to its end.
func over(s *api.UploadSession) bool { return s.Attributes.IsCommitted || s.Attributes.IsDeleted }

// A file is one of the files of a session, as the server lists them.
type file = api.Ref[api.UploadSessionFileAttributes]

// published reports whether a file was in a chapter before the session.
func published(f file) bool {
	return f.Attributes != nil && f.Attributes.Source == api.FileSourceRemote
}

// withoutCopies leaves out files that were sent again although they had come in.
func withoutCopies(files []file) []file {
	type content struct {
		name, hash string
		size       int64
	}
	seen := map[content]bool{}
	return slices.DeleteFunc(files, func(f file) bool {
		if f.Attributes == nil || f.Attributes.OriginalFileName == "" {
			return false
		}
		c := content{f.Attributes.OriginalFileName, f.Attributes.FileHash, f.Attributes.FileSize}
		again := seen[c]
		seen[c] = true
		return again
	})
}

// pagesOf makes pages of the files of a session, with names that differ.
func pagesOf(files []file) []Page {
	var pages []Page
	names := map[string]bool{"": true}
	for _, file := range files {
		page := Page{Name: file.ID.String(), ID: file.ID}
		if a := file.Attributes; a != nil {
			page.Size = a.FileSize
			if !names[a.OriginalFileName] {
				page.Name = a.OriginalFileName
			}
		}
		names[page.Name] = true
		pages = append(pages, page)
	}
	return pages
}

// ID returns the id that the server gave the session.
func (s *Session) ID() uuid.UUID { return s.id }

// Pages returns the pages that the session has, in reading order.
func (s *Session) Pages() []Page { return slices.Clone(s.pages) }

// Close abandons the session (DELETE /upload/{uploadSessionId}) unless it has been committed. It
// takes ten seconds at most and needs no context, so that it works after an interruption, too.
// Closing again does nothing.
func (s *Session) Close() error {
	if s.closed || s.client == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if err := s.client.AbandonUpload(ctx, s.id); err != nil && !errors.Is(err, api.ErrNotFound) {
		return fmt.Errorf("upload: the session %v stays open, and the next Begin will offer it: %w", s.id, err)
	}
	s.closed = true
	return nil
}

// usable returns an error if the session has come to its end, or was never begun.
func (s *Session) usable() error {
	if s.closed || s.client == nil {
		return fmt.Errorf("upload: %w: %v; begin another one", ErrSessionClosed, s.id)
	}
	return nil
}

// lost notes that the server does not know the session any more.
func (s *Session) lost() error {
	s.closed = true
	return fmt.Errorf("%w: %v was committed, abandoned or replaced elsewhere; begin another one", ErrSessionClosed, s.id)
}

// files asks the server for the files of the session.
func (s *Session) files(ctx context.Context) ([]file, error) {
	answer, err := s.client.GetUploadSession(ctx, withFiles)
	switch {
	case errors.Is(err, api.ErrNotFound), err == nil && (answer.Data.ID != s.id || over(&answer.Data)):
		return nil, s.lost()
	case err != nil:
		return nil, fmt.Errorf("the pages of the session cannot be listed: %w", err)
	}
	return answer.Data.Relationships.Files(), nil
}
