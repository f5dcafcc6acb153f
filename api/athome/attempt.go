package athome

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// checking is how many pages are checked or written while as many as [WithParallel] says are
// fetched.
const checking = 2

// nodesPerPage bounds the nodes that a page is asked of.
const nodesPerPage = 3

// maxBusy is how long a node is waited for that wants to be left alone. Another one is asked instead if it
// takes longer than patience.
const (
	maxBusy  = time.Minute
	patience = 5 * time.Second
)

// fetch fetches a page, in the other quality if it cannot be had in the one that is wanted.
func (c *Chapter) fetch(ctx context.Context, index int, out output, m *meter) (Page, arrival, error) {
	page, a, err := c.fetchPage(ctx, c.pages[index], out, m)
	if !isPageError(err) || len(c.others) == 0 {
		return page, a, err
	}
	other, b, otherErr := c.fetchPage(ctx, c.others[index], out, m)
	if otherErr != nil {
		return page, a, err
	}
	c.fallback(other)
	return other, b, nil
}

// fetchPage fetches a page, from as many nodes as may be tried.
func (c *Chapter) fetchPage(ctx context.Context, page Page, out output, m *meter) (Page, arrival, error) {
	failed := &PageError{Chapter: c.id, Page: page}
	var n *node
	for range nodesPerPage {
		next, err := c.source.after(ctx, n)
		switch {
		case err != nil && (n == nil || ctx.Err() != nil):
			return page, arrival{}, c.errorf(err)
		case err != nil: // not the fault of this page: others will fare no better
			return page, arrival{}, fmt.Errorf("%s; and no other node could be had: %w", failed.Error(), err)
		}
		n = next
		page.URL = c.source.address(n, page)
		if wait := c.source.busyFor(n); wait > maxBusy {
			continue // the same again
		} else if wait > 0 {
			if err := pause(ctx, 1, wait); err != nil {
				return page, arrival{}, c.errorf(err)
			}
		}
		var asked time.Duration
		for try := range triesPerHost {
			if try > 0 {
				if err := pause(ctx, try, asked); err != nil {
					return page, arrival{}, c.errorf(err)
				}
				if c.source.left(n) {
					break
				}
			}
			a, err := c.attempt(ctx, n, page, out, m)
			var fault *nodeFault
			if !errors.As(err, &fault) {
				return page, a, err
			}
			failed.Page, failed.Node, failed.Err = page, n.host, fault.cause
			failed.Attempts++
			if errors.Is(err, ErrTooLarge) {
				return page, a, failed
			}
			if asked = retryAfter(err); asked > patience {
				c.source.leave(n, asked)
				break
			}
			if isRefusal(err) || isGone(err) {
				break
			}
		}
	}
	if failed.Err == nil {
		failed.Node, failed.Err = n.host, errors.New("the node has asked for a longer pause")
	}
	return page, arrival{}, failed
}

// attempt asks a node for a page once, and reports on it. What the node did wrong comes as a
// *nodeFault.
func (c *Chapter) attempt(ctx context.Context, n *node, page Page, out output, m *meter) (arrival, error) {
	a, err := c.fetcher.get(ctx, page.URL, page.SHA256, out, m)
	var ours outputError
	switch {
	case errors.As(err, &ours):
		return a, c.errorf(ours.error)
	case err != nil && ctx.Err() != nil:
		return a, c.errorf(context.Cause(ctx))
	}
	if c.reports != nil && !n.ours {
		c.reports.add(report{page.URL, err == nil, a.cached, a.bytes, a.took.Milliseconds()})
	}
	if err != nil {
		return a, &nodeFault{err}
	}
	return a, nil
}

// A nodeFault is what a node did wrong.
type nodeFault struct{ cause error }

func (e *nodeFault) Error() string { return e.cause.Error() }
func (e *nodeFault) Unwrap() error { return e.cause }
