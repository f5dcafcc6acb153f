package upload

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
)

// A Record is what another run of a program has to know of an upload, if this one is interrupted. It
// can be kept as JSON. [WithRecord] gives it, [Find] and [WithEarlier] take it.
type Record struct {
	Session uuid.UUID
	Begun   time.Time // when the session began, by the clock of the server
	Manga   uuid.UUID
	Groups  []uuid.UUID
	Chapter uuid.UUID // the edited one, or the one that an incomplete answer to the commit named; zero if there is none
	Version int       // that the edited chapter had; zero for a new chapter
	Pages   []Page    // in the session, in reading order

	// All fields below are of the last commit. Sent is zero before it, and again if it was not carried
	// out. Uploader is the account, zero if it is not known. Others are its chapters that were like the
	// draft before the commit.
	Draft    api.ChapterDraft
	Uploader uuid.UUID
	Others   []uuid.UUID
	Sent     time.Time

	// Published is the chapter, as soon as it is known to be there.
	Published uuid.UUID
}

// InDoubt reports whether a commit was sent and its outcome is not known.
func (r *Record) InDoubt() bool { return !r.Sent.IsZero() && r.Published == uuid.Nil }

// WithRecord calls keep with what another run would have to know: when the session has begun, when
// pages have come in, before a commit is sent, and when its outcome is known. If keep returns an error,
// the next step does not happen; no commit is sent that was not kept. Not for [Find].
func WithRecord(keep func(Record) error) Option {
	return func(s *settings) error {
		s.keep = keep
		return s.isFor("WithRecord", s.maker != "Find")
	}
}

// WithEarlier gives the records of earlier runs. If the session of one is still open, its pages are
// compared by what was sent. If it may have been committed, the session allows nothing but
// [Session.Commit], which looks for the chapter first. Not for [Find].
func WithEarlier(earlier ...Record) Option {
	return func(s *settings) error {
		s.earlier = append(s.earlier, earlier...)
		return s.isFor("WithEarlier", s.maker != "Find")
	}
}

// Record returns what another run has to know at this time.
func (s *Session) Record() Record {
	r := s.record
	r.Session = s.id
	r.Pages = slices.Clone(s.ledger.pages)
	return r
}

// kept gives the record away.
func (s *Session) kept() error {
	if s.keep == nil {
		return nil
	}
	if err := s.keep(s.Record()); err != nil {
		return fmt.Errorf("upload: the record for a later run was not kept: %w", err)
	}
	return nil
}
