package athome

import (
	"errors"
	"fmt"

	"github.com/google/uuid"
)

// Why a chapter cannot be read, for [errors.Is].
var (
	ErrExternal  = errors.New("the chapter is on another site") // see ExternalError
	ErrTakenDown = errors.New("the chapter was taken down")
	ErrNoPages   = errors.New("the chapter has no pages")
	ErrChanged   = errors.New("the pages were replaced; open the chapter again")
)

// ErrTooLarge says that a picture is larger than [WithMaxPageSize] allows.
var ErrTooLarge = errors.New("the picture is too large")

// An ExternalError says that the publisher shows the chapter on a site of its own.
type ExternalError struct {
	Chapter uuid.UUID
	URL     string // where to read it
}

// Error implements error.
func (e *ExternalError) Error() string {
	return fmt.Sprintf("athome: chapter %s is on another site; read it at %s", e.Chapter, e.URL)
}

// Is reports whether target is [ErrExternal].
func (e *ExternalError) Is(target error) bool { return target == ErrExternal }

// A PageError says that a page could not be fetched. Other pages of the chapter may be had.
type PageError struct {
	Chapter  uuid.UUID
	Page     Page
	Node     string // host of the node that was tried last
	Attempts int    // how often the page was asked for, on all nodes
	Err      error  // what was wrong at the last attempt
}

// Error implements error.
func (e *PageError) Error() string {
	times := "once"
	if e.Attempts > 1 {
		times = fmt.Sprintf("%d times", e.Attempts)
	}
	return fmt.Sprintf("athome: chapter %s: page %d (%q), tried %s, at last on node %s: %v",
		e.Chapter, e.Page.Index+1, e.Page.Name, times, e.Node, e.Err)
}

// Unwrap returns Err.
func (e *PageError) Unwrap() error { return e.Err }

// An IncompleteError says that an archive was written without some pages, see [WithGaps].
type IncompleteError struct {
	Chapter uuid.UUID
	Missing []int // indexes of the pages
	Pages   int   // how many there should be
	Err     error // the *[PageError] of each, joined
}

// Error implements error.
func (e *IncompleteError) Error() string {
	return fmt.Sprintf("athome: chapter %s: the archive has %d of %d pages: %v", e.Chapter, e.Pages-len(e.Missing), e.Pages, e.Err)
}

// Unwrap returns Err.
func (e *IncompleteError) Unwrap() error { return e.Err }
