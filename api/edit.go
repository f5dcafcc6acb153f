package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// A ConflictError says that an edit was refused because its version is not the current one. It is
// [ErrConflict].
type ConflictError struct {
	Sent    int   // version of the edit
	Current int   // version that the server has; zero if it could not be read
	Err     error // the answer, an *[Error]
}

// Error adds the versions to the answer.
func (e *ConflictError) Error() string {
	if e.Current == 0 {
		return fmt.Sprintf("%v; the edit was of version %d: read it again and edit that", e.Err, e.Sent)
	}
	return fmt.Sprintf("%v; the edit was of version %d, and %d is current: read it again and edit that", e.Err, e.Sent, e.Current)
}

// Unwrap returns the answer.
func (e *ConflictError) Unwrap() error { return e.Err }

// editing is how to edit a resource R by an E.
type editing[E, R any] struct {
	read    func() (*R, error)
	present func(*R) E // an edit that changes nothing
	version func(*E) *int
	write   func(E) (*R, error)
}

// edit reads, changes and writes, and does so once more after a conflict.
func edit[E, R any](change func(*E) error, on editing[E, R]) (*R, error) {
	current, err := on.read()
	if err != nil {
		return nil, err
	}
	var refused *ConflictError
	for range 2 {
		e := on.present(current)
		sent := *on.version(&e)
		if err := change(&e); err != nil {
			return nil, err
		}
		*on.version(&e) = sent
		written, err := on.write(e)
		if err == nil || !errors.Is(err, ErrConflict) {
			return written, err
		}
		refused = &ConflictError{Sent: sent, Err: err}
		if current, err = on.read(); err != nil {
			return nil, refused
		}
		now := on.present(current)
		refused.Current = *on.version(&now)
		// The answer to a write that succeeded may have been lost, and its repetition refused.
		if *on.version(&now) = sent; same(e, now) {
			return current, nil
		}
	}
	return nil, refused
}

// same reports whether two edits are written alike.
func same(a, b any) bool {
	x, errA := json.Marshal(a)
	y, errB := json.Marshal(b)
	return errA == nil && errB == nil && bytes.Equal(x, y)
}
