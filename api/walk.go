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

// walkPlan is what an iterator needs to know of its operation.
type walkPlan[T any] struct {
	listing
	key     func(*T) uuid.UUID // nil if they have none
	created func(*T) time.Time // nil if it has no CreatedAtSince
	fetch   func(ctx context.Context, at position) (items []T, total int, err error)
}

// A listing is what of that is the same for all types, so that a walker is one for all of them.
type listing struct {
	op            *operation.Operation
	max           int       // largest page
	limit, offset *int      // as the caller gave them
	since         *DateTime // as the caller gave it
	ordered       bool      // by the caller, in another order than that of creation
}

// A position is a page of a list.
type position struct {
	limit, offset int
	sliced        bool // in the order of creation
	since         *DateTime
}

// A page is what the server has at a position.
type page struct {
	items       any // a list of them
	n           int
	ids         []uuid.UUID // nil if they have none
	first, last time.Time   // when they were created, if that is known of the list
	total       int
	err         error
}

// page fetches one, and takes from it all that a walker looks at.
// Not inlined, because so many call it.
//
//go:noinline
func (plan *walkPlan[T]) page(ctx context.Context, at position) page {
	items, total, err := plan.fetch(ctx, at)
	p := page{items: items, n: len(items), total: total, err: err}
	if plan.key != nil {
		p.ids = idsOf(items, plan.key)
	}
	if plan.created != nil && p.n > 0 {
		p.first, p.last = plan.created(&items[0]), plan.created(&items[p.n-1])
	}
	return p
}

// walk returns an iterator over all pages. Every loop over it starts anew.
// Not inlined, because so many call it.
//
//go:noinline
func walk[T any](ctx context.Context, plan walkPlan[T], options []WalkOption) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		w := walker{listing: plan.listing, withID: plan.key != nil, sliceable: plan.created != nil}
		err := w.walk(ctx, options, plan.page, func(items any, i int) bool { return yield(items.([]T)[i], nil) })
		if err != nil {
			var none T
			yield(none, err)
		}
	}
}

// A walker is one loop over a list.
type walker struct {
	listing
	withID, sliceable bool

	place  place
	slice  slice
	ledger ledger
	reader *reader
	head   []uuid.UUID // of the first page
	same   int         // pages in a row that brought it again
}

// walk yields everything, and returns what it ended in unless the loop was left.
func (w *walker) walk(ctx context.Context, options []WalkOption, fetch func(context.Context, position) page, yield func(items any, i int) bool) error {
	s := walkSettings{ahead: 4}
	if err := cmp.Or(given.Options(&s, options), present(ctx)); err != nil {
		return err
	}
	w.ledger = ledger{list: 1, pass: 1, met: map[uuid.UUID]meeting{}}
	w.reader = newReader(ctx, s.ahead, fetch)
	defer w.reader.close()
	err := w.begin(s.slices)
	if err == nil {
		err = w.all(ctx, yield)
	}
	if errors.Is(err, errLeft) {
		return nil
	}
	return err
}

// errLeft says that the loop has been left.
var errLeft = errors.New("the loop has been left")

// begin sets the first place.
func (w *walker) begin(slices bool) error {
	limit, first := w.max, 0
	if given := w.limit; given != nil && *given > 0 {
		limit = min(*given, w.max)
	}
	if given := w.offset; given != nil {
		first = max(*given, 0)
	}
	if first >= maxResults {
		return w.tooMany("begin at a smaller offset")
	}
	w.place = place{limit: limit, first: first, total: unknown, sliced: slices, once: !w.withID}.begun()
	if !slices {
		return nil
	}
	switch {
	case !w.sliceable:
		return fmt.Errorf("api: %s cannot be read in slices, because it has no CreatedAtSince; leave WithSlices out", w.op.ID)
	case w.ordered:
		return fmt.Errorf("api: %s: slices are in the order of creation; leave Order out, or WithSlices", w.op.ID)
	}
	w.slice = slice{sliced: true, since: w.since}
	return nil
}

// all yields everything, and returns what it ended in.
func (w *walker) all(ctx context.Context, yield func(items any, i int) bool) error {
	for {
		p := w.reader.take(w.at(w.place.offset))
		if p.err == nil {
			p.err = ctx.Err() // of a caller who is gone while there are pages left
		}
		if p.err != nil {
			return p.err
		}
		if w.standsStill(p) {
			return fmt.Errorf("api: %s: the server, or a cache before it, ignores offset and sends the first page each time: %w", w.op.ID, w.missing())
		}
		fresh, y := w.enter(p)
		next, step := w.place.next(y)
		if w.slice.sliced && p.n > 0 {
			w.slice = w.slice.see(p.first, p.last)
		}
		w.place, w.ledger.pass = next, next.pass
		if step == more {
			w.askAhead()
		}
		for _, i := range fresh {
			if !yield(p.items, i) {
				return errLeft
			}
		}
		switch step {
		case whole:
			return nil
		case incomplete:
			return fmt.Errorf("api: %s: %w", w.op.ID, w.missing())
		case ceiling:
			if err := w.nextSlice(); err != nil {
				return err
			}
		}
	}
}

// enter counts what a page brought, and returns the indices of what is to be yielded. An item
// that is met again, because those before it have become more, is not.
func (w *walker) enter(p page) (fresh []int, y yield) {
	y.items, y.total = p.n, p.total
	fresh = make([]int, 0, p.n)
	for i := range p.n {
		if !w.withID {
			y.pass++
			y.list++
			fresh = append(fresh, i)
		} else if w.ledger.enter(p.ids[i], &y) {
			fresh = append(fresh, i)
		}
	}
	return fresh, y
}

// standsStill reports whether pages are the first one again and again. A list that grows by a page
// meanwhile can do so once.
func (w *walker) standsStill(p page) bool {
	ids := p.ids
	switch {
	case len(ids) == 0:
		return false
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
func (w *walker) at(offset int) position {
	return position{limit: w.place.page(offset), offset: offset, sliced: w.slice.sliced, since: w.slice.since}
}

// askAhead asks for the pages that are expected to come next.
func (w *walker) askAhead() {
	if w.place.total == unknown || w.place.asks > 0 {
		return
	}
	w.reader.ask(func(n int) (position, bool) {
		offset := w.place.offset + n*w.place.size
		return w.at(offset), offset < w.place.end()
	})
}

// nextSlice goes on behind the ceiling.
func (w *walker) nextSlice() error {
	if !w.slice.sliced {
		if !w.sliceable {
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

func (w *walker) missing() ErrIncomplete {
	e := ErrIncomplete{Got: len(w.ledger.met), Total: unknown}
	if p := w.place; p.total != unknown {
		e.Total = max(p.total-p.first, 0)
		if w.ledger.list > 1 { // what the slices before had and this one has not
			e.Total += e.Got - p.list.met
		}
	}
	return e
}

func (w *walker) tooMany(advice string) error {
	return fmt.Errorf("api: %s: %w; %s", w.op.ID, ErrTooManyResults, advice)
}
