package upload

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/internal/given"
)

// closeTimeout bounds what Close may take.
const closeTimeout = 10 * time.Second

// A Session is an open upload session. [Begin], [Edit], [Resume] and [OpenError] give one. Only one
// goroutine at a time may use it.
//
// Close it when done: what has not been committed is abandoned. To leave it for another program to
// resume, do not close it; it holds no other resources.
type Session struct {
	client *api.Client
	settings
	record Record // Pages and Session are set when it is given away
	id     uuid.UUID
	ledger ledger
}

// An Option changes how [Begin], [Edit], [Resume] and [Find] work. An option that is not for all of
// them says so; the others refuse it.
type Option func(*settings) error

type settings struct {
	maker    string // whose options they are, such as Begin
	progress func(Progress)
	language *string // whose approval to check
	keep     func(Record) error
	earlier  []Record
	patience time.Duration
}

// Progress is how far a run of AddPages has come.
type Progress struct {
	Pages      int // that are in the session, those from before included
	TotalPages int
	Bytes      int64 // of those pages
	TotalBytes int64
}

// WithProgress calls report when AddPages begins to send and after each request. AddPages calls it
// directly, and waits for it. Not for [Find].
func WithProgress(report func(Progress)) Option {
	return func(s *settings) error {
		s.progress = report
		return s.isFor("WithProgress", s.maker != "Find")
	}
}

// WithApprovalCheck makes Begin ask first whether a chapter of the account in that language would need
// the approval of the staff. If so, Begin fails with [ErrApprovalRequired] and opens nothing. For
// [Begin].
func WithApprovalCheck(language string) Option {
	return func(s *settings) error {
		s.language = &language
		return s.isFor("WithApprovalCheck", s.maker == "Begin")
	}
}

// WithPatience sets how long the server may take to carry out a commit whose answer was lost, two
// minutes by default. After that time an unchanged session counts as not committed. A shorter time is
// for tests: if the server takes longer, the next commit makes a second chapter.
func WithPatience(d time.Duration) Option {
	return func(s *settings) error {
		if d <= 0 {
			return fmt.Errorf("upload: WithPatience(%v): give a time above zero", d)
		}
		s.patience = d
		return nil
	}
}

const defaultPatience = 2 * time.Minute

func settingsOf(maker string, options []Option) (settings, error) {
	s := settings{maker: maker, patience: defaultPatience}
	err := given.Options(&s, options)
	return s, err
}

// isFor refuses an option that the function has no use for.
func (s *settings) isFor(option string, useful bool) error {
	if !useful {
		return fmt.Errorf("upload: %s: %s has no use for it; leave it out", option, s.maker)
	}
	return nil
}

var errNoClient = errors.New("upload: the client is nil; make one with api.New")

func newSession(maker string, client *api.Client, record Record, options []Option) (*Session, error) {
	if client == nil {
		return nil, errNoClient
	}
	settings, err := settingsOf(maker, options)
	return &Session{client: client, settings: settings, record: record}, err
}

var withFiles = &api.GetUploadSessionParams{Includes: []api.Include{api.IncludeUploadSessionFile}}

// ended reports whether a session has come to its end.
func ended(s *api.UploadSession) bool { return s.Attributes.IsCommitted || s.Attributes.IsDeleted }

// current asks for the open session of the account; nil if there is none.
func current(ctx context.Context, client *api.Client) (*api.UploadSession, error) {
	answer, err := client.GetUploadSession(ctx, withFiles)
	switch {
	case errors.Is(err, api.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	case answer.Data.ID == uuid.Nil:
		return nil, errors.New("the answer has no session in it")
	case ended(&answer.Data):
		return nil, nil
	}
	return &answer.Data, nil
}

// ID returns the id that the server gave the session.
func (s *Session) ID() uuid.UUID { return s.id }

// Pages returns the pages that the session has, in reading order.
func (s *Session) Pages() []Page { return slices.Clone(s.ledger.pages) }

// Close abandons the session (DELETE /upload/{uploadSessionId}) unless it has been committed, or may
// have been: as long as the outcome of a commit is unknown, Close leaves the session alone. It takes
// ten seconds at most and needs no context, so that it works after an interruption, too. Closing
// again does nothing.
func (s *Session) Close() error {
	if s.client == nil || s.ledger.phase != open {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if err := s.client.AbandonUpload(ctx, s.id); err != nil && !errors.Is(err, api.ErrNotFound) {
		return fmt.Errorf("upload: the session %v stays open, and the next Begin will offer it: %w", s.id, err)
	}
	s.ledger = s.ledger.in(over)
	return nil
}

// usable returns an error if pages of the session cannot be changed: it has come to its end, was
// never begun, or may have been committed.
func (s *Session) usable() error {
	switch {
	case s.client == nil || s.ledger.phase == over:
		return fmt.Errorf("upload: %w: %v; begin another one", ErrSessionClosed, s.id)
	case s.ledger.phase == committing:
		return fmt.Errorf("upload: %w: the session %v may have been committed; Commit again, which looks for the chapter first", ErrOutcomeUnknown, s.id)
	}
	return nil
}

// lost notes that the server does not know the session any more.
func (s *Session) lost() error {
	s.ledger = s.ledger.in(over)
	return fmt.Errorf("%w: %v was committed, abandoned or replaced elsewhere; begin another one", ErrSessionClosed, s.id)
}

// files asks the server for the files of the session.
func (s *Session) files(ctx context.Context) ([]file, error) {
	session, err := current(ctx, s.client)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the pages of the session cannot be listed: %w", err)
	case session == nil || session.ID != s.id:
		return nil, s.lost()
	}
	return session.Relationships.Files(), nil
}

// reconcile lists the files and corrects the ledger. It returns the files that are no pages.
func (s *Session) reconcile(ctx context.Context) (surplus []uuid.UUID, err error) {
	files, err := s.files(ctx)
	if err != nil {
		return nil, err
	}
	var d difference
	s.ledger, d = s.ledger.reconcile(files)
	return d.surplus, d.lostPages()
}

// isOver reports whether there is no use in going on with the session.
func isOver(err error) bool { return errors.Is(err, ErrSessionClosed) || errors.Is(err, errPageLost) }
