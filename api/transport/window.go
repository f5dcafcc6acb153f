package transport

import (
	"container/list"
	"slices"
	"time"
)

// A window has a permit for each request of an allowance. One that is used comes back when its
// period is over.
type window struct {
	back   []time.Duration // ring: when each permit comes back or came back, in order
	head   int             // of the ring
	most   int             // permits
	held   int             // permits of those that wait in the global queue, from the head on
	period time.Duration   // with the margin
	margin time.Duration
	paused time.Duration // until
	reason error
	queue  list.List // of *waiter
}

// newWindow adds a hundredth to the period, so that neither rounding nor the differences between
// the times on the way make a request come too early.
func newWindow(requests int, per time.Duration) window {
	margin := per / 100
	return window{back: make([]time.Duration, requests), most: requests, period: per + margin, margin: margin}
}

// permit returns when the permit behind n others comes back.
func (w *window) permit(n int) *time.Duration { return &w.back[(w.head+n)%len(w.back)] }

// open tells whether a request may go.
func (w *window) open(now time.Duration) bool {
	return now >= w.paused && (len(w.back) == 0 || w.held < len(w.back) && *w.permit(w.held) <= now)
}

// use takes a permit for a request that has been waiting for a time. That it goes a little later
// than it could have is not added to the period, as long as half of the margin remains: otherwise
// the lateness of timers would add up.
func (w *window) use(now, waited time.Duration) {
	if len(w.back) == 0 {
		return
	}
	late := min(now-*w.permit(0), waited, w.margin/2)
	*w.permit(0) = now - late + w.period
	w.head = (w.head + 1) % len(w.back)
}

// opens is when the request with n others before it may go at the earliest.
func (w *window) opens(n int, now time.Duration) time.Duration {
	at := max(now, w.paused)
	if len(w.back) == 0 {
		return at
	}
	n += w.held
	return max(at, *w.permit(n % len(w.back))) + time.Duration(n/len(w.back))*w.period
}

// resize changes the allowance to what the server says. What the documentation says is the most,
// in case that the server speaks of something else. The permits that come back last remain.
func (w *window) resize(requests int) {
	requests = min(requests, w.most)
	if requests == len(w.back) || requests <= 0 {
		return
	}
	back := slices.Concat(make([]time.Duration, w.most), w.back[w.head:], w.back[:w.head])
	w.back, w.head = back[len(back)-requests:], 0
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
