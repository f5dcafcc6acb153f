package api

import (
	"errors"
	"fmt"
)

// ErrTooManyResults says that a list has more than the 10,000 results that the server shows.
// [WithSlices] reads the others, where the operation has CreatedAtSince.
var ErrTooManyResults = errors.New("the list has more than the 10,000 results that the server shows")

// ErrIncomplete says that a list is not whole, or may not be: fewer items came than the server says
// there are, and asking again did not bring the others. The items that came have been yielded. An
// iterator asks four times for an empty page where there should be more, and reads the list three times
// if items are missing at its end.
//
// It is a value, not a pointer, for [errors.As].
type ErrIncomplete struct {
	Got   int // items that came
	Total int // items that there should be, as the server says; -1 if it does not
}

// Error implements error.
func (e ErrIncomplete) Error() string {
	if e.Total < 0 {
		return fmt.Sprintf("the list is not whole: %d items came, different ones each time, and the server does not say how many there are; ask again later", e.Got)
	}
	return fmt.Sprintf("the list is not whole: %d items came of the %d that the server says there are; ask again later", e.Got, e.Total)
}

// A WalkOption changes how an iterator over a list works.
type WalkOption func(*walkSettings) error

type walkSettings struct {
	ahead  int
	slices bool
}

// WithLookAhead sets how many pages an iterator asks for, at most, before they are needed; 4 by
// default. It begins with one, and asks for more while the loop has to wait for pages. With 0 it
// asks for a page when the loop gets there.
func WithLookAhead(pages int) WalkOption {
	return func(s *walkSettings) error {
		if pages < 0 {
			return fmt.Errorf("api: WithLookAhead(%d): give a number of pages, or 0 to ask for each when the loop gets there", pages)
		}
		s.ahead = pages
		return nil
	}
}

// WithSlices reads lists of more than 10,000 results, in the order of their creation: where the server
// shows no more, it asks for what was created after that. It is for the operations that have
// CreatedAtSince, SearchManga and the lists and feeds of chapters; for others the iterator ends with an
// error, as it does for another order in the parameters.
func WithSlices() WalkOption {
	return func(s *walkSettings) error {
		s.slices = true
		return nil
	}
}
