package transport

import "time"

// first is who came first of those whose own allowance has room.
func (l *LocalLimiter) first(now time.Duration) *waiter {
	var first *waiter
	if place := l.global.queue.Front(); place != nil {
		first = place.Value.(*waiter)
	}
	for _, own := range l.windows {
		if place := own.queue.Front(); place != nil && own.open(now) {
			if w := place.Value.(*waiter); first == nil || w.ticket < first.ticket {
				first = w
			}
		}
	}
	return first
}

// dispatch lets everyone go who may go, and sets the timer for who may go next.
func (l *LocalLimiter) dispatch(now time.Duration) {
	if l.waiting > 0 && l.global.open(now) {
		for w := l.first(now); w != nil && l.global.open(now) && l.next <= now; w = l.first(now) {
			l.advance(w, now)
			l.finish(w, l.take(w.window, now, now-w.since), nil)
		}
	}
	l.wakeAt(l.nextEvent(now), now)
}

// advance sets when the next request may leave a queue. A timer that is late does not slow the
// queue down, as long as it is not much too late.
func (l *LocalLimiter) advance(w *waiter, now time.Duration) {
	const forgiven = 2 * time.Millisecond
	due := max(l.next, l.global.opens(0, 0), w.since)
	if w.window != nil {
		due = max(due, w.window.opens(0, 0))
	}
	l.next = max(due, now-forgiven) + l.step
}

// never is a time that does not come.
const never = time.Duration(1<<63 - 1)

// nextEvent is when dispatch has something to do again.
func (l *LocalLimiter) nextEvent(now time.Duration) time.Duration {
	if l.waiting == 0 {
		return never
	}
	next := never
	if l.global.queue.Len() > 0 {
		next = now
	}
	for _, own := range l.windows {
		if own.queue.Len() > 0 {
			next = min(next, own.opens(0, now))
		}
	}
	return max(next, l.global.opens(0, now), l.next)
}

func (l *LocalLimiter) wakeAt(at, now time.Duration) {
	switch {
	case at == never:
		if l.timer != nil {
			l.timer.Stop()
		}
	case l.timer == nil:
		l.timer = time.AfterFunc(at-now, l.wake)
	default:
		l.timer.Reset(at - now)
	}
}

func (l *LocalLimiter) wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dispatch(l.now())
}
