package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/internal/given"
	"github.com/mangadex-go/mangadex/internal/operation"
)

// ErrTooManyResults says that a list goes on behind the 10,000 results that the server shows.
// [WithSlices] gets at the others, where the operation has CreatedAtSince.
var ErrTooManyResults = errors.New("the list goes on behind the 10,000 results that the server shows")

// ErrIncomplete says that a list ended before it was whole, or may have: fewer items came than the
// server says there are, and asking again did not bring the others. What came has been yielded. An
// iterator asks four times for a page that is empty though there should be more, and passes over
// the list three times if items are missing at its end.
//
// It is an error as a value, for [errors.As].
type ErrIncomplete struct {
	Got   int // items that came
	Total int // items that there should be, as the server says; -1 if it does not
}

// Error implements error.
func (e ErrIncomplete) Error() string {
	if e.Total < 0 {
		return fmt.Sprintf("the list is not whole: %d items came, others each time, and the server does not say how many there are; ask again later", e.Got)
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

// WithSlices reads lists of more than 10,000 results, in the order of their creation: where the
// server shows no more it asks anew for what was created since. It is for the operations that
// have CreatedAtSince, SearchManga and the lists and feeds of chapters; for others the iterator
// ends with an error, as it does for another order in the parameters.
func WithSlices() WalkOption {
	return func(s *walkSettings) error {
		s.slices = true
		return nil
	}
}

// walkPlan is what an iterator needs to know of its operation.
type walkPlan[T any] struct {
	op            *operation.Operation
	max           int  // largest page
	limit, offset *int // as the caller gave them
	key           func(*T) uuid.UUID
	slices        *slicePlan[T] // nil if it has no CreatedAtSince
	fetch         func(ctx context.Context, at position) (items []T, total int, err error)
}

// slicePlan is what it needs to know for WithSlices.
type slicePlan[T any] struct {
	since   *DateTime // as the caller gave it
	ordered bool      // by the caller, in another order than that of creation
	created func(*T) time.Time
}

// A position is a page of a list.
type position struct {
	limit, offset int
	sliced        bool // in the order of creation
	since         *DateTime
}

// A page is what the server has at a position.
type page[T any] struct {
	items []T
	total int
	err   error
}

// walk returns an iterator over all pages. Every loop over it starts anew.
func walk[T any](ctx context.Context, plan walkPlan[T], options []WalkOption) iter.Seq2[T, error] {
	s := walkSettings{ahead: 4}
	wrong := given.Options(&s, options)
	return func(yield func(T, error) bool) {
		var none T
		if err := cmp.Or(wrong, present(ctx)); err != nil {
			yield(none, err)
			return
		}
		w := walker[T]{plan: plan, ledger: ledger{list: 1, pass: 1, met: map[uuid.UUID]meeting{}}}
		w.reader = newReader(ctx, s.ahead, plan.fetch)
		defer w.reader.close()
		err := w.begin(s.slices)
		if err == nil {
			err = w.all(ctx, yield)
		}
		if err != nil && !errors.Is(err, errLeft) {
			yield(none, err)
		}
	}
}

// errLeft says that the loop has been left.
var errLeft = errors.New("the loop has been left")

// A walker is one loop over a list.
type walker[T any] struct {
	plan   walkPlan[T]
	place  place
	slice  slice
	ledger ledger
	reader *reader[T]
	head   []uuid.UUID // of the first page
	same   int         // pages in a row that brought it again
}

// begin sets the first place.
func (w *walker[T]) begin(slices bool) error {
	limit, first := w.plan.max, 0
	if given := w.plan.limit; given != nil && *given > 0 {
		limit = min(*given, w.plan.max)
	}
	if given := w.plan.offset; given != nil {
		first = max(*given, 0)
	}
	if first >= maxResults {
		return w.tooMany("begin at a smaller offset")
	}
	w.place = place{limit: limit, first: first, total: unknown, sliced: slices, once: w.plan.key == nil}.begun()
	if !slices {
		return nil
	}
	p := w.plan.slices
	switch {
	case p == nil:
		return fmt.Errorf("api: %s cannot be read in slices, it has no CreatedAtSince; leave WithSlices out", w.plan.op.ID)
	case p.ordered:
		return fmt.Errorf("api: %s: slices are in the order of creation; leave Order out, or WithSlices", w.plan.op.ID)
	}
	w.slice = slice{sliced: true, since: p.since}
	return nil
}

// all yields everything, and returns what it ended in.
func (w *walker[T]) all(ctx context.Context, yield func(T, error) bool) error {
	for {
		p := w.reader.take(w.at(w.place.offset))
		if p.err == nil {
			p.err = ctx.Err() // of a caller who is gone while there are pages left
		}
		if p.err != nil {
			return p.err
		}
		if w.standsStill(p) {
			return fmt.Errorf("api: %s: the server, or a cache before it, takes no notice of offset and sends the first page each time: %w", w.plan.op.ID, w.missing())
		}
		fresh, y := w.enter(p)
		next, step := w.place.next(y)
		if w.slice.sliced && len(p.items) > 0 {
			w.slice = w.slice.see(w.plan.slices.created(&p.items[0]), w.plan.slices.created(&p.items[len(p.items)-1]))
		}
		w.place, w.ledger.pass = next, next.pass
		if step == more {
			w.askAhead()
		}
		for _, i := range fresh {
			if !yield(p.items[i], nil) {
				return errLeft
			}
		}
		switch step {
		case whole:
			return nil
		case incomplete:
			return fmt.Errorf("api: %s: %w", w.plan.op.ID, w.missing())
		case ceiling:
			if err := w.nextSlice(); err != nil {
				return err
			}
		}
	}
}

// enter counts what a page brought, and returns the indices of what is to be yielded. An item
// that is met again, because those before it have become more, is not.
func (w *walker[T]) enter(p page[T]) (fresh []int, y yield) {
	y.items, y.total = len(p.items), p.total
	fresh = make([]int, 0, len(p.items))
	for i := range p.items {
		if w.plan.key == nil {
			y.pass++
			y.list++
			fresh = append(fresh, i)
		} else if w.ledger.enter(w.plan.key(&p.items[i]), &y) {
			fresh = append(fresh, i)
		}
	}
	return fresh, y
}

// standsStill reports whether pages are the first one again and again. A list that grows by a page
// meanwhile can do so once.
func (w *walker[T]) standsStill(p page[T]) bool {
	if w.plan.key == nil || len(p.items) == 0 {
		return false
	}
	ids := make([]uuid.UUID, len(p.items))
	for i := range p.items {
		ids[i] = w.plan.key(&p.items[i])
	}
	switch {
	case w.place.offset == w.place.first:
		w.head = ids
	case len(ids) <= len(w.head) && slices.Equal(ids, w.head[:len(ids)]):
		w.same++
	default:
		w.same = 0
	}
	return w.same > 1
}

// at is the position of a page.
func (w *walker[T]) at(offset int) position {
	return position{limit: w.place.page(offset), offset: offset, sliced: w.slice.sliced, since: w.slice.since}
}

// askAhead asks for the pages that are expected to come next.
func (w *walker[T]) askAhead() {
	if w.place.total == unknown || w.place.asks > 0 {
		return
	}
	w.reader.ask(func(n int) (position, bool) {
		offset := w.place.offset + n*w.place.size
		return w.at(offset), offset < w.place.end()
	})
}

// nextSlice goes on behind the ceiling.
func (w *walker[T]) nextSlice() error {
	if !w.slice.sliced {
		if w.plan.slices == nil {
			return w.tooMany("narrow the search")
		}
		return w.tooMany("narrow the search, or pass WithSlices")
	}
	next, ok := w.slice.next()
	if !ok {
		return w.tooMany("more than that were created in one second, so slices cannot get at them; narrow the search")
	}
	w.slice = next
	w.place = place{limit: w.place.limit, total: unknown, sliced: true}.begun()
	w.ledger.list++
	w.ledger.pass = 1
	return nil
}

func (w *walker[T]) missing() ErrIncomplete {
	e := ErrIncomplete{Got: len(w.ledger.met), Total: unknown}
	if p := w.place; p.total != unknown {
		e.Total = max(p.total-p.first, 0)
		if w.ledger.list > 1 { // what the slices before had and this one has not
			e.Total += e.Got - p.list.met
		}
	}
	return e
}

func (w *walker[T]) tooMany(advice string) error {
	return fmt.Errorf("api: %s: %w; %s", w.plan.op.ID, ErrTooManyResults, advice)
}

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
