package transport

import (
	"container/list"
	"time"
)

// A window has as many permits as an allowance has requests. One that is used comes back when its
// period is over.
type window struct {
	limit  int           // permits; 0: any number
	period time.Duration // with a margin
	back   []time.Duration
	head   int // of the ring back: when the permits in use come back, in order
	n      int // of them
	held   int // permits of those that wait in the global queue
	paused time.Duration
	reason error
	queue  list.List // of *waiter
}

// newWindow adds a hundredth to the period, so that neither rounding nor the differences between
// the times on the way make a request come too early.
func newWindow(requests int, per time.Duration) window {
	return window{limit: requests, period: per + per/100, back: make([]time.Duration, requests)}
}

// open tells whether a request may go.
func (w *window) open(now time.Duration) bool {
	if now < w.paused {
		return false
	}
	for w.n > 0 && w.back[w.head] <= now {
		w.head = (w.head + 1) % len(w.back)
		w.n--
	}
	return w.limit == 0 || w.n+w.held < w.limit
}

// use takes a permit.
func (w *window) use(now time.Duration) {
	if w.limit == 0 {
		return
	}
	w.back[(w.head+w.n)%len(w.back)] = now + w.period
	w.n++
}

// opens is when the request with n others before it may go at the earliest.
func (w *window) opens(n int, now time.Duration) time.Duration {
	at := max(now, w.paused)
	if w.open(now); w.limit == 0 {
		return at
	}
	// Request n waits for the return of permit n - free. Behind those that are in use and held
	// come those of the requests before it, a period after each was sent.
	rounds := n / w.limit
	if i := n%w.limit - (w.limit - w.n - w.held); i >= w.n {
		at = max(at, now+w.period)
	} else if i >= 0 {
		at = max(at, w.back[(w.head+i)%len(w.back)])
	}
	return at + time.Duration(rounds)*w.period
}

// ahead counts who is before a waiter in the queue; all are before one who is not in it.
func (w *window) ahead(who *waiter) int {
	if who.queue != &w.queue {
		return w.queue.Len()
	}
	n := 0
	for place := w.queue.Front(); place != nil && place != who.place; place = place.Next() {
		n++
	}
	return n
}
