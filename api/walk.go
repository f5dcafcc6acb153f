package api

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/internal/operation"
)

// maxResults is the ceiling of the server on offset and limit together.
const maxResults = 10000

// ErrTooManyResults says that a list goes on behind the 10,000 results that the server shows.
// [WithSlices] gets at the others, where the operation has CreatedAtSince.
var ErrTooManyResults = errors.New("the list goes on behind the 10,000 results that the server shows")

// A WalkOption changes how an iterator over a list works.
type WalkOption func(*walkSettings)

type walkSettings struct {
	ahead  int
	slices bool
}

// WithLookAhead sets how many pages an iterator asks for, at most, before they are needed; 4 by
// default. It begins with one, and asks for more while the loop has to wait for pages. With 0 it
// asks for a page when the loop gets there.
func WithLookAhead(pages int) WalkOption {
	return func(s *walkSettings) { s.ahead = max(pages, 0) }
}

// WithSlices reads lists of more than 10,000 results, in the order of their creation: where the
// server shows no more it asks anew for what was created since. It is for the operations that
// have CreatedAtSince, SearchManga and the lists and feeds of chapters; for others the iterator
// ends with an error, as it does for another order in the parameters.
func WithSlices() WalkOption {
	return func(s *walkSettings) { s.slices = true }
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
	for _, option := range options {
		if option != nil {
			option(&s)
		}
	}
	return func(yield func(T, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		w := walker[T]{ctx: ctx, plan: plan, most: s.ahead, ahead: min(s.ahead, 1)}
		defer w.running.Wait()
		defer cancel()
		if err := w.begin(s.slices); err != nil {
			var none T
			yield(none, err)
			return
		}
		w.all(yield)
	}
}

// A walker is one loop over a list.
type walker[T any] struct {
	ctx     context.Context
	plan    walkPlan[T]
	next    position       // to ask for
	total   int            // of the list, as the last page says
	queue   []chan page[T] // pages asked for, in order
	ahead   int            // how many of them at once
	most    int
	running sync.WaitGroup
}

// begin sets the first position.
func (w *walker[T]) begin(slices bool) error {
	w.next.limit = w.plan.max
	if given := w.plan.limit; given != nil && *given > 0 {
		w.next.limit = min(*given, w.plan.max)
	}
	if given := w.plan.offset; given != nil {
		w.next.offset = max(*given, 0)
	}
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
	w.next.sliced, w.next.since = true, p.since
	return nil
}

// all yields everything, and an error behind what came before it.
func (w *walker[T]) all(yield func(T, error) bool) {
	var none T
	seen := map[uuid.UUID]struct{}{}
	for {
		p := w.take()
		if p.err == nil {
			p.err = w.ctx.Err() // of a caller who is gone while there are pages left
		}
		if p.err != nil {
			yield(none, p.err)
			return
		}
		w.total = p.total
		w.ask()
		for i := range p.items {
			if w.plan.key != nil {
				// An item that is added or removed meanwhile shifts those behind it.
				id := w.plan.key(&p.items[i])
				if _, again := seen[id]; again {
					continue
				}
				seen[id] = struct{}{}
			}
			if !yield(p.items[i], nil) {
				return
			}
		}
		switch {
		case len(p.items) == 0, w.next.offset >= w.total && len(w.queue) == 0:
			return
		case w.next.offset >= maxResults && len(w.queue) == 0:
			if err := w.slice(&p.items[len(p.items)-1]); err != nil {
				yield(none, err)
				return
			}
		}
	}
}

// take returns the next page. If it has to wait for one that was asked for ahead, more are from
// now on.
func (w *walker[T]) take() page[T] {
	if len(w.queue) == 0 {
		return w.fetch(w.step())
	}
	first := w.queue[0]
	select {
	case p := <-first:
		w.queue = w.queue[1:]
		return p
	default:
		w.ahead = min(w.ahead+1, w.most)
		w.ask()
		w.queue = w.queue[1:]
		return <-first
	}
}

// ask fetches pages ahead. The last page has told how many there are.
func (w *walker[T]) ask() {
	for len(w.queue) < w.ahead && w.next.offset < min(w.total, maxResults) {
		at, result := w.step(), make(chan page[T], 1)
		w.queue = append(w.queue, result)
		w.running.Go(func() { result <- w.fetch(at) })
	}
}

// step returns the next position and goes on to the one behind it.
func (w *walker[T]) step() position {
	at := w.next
	at.limit = min(at.limit, maxResults-at.offset)
	w.next.offset += at.limit
	return at
}

func (w *walker[T]) fetch(at position) page[T] {
	if at.limit <= 0 {
		return page[T]{err: w.tooMany("begin at a smaller offset")}
	}
	items, total, err := w.plan.fetch(w.ctx, at)
	return page[T]{items, total, err}
}

// slice goes on behind the ceiling, from where the last item was created. Times are to the second:
// that second is read again, and the one before, for the case that the server takes Since to be
// exclusive. What was seen in them is not yielded again.
func (w *walker[T]) slice(last *T) error {
	if !w.next.sliced {
		if w.plan.slices == nil {
			return w.tooMany("narrow the search")
		}
		return w.tooMany("narrow the search, or pass WithSlices")
	}
	since := w.plan.slices.created(last).Truncate(time.Second).Add(-time.Second)
	if before := w.next.since; before != nil && !since.After(before.Time) {
		return w.tooMany("more than that were created in one second, so slices cannot get at them; narrow the search")
	}
	w.next.offset, w.next.since = 0, Since(since)
	return nil
}

func (w *walker[T]) tooMany(advice string) error {
	return fmt.Errorf("api: %s: %w; %s", w.plan.op.ID, ErrTooManyResults, advice)
}
