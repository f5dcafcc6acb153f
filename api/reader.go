package api

import (
	"context"
	"sync"
)

// A reader asks for pages, some of them before they are needed.
type reader struct {
	ctx     context.Context
	cancel  context.CancelFunc
	page    func(ctx context.Context, at position) page
	queue   []asked // in the order in which they are expected to be needed
	ahead   int     // how many of them at once
	most    int
	running sync.WaitGroup
}

// asked is a page that has been asked for.
type asked struct {
	at     position
	cancel context.CancelFunc
	result chan page
}

func newReader(ctx context.Context, most int, fetch func(context.Context, position) page) *reader {
	ctx, cancel := context.WithCancel(ctx)
	return &reader{ctx: ctx, cancel: cancel, page: fetch, most: most, ahead: min(most, 1)}
}

// close ends everything, and returns when it has ended.
func (r *reader) close() {
	r.cancel()
	r.running.Wait()
}

// take returns a page. If it has to wait for one that was asked for ahead, more are from now on.
func (r *reader) take(at position) page {
	if len(r.queue) > 0 && r.queue[0].at != at {
		r.drop(0)
	}
	if len(r.queue) == 0 {
		return r.page(r.ctx, at)
	}
	first := r.queue[0]
	defer first.cancel()
	select {
	case p := <-first.result:
		r.queue = r.queue[1:]
		return p
	default:
		r.ahead = min(r.ahead+1, r.most)
		r.queue = r.queue[1:]
		return <-first.result
	}
}

// ask asks for pages ahead: those that next names, from the one that is needed next on, as far as
// there are such. Pages that were asked for before and are not among them are dropped.
func (r *reader) ask(next func(n int) (at position, ok bool)) {
	for n := range r.ahead {
		at, ok := next(n)
		if n < len(r.queue) && (!ok || r.queue[n].at != at) {
			r.drop(n)
		}
		if !ok {
			return
		}
		if n == len(r.queue) {
			ctx, cancel := context.WithCancel(r.ctx)
			a := asked{at, cancel, make(chan page, 1)}
			r.queue = append(r.queue, a)
			r.running.Go(func() { a.result <- r.page(ctx, at) })
		}
	}
}

// drop forgets the pages from the one at n on.
func (r *reader) drop(n int) {
	for _, a := range r.queue[n:] {
		a.cancel()
	}
	r.queue = r.queue[:n]
}
