package transport

import "time"

// refuse returns when a waiter gets its turn, and an error if that is too late.
func (l *LocalLimiter) refuse(w *waiter, now time.Duration) (at time.Duration, err error) {
	if err := l.reason(w, now); err != nil {
		return 0, err
	}
	if at = l.expect(w, now); at > w.until {
		return at, l.late(w, at)
	}
	return at, nil
}

// reason is that of a pause during which a waiter is not to wait.
func (l *LocalLimiter) reason(w *waiter, now time.Duration) error {
	if l.global.reason != nil && now < l.global.paused {
		return l.global.reason
	}
	if w.window != nil && now < w.window.paused {
		return w.window.reason
	}
	return nil
}

func (l *LocalLimiter) late(w *waiter, at time.Duration) error {
	return &RateLimitError{Operation: w.operation, RetryAt: l.start.Add(at), MaxWait: w.maxWait, Deadline: w.deadline}
}

// expect is when a waiter gets its turn at the earliest: when there is room in its own allowance
// behind those before it there, and in the global one behind all that came before it and can go by
// then.
func (l *LocalLimiter) expect(w *waiter, now time.Duration) time.Duration {
	before := l.global.older(w)
	at := now
	if w.window != nil {
		n := w.window.older(w)
		before += n
		at = w.window.opens(n, now)
	}
	at = max(at, l.turn(before, now))
	for {
		others := 0
		for _, other := range l.windows {
			if other != w.window && other.queue.Len() > 0 {
				others += other.gone(other.older(w), at, now)
			}
		}
		later := l.turn(before+others, now)
		if later <= at {
			return at
		}
		at = later
	}
}

// turn is when the request with n others before it is sent.
func (l *LocalLimiter) turn(n int, now time.Duration) time.Duration {
	at := l.global.opens(n, now)
	if at > now || n > 0 {
		at = max(at, max(l.global.opens(0, now), l.next)+time.Duration(n)*l.step)
	}
	return at
}
