package transport

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mangadex-go/mangadex/internal/answer"
)

// ErrRateLimited is what a *[RateLimitError] is, for [errors.Is]. It is api.ErrRateLimited.
var ErrRateLimited = answer.ErrRateLimited

// A RateLimitError says that a request was not sent because it would have had to wait longer than
// it may.
type RateLimitError struct {
	Operation string    // such as GetAtHomeServer; empty for a path without an operation
	RetryAt   time.Time // when it could be sent, as far as it is known now

	// What set the bound: the deadline of the context, or else the longest wait.
	Deadline bool
	MaxWait  time.Duration
}

// Error implements error.
func (e *RateLimitError) Error() string {
	text := "not sent: the rate limit has no room before " + e.RetryAt.Format(time.RFC3339)
	if e.Operation != "" {
		text = e.Operation + " was " + text
	}
	if e.Deadline {
		return "transport: " + text + ", which is after the deadline of the context"
	}
	return fmt.Sprintf("transport: with WithMaxWait(%v), %s", e.MaxWait, text)
}

// Is reports whether target is [ErrRateLimited].
func (e *RateLimitError) Is(target error) bool {
	return target == ErrRateLimited || target == answer.ErrNotSent
}

// Unwrap returns [context.DeadlineExceeded] if the deadline of the context is too near.
func (e *RateLimitError) Unwrap() error {
	if e.Deadline {
		return context.DeadlineExceeded
	}
	return nil
}

// ErrBanned is what a *[BannedError] is, for [errors.Is].
var ErrBanned = errors.New("banned")

// A BannedError says that a request was not sent because MangaDex seems to have banned the address. It
// is [ErrBanned].
type BannedError struct {
	RetryAt time.Time // when the next request will be sent
}

// Is reports whether target is [ErrBanned].
func (e *BannedError) Is(target error) bool {
	return target == ErrBanned || target == answer.ErrNotSent
}

// Error implements error.
func (e *BannedError) Error() string {
	return fmt.Sprintf("transport: not sent: the server answered %d times with a 403 that is not JSON, which looks like a ban of this address for too many requests; nothing is sent before %s",
		banAfter, e.RetryAt.Format(time.RFC3339))
}
