package api

import "time"

// A slice is a part of a list in the order of creation, all that was created since a time.
type slice struct {
	sliced      bool
	since       *DateTime
	first, last time.Time // second of the first and of the last item that came
	inclusive   bool      // the server is known to show what was created at that time, too
}

// see notes when the first and the last item of a page were created.
func (s slice) see(first, last time.Time) slice {
	first, last = first.Truncate(time.Second), last.Truncate(time.Second)
	if s.first.IsZero() {
		s.first = first
		s.inclusive = s.inclusive || s.since != nil && first.Equal(s.since.Time)
	}
	s.last = last
	return s
}

// next is the slice that begins where this one ends. Times are to the second: that second is read
// again, and the one before unless it is known that the server needs no such help. Without
// progress there is none.
func (s slice) next() (slice, bool) {
	since := s.last
	if !s.inclusive {
		since = since.Add(-time.Second)
	}
	if s.since != nil && !since.After(s.since.Time) {
		return s, false
	}
	return slice{sliced: true, since: Since(since), inclusive: s.inclusive}, true
}
