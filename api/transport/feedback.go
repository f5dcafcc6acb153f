package transport

import (
	"container/list"
	"time"
)

// A pause that is longer than any server can mean is taken for nonsense, and replaced by another.
const (
	longestPause = 7 * 24 * time.Hour
	insteadPause = 2 * time.Hour
)

// Learn implements [Limiter].
func (l *LocalLimiter) Learn(call Call, feedback Feedback) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	own := l.windowOf(call)
	if own != nil && feedback.Requests > 0 {
		own.resize(feedback.Requests)
	}
	if feedback.Pause > 0 {
		paused := &l.global
		if !feedback.All && call.Operation != "" {
			if own == nil {
				own = l.separate(call)
			}
			paused = own
		}
		pause := feedback.Pause
		if pause > longestPause {
			pause = insteadPause
		}
		if at := now + pause; at >= paused.paused {
			paused.paused, paused.reason = at, feedback.Reason
		}
		l.expel(now)
	}
	l.dispatch(now)
}

// separate makes a window without an allowance for the calls of an operation, so that it can be
// paused.
func (l *LocalLimiter) separate(call Call) *window {
	own := new(window)
	l.windows[call.Bucket()] = own
	for place := l.global.queue.Front(); place != nil; {
		w := place.Value.(*waiter)
		place = place.Next()
		if w.operation == call.Operation {
			w.queue.Remove(w.place)
			w.window, w.queue = own, &own.queue
			w.place = own.queue.PushBack(w)
		}
	}
	return own
}

// expel ends the wait of those that a pause leaves no time for.
func (l *LocalLimiter) expel(now time.Duration) {
	expel := func(queue *list.List) {
		for place := queue.Front(); place != nil; {
			w := place.Value.(*waiter)
			place = place.Next()
			at := l.global.paused
			if w.window != nil {
				at = max(at, w.window.paused)
			}
			if err := l.reason(w, now); err != nil {
				l.finish(w, permits{}, err)
			} else if at > w.until {
				l.finish(w, permits{}, l.late(w, at))
			}
		}
	}
	expel(&l.global.queue)
	for _, own := range l.windows {
		expel(&own.queue)
	}
}
