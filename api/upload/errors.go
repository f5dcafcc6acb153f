package upload

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/internal/answer"
)

// What can come in the way of an upload, for [errors.Is].
var (
	// ErrSessionOpen says that the account has an open session; see [OpenError].
	ErrSessionOpen = errors.New("an upload session is open")

	// ErrSessionClosed says that the session has been committed, closed, or ended elsewhere.
	ErrSessionClosed = errors.New("the upload session is closed")

	// ErrApprovalRequired says that the chapter would wait for the approval of the staff. See
	// [WithApprovalCheck].
	ErrApprovalRequired = errors.New("approval is required")

	// ErrTermsNotAccepted says that Commit was called without [TermsAccepted].
	ErrTermsNotAccepted = errors.New("the terms are not accepted")

	// ErrNoSession says that the account has no open session to go on with.
	ErrNoSession = errors.New("there is no open upload session")

	// ErrAnotherPage says that the session has a page of the same name with other content.
	ErrAnotherPage = errors.New("the session has another page of that name")

	// ErrOutcomeUnknown says that no clear answer of the server arrived, and that the chapter or cover
	// may have been published. Look for it before uploading it again, by [Find] or by hand.
	ErrOutcomeUnknown = errors.New("the outcome is unknown")

	// ErrNotPublished says that the answer to a commit was lost, but that the chapter was not published
	// and the session is still open.
	ErrNotPublished = errors.New("the chapter was not published")
)

// An OpenError says that the account has an open session. Its methods go on with it or replace it.
// It is [ErrSessionOpen].
type OpenError struct {
	ID    uuid.UUID
	Manga uuid.UUID // title that the session is for; zero if the server does not say
	Begun time.Time
	Pages []Page // those that it has

	session *Session // to go on with
	wrong   error    // why it is not what was asked for, nil if it is
	begin   func(ctx context.Context) (*Session, error)
}

// Error returns one line with the id and the number of pages.
func (e *OpenError) Error() string {
	return fmt.Sprintf("upload: the account has an open session (%v, begun %s, pages: %d); Resume or Replace it",
		e.ID, e.Begun.UTC().Format(time.DateTime), len(e.Pages))
}

// Is reports whether target is [ErrSessionOpen].
func (e *OpenError) Is(target error) bool { return target == ErrSessionOpen }

// Resume returns the open session. It fails if the session is known to be for something else than what
// was asked for. The server does not tell everything, so where it matters, compare ID with the
// [Session.ID] of the program that was interrupted. The groups are those that the session was begun
// with.
func (e *OpenError) Resume() (*Session, error) {
	switch {
	case e.session == nil:
		return nil, errNotOurs
	case e.wrong != nil:
		return nil, e.wrong
	}
	return e.session, nil
}

// Replace abandons the open session, whose pages are lost, and begins the one that was asked for.
func (e *OpenError) Replace(ctx context.Context) (*Session, error) {
	switch {
	case e.session == nil:
		return nil, errNotOurs
	case e.session.ledger.phase == committing:
		return nil, e.session.usable()
	}
	if err := e.session.client.AbandonUpload(ctx, e.ID); err != nil && !errors.Is(err, api.ErrNotFound) {
		return nil, fmt.Errorf("upload: the open session %v cannot be abandoned: %w", e.ID, err)
	}
	return e.begin(ctx)
}

// errNotOurs is for an OpenError that somebody else has made.
var errNotOurs = errors.New("upload: this OpenError has no session to go on with; use the one that Begin or Edit returns")

// A PageError says what is wrong with a page, or with several that were sent together.
type PageError struct {
	Pages []string // names
	Err   error
}

// Error names the pages.
func (e *PageError) Error() string {
	quoted := make([]string, len(e.Pages))
	for i, name := range e.Pages {
		quoted[i] = strconv.Quote(name)
	}
	noun := "page"
	if len(e.Pages) > 1 {
		noun = "pages"
	}
	return fmt.Sprintf("upload: %s %s: %v", noun, strings.Join(quoted, ", "), e.Err)
}

// Unwrap returns the cause.
func (e *PageError) Unwrap() error { return e.Err }

// pageErrorf makes the error of one page.
func pageErrorf(page, format string, args ...any) error {
	return &PageError{[]string{page}, fmt.Errorf(format, args...)}
}

// partialError is an answer that lacks pages of the request.
type partialError struct{ reasons []api.ErrorDetail }

func (e *partialError) Error() string {
	var texts []string
	for _, reason := range e.reasons {
		for _, text := range []*string{reason.Detail, reason.Title} {
			if text != nil && *text != "" {
				texts = append(texts, *text)
				break
			}
		}
	}
	if len(texts) == 0 {
		return "the server did not take it, and gives no reason; check that it opens in a viewer"
	}
	return "the server did not take it: " + strings.Join(texts, "; ")
}

func isPartial(err error) bool {
	var partial *partialError
	return errors.As(err, &partial)
}

// temporary reports whether the same request may go well soon.
func temporary(ctx context.Context, err error) bool {
	if ctx.Err() != nil || isOver(err) || errors.Is(err, api.ErrUnauthorized) {
		return false
	}
	verdict := answer.OfError(err)
	var e *api.Error
	if errors.As(err, &e) {
		verdict = answer.Of(e.StatusCode, answer.KindOf(e.Header.Get("Content-Type"), e.Body))
	}
	return verdict.Temporary || verdict.Effect != answer.NotDone
}

// refused reports whether the server turned the request down for what was in it.
func refused(err error) bool {
	var e *api.Error
	return errors.As(err, &e) && answer.BadContent(e.StatusCode)
}

// pause waits before the next attempt, as long as the server says or else for half a second, a
// second, two and so on. It returns cause where waiting makes no sense.
func pause(ctx context.Context, attempt int, cause error) error {
	const longest = 2 * time.Minute
	wait := time.Second / 2 << (attempt - 1)
	var e *api.Error
	if errors.As(cause, &e) {
		wait = max(wait, e.RetryAfter)
	}
	if deadline, ok := ctx.Deadline(); wait > longest || ok && time.Until(deadline) < wait {
		return cause
	}
	return sleep(ctx, wait)
}

// sleep waits for a time or until the context is done.
func sleep(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
