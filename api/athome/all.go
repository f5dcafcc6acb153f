package athome

import (
	"context"
	"errors"
	"iter"
	"sync"
	"sync/atomic"
)

// All fetches the pages and hands them out in reading order, while the next ones are fetched
// ahead: at most as many at once as [WithParallel] says, and no more at a time than [WithMemory]
// allows.
//
// A page that cannot be had comes as a *[PageError] in its place, and the loop may go on with the next.
// After any other error nothing more comes. When the loop ends, however it does, nothing runs any more.
func (c *Chapter) All(ctx context.Context) iter.Seq2[Image, error] { return c.walk(ctx, false) }

// fetched is a page, or why there is none.
type fetched struct {
	image Image
	err   error
}

// walk is All. If it may reuse memory, the data of an image is good until the loop goes on.
func (c *Chapter) walk(ctx context.Context, reuse bool) iter.Seq2[Image, error] {
	return func(yield func(Image, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var workers sync.WaitGroup
		defer workers.Wait()
		defer cancel()

		t := newTracker(c.progress, len(c.pages))
		r := newRoom(c.parallel, c.memory, reuse)
		results := make([]chan fetched, len(c.pages))
		for i := range results {
			results[i] = make(chan fetched, 1)
		}
		var claimed atomic.Int64
		for range min(c.parallel+checking, len(c.pages)) {
			workers.Go(func() {
				for i := int(claimed.Add(1)) - 1; i < len(c.pages); i = int(claimed.Add(1)) - 1 {
					image, err := c.ahead(ctx, i, r, t)
					results[i] <- fetched{image, err}
					if err != nil && !isPageError(err) {
						return
					}
				}
			})
		}
		// Pages are claimed in their order, so one whose worker has ended comes before any that
		// nobody has claimed.
		for i := range results {
			f := <-results[i]
			if !yield(f.image, f.err) || f.err != nil && !isPageError(f.err) {
				return
			}
			r.pass(f.image.Data)
		}
	}
}

func isPageError(err error) bool { return errors.As(err, new(*PageError)) }

// ahead fetches a page into memory that there is room for.
func (c *Chapter) ahead(ctx context.Context, index int, r *room, t *tracker) (Image, error) {
	var held, need int64
	out := &memory{room: func(size int64) error {
		if size > held && !r.grow(index, held, size) {
			need = size
			return errNoRoom
		}
		held = max(held, size)
		return nil
	}, alloc: r.alloc}
	m := t.meter()
	for {
		var err error
		if held, err = r.enter(ctx, index, need); err != nil {
			return Image{}, c.errorf(err)
		}
		page, a, err := c.fetch(ctx, index, out, m)
		if errors.Is(err, errNoRoom) {
			out.data = nil
			r.give(held)
			continue
		}
		m.end(err)
		if err != nil {
			r.give(held)
			return Image{Page: page}, err
		}
		r.give(held - int64(cap(out.data)))
		return Image{Page: page, ContentType: a.contentType, Data: out.data}, nil
	}
}
