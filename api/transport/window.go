package transport

import (
	"container/list"
	"slices"
	"sort"
	"time"
)

// A window has a permit for each request of an allowance. One that is used comes back when its
// period is over.
type window struct {
	back   []time.Duration // ring: when each permit comes back or came back, in order
	head   int             // of the ring
	most   int             // permits
	period time.Duration   // with the margin
	margin time.Duration
	paused time.Duration // until
	reason error
	queue  list.List // of *waiter, in the order of their tickets
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
	return now >= w.paused && (len(w.back) == 0 || *w.permit(0) <= now)
}

// use takes a permit for a request that has been waiting for a time, and returns when it comes
// back. That the request goes a little later than it could have is not added to the period, as long
// as half of the margin remains: otherwise the lateness of timers would add up.
func (w *window) use(now, waited time.Duration) time.Duration {
	if len(w.back) == 0 {
		return 0
	}
	late := min(now-*w.permit(0), waited, w.margin/2)
	at := now - late + w.period
	w.settle(0, at)
	return at
}

// move changes when a permit comes back, by which it is known.
func (w *window) move(from, to time.Duration) {
	if n := sort.Search(len(w.back), func(n int) bool { return *w.permit(n) >= from }); n < len(w.back) && *w.permit(n) == from {
		w.settle(n, to)
	}
}

// settle puts a permit where it belongs in the order in which they come back.
func (w *window) settle(n int, at time.Duration) {
	last := len(w.back) - 1
	if n == 0 && at >= *w.permit(last) { // as a rule
		*w.permit(0) = at
		w.head = (w.head + 1) % len(w.back)
		return
	}
	for ; n > 0 && at < *w.permit(n - 1); n-- {
		*w.permit(n) = *w.permit(n - 1)
	}
	for ; n < last && at > *w.permit(n + 1); n++ {
		*w.permit(n) = *w.permit(n + 1)
	}
	*w.permit(n) = at
}

// opens is when the request with n others before it may go at the earliest.
func (w *window) opens(n int, now time.Duration) time.Duration {
	at := max(now, w.paused)
	if len(w.back) == 0 {
		return at
	}
	return max(at, *w.permit(n % len(w.back))) + time.Duration(n/len(w.back))*w.period
}

// gone is how many of the first n in the queue can go by a time at least. Those that need a permit which
// another of them has used first do not count: nobody knows when that one comes to its turn.
func (w *window) gone(n int, by, now time.Duration) int {
	if len(w.back) > 0 {
		n = min(n, len(w.back))
	}
	return sort.Search(n, func(i int) bool { return w.opens(i, now) > by })
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

// older counts who came before a waiter of those in the queue.
func (w *window) older(who *waiter) int {
	if last := w.queue.Back(); last == nil || last.Value.(*waiter).ticket < who.ticket {
		return w.queue.Len()
	}
	n := 0
	for place := w.queue.Front(); place != nil && place.Value.(*waiter).ticket < who.ticket; place = place.Next() {
		n++
	}
	return n
}
