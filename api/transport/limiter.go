package transport

import (
	"container/list"
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/mangadex-go/mangadex/internal/header"
)

// A Limiter decides when a request may be sent. A [LocalLimiter] serves one process; an
// implementation on a shared store lets several processes behind one address share a budget.
type Limiter interface {
	// Wait returns nil when the request may be sent. It returns a *[RateLimitError] as soon as it
	// knows that the request would have to wait longer than maxWait or than the deadline of ctx,
	// and the error of ctx when ctx is done.
	Wait(ctx context.Context, call Call, maxWait time.Duration) error

	// Learn is told what the answer to a request says about the limits. It is called only for
	// answers that say something.
	Learn(call Call, feedback Feedback)
}

// A Call is a request as a [Limiter] sees it.
type Call struct {
	Operation string // such as GetAtHomeServer; empty for a path without an operation
	Limit     Limit  // zero where only the global limit holds
}

// A Limit is an allowance of MangaDex: so many requests in any period of a length.
type Limit struct {
	Requests int
	Per      time.Duration
	Bucket   string // operations with the same bucket share the allowance
}

// Feedback is what an answer says about the limits.
type Feedback struct {
	Requests int           // the allowance of the operation in its period; zero: not said
	Pause    time.Duration // how long to send nothing; zero: go on
	All      bool          // the pause is for every operation
	Reason   error         // if set, calls fail with it during the pause and do not wait
}

// maxPause bounds what a LocalLimiter believes.
const maxPause = 2 * header.MaxWait

// A LocalLimiter is a [Limiter] in memory. [NewLimiter] makes one. It is safe for use by many
// goroutines, and by several clients at once.
//
// It never sends more than an allowance in any period of its length, and spaces what has queued
// up evenly. A token bucket would not do: from a full one, twice the allowance can pass in the
// first period, while MangaDex counts what came in each.
type LocalLimiter struct {
	start time.Time

	mu      sync.Mutex
	global  window
	windows map[string]*window
	pace    *rate.Limiter // of what leaves the queue
	step    time.Duration // between two requests that leave the queue
	timer   *time.Timer
}

// A LimiterOption changes a [LocalLimiter] that [NewLimiter] makes.
type LimiterOption func(*LocalLimiter)

// WithRate sets the global allowance: requests a second in the long run, and how many may be sent
// at once after a rest. No more than burst requests are sent in any burst/perSecond seconds. The
// default is what MangaDex allows, 5 and 5. WithRate panics if one of them is not positive, if
// burst is above a million, or if burst/perSecond seconds are more than a day.
func WithRate(perSecond float64, burst int) LimiterOption {
	const largestBurst, longest = 1_000_000, 24 * time.Hour
	seconds := float64(burst) / perSecond
	if !(perSecond > 0) || burst < 1 || burst > largestBurst || seconds > longest.Seconds() {
		panic(fmt.Sprintf("transport: a rate of %v requests a second with a burst of %d; both must be positive, the burst at most %d, and the time for a burst at most %v",
			perSecond, burst, largestBurst, longest))
	}
	return func(l *LocalLimiter) {
		l.setRate(burst, time.Duration(seconds*float64(time.Second)))
	}
}

// NewLimiter returns a limiter for one address.
func NewLimiter(options ...LimiterOption) *LocalLimiter {
	l := &LocalLimiter{start: time.Now(), windows: map[string]*window{}}
	l.setRate(5, time.Second)
	for _, option := range options {
		if option != nil {
			option(l)
		}
	}
	return l
}

func (l *LocalLimiter) setRate(requests int, per time.Duration) {
	l.global = newWindow(requests, per)
	// Faster than the allowance, so that it is the window that decides in the long run.
	l.step = max(per*9/10/time.Duration(requests), 1)
	const late = 2 * time.Millisecond // that a timer may be without slowing the queue down
	l.pace = rate.NewLimiter(rate.Every(l.step), 1+int(late/l.step))
}

// A waiter is a call in Wait. It stands in the queue of its operation until that has room, then in
// the global one.
type waiter struct {
	operation string
	window    *window // nil: only the global limit holds
	place     *list.Element
	queue     *list.List    // that place is in
	since     time.Duration // when it came
	until     time.Duration // when it gives up
	deadline  bool          // which is the deadline of its context
	done      chan struct{} // closed when err is set, or the request may be sent
	err       error
}

func (l *LocalLimiter) now() time.Duration { return time.Since(l.start) }

// Wait implements [Limiter].
func (l *LocalLimiter) Wait(ctx context.Context, call Call, maxWait time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.mu.Lock()
	now := l.now()
	own := l.windowOf(call)
	if l.global.queue.Len() == 0 && l.global.open(now) && (own == nil || own.queue.Len() == 0 && own.open(now)) {
		l.pace.AllowN(l.start.Add(now), 1)
		l.take(own, now, 0)
		l.mu.Unlock()
		return nil
	}
	w := &waiter{operation: call.Operation, window: own, since: now, until: now + min(maxWait, never-now)}
	if deadline, ok := ctx.Deadline(); ok {
		if at := deadline.Sub(l.start); at < w.until {
			w.until, w.deadline = at, true
		}
	}
	if err := l.refuse(w, now); err != nil {
		l.mu.Unlock()
		return err
	}
	w.done = make(chan struct{})
	if own != nil {
		w.join(&own.queue)
	} else {
		w.join(&l.global.queue)
	}
	l.dispatch(now)
	l.mu.Unlock()

	patience := time.NewTimer(maxWait)
	defer patience.Stop()
	select {
	case <-w.done:
		return w.err
	case <-patience.C:
		return l.leave(w, nil)
	case <-ctx.Done():
		return l.leave(w, ctx.Err())
	}
}

// join puts a waiter at the end of a queue.
func (w *waiter) join(queue *list.List) {
	w.queue, w.place = queue, queue.PushBack(w)
}

// finish ends the wait.
func (w *waiter) finish(err error) {
	w.queue.Remove(w.place)
	w.queue = nil
	w.err = err
	close(w.done)
}

// leave takes a waiter out that gives up. The error is that of its context; nil means that it has
// waited as long as it may.
func (l *LocalLimiter) leave(w *waiter, err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w.queue == nil { // its turn came at the same moment
		return w.err
	}
	now := l.now()
	if err == nil {
		err = l.late(w, l.expect(w, now))
	}
	l.drop(w, err)
	l.dispatch(now)
	return err
}

// drop ends the wait of a waiter that does not get its turn.
func (l *LocalLimiter) drop(w *waiter, err error) {
	if w.window != nil && w.queue == &l.global.queue {
		w.window.held--
	}
	w.finish(err)
}

// refuse returns an error if a waiter cannot get its turn in time.
func (l *LocalLimiter) refuse(w *waiter, now time.Duration) error {
	if l.global.reason != nil && now < l.global.paused {
		return l.global.reason
	}
	if w.window != nil && w.window.reason != nil && now < w.window.paused {
		return w.window.reason
	}
	if at := l.expect(w, now); at > w.until {
		return l.late(w, at)
	}
	return nil
}

func (l *LocalLimiter) late(w *waiter, at time.Duration) error {
	err := &RateLimitError{Operation: w.operation, RetryAt: l.start.Add(at)}
	if w.deadline {
		err.cause = context.DeadlineExceeded
	}
	return err
}

// expect is when a waiter that stands in its queue, or would be the next to join it, gets its turn
// at the earliest: its place in the queue of its operation, then behind those that are in the
// global queue already.
func (l *LocalLimiter) expect(w *waiter, now time.Duration) time.Duration {
	at := l.turn(l.global.ahead(w), now)
	if w.window != nil && w.queue != &l.global.queue {
		at = max(at, w.window.opens(w.window.ahead(w), now))
	}
	return at
}

// turn is when the request with n others before it in the global queue is sent.
func (l *LocalLimiter) turn(n int, now time.Duration) time.Duration {
	at := l.global.opens(n, now)
	if at > now || l.global.queue.Len() > 0 {
		first := max(l.global.opens(0, now), l.nextPace(now))
		at = max(at, first+time.Duration(n)*l.step)
	}
	return at
}

// nextPace is when the pace lets the next request out of the queue.
func (l *LocalLimiter) nextPace(now time.Duration) time.Duration {
	missing := 1 - l.pace.TokensAt(l.start.Add(now))
	if missing <= 0 {
		return now
	}
	return now + time.Duration(missing*float64(l.step)) + time.Microsecond // behind all rounding
}

// take uses a permit of the operation's window and of the global one.
func (l *LocalLimiter) take(own *window, now, waited time.Duration) {
	if own != nil {
		own.use(now, waited)
	}
	l.global.use(now, waited)
}

// dispatch lets everything go that may go, and sets the timer for what may go next. Permits of a
// window are counted from the moment at which the request is sent, not from when it joins the
// global queue: there it can be held up, and with it the beginning of the period.
func (l *LocalLimiter) dispatch(now time.Duration) {
	for _, own := range l.windows {
		for own.queue.Len() > 0 && own.open(now) {
			w := own.queue.Remove(own.queue.Front()).(*waiter)
			own.held++
			w.join(&l.global.queue)
		}
	}
	for l.global.queue.Len() > 0 && l.global.open(now) && l.pace.AllowN(l.start.Add(now), 1) {
		w := l.global.queue.Front().Value.(*waiter)
		if w.window != nil {
			w.window.held--
		}
		l.take(w.window, now, now-w.since)
		w.finish(nil)
	}
	l.wakeAt(l.nextEvent(now), now)
}

// never is a time that does not come.
const never = time.Duration(1<<63 - 1)

// nextEvent is when dispatch has something to do again.
func (l *LocalLimiter) nextEvent(now time.Duration) time.Duration {
	next := never
	if l.global.queue.Len() > 0 {
		next = max(l.global.opens(0, now), l.nextPace(now))
	}
	for _, own := range l.windows {
		if own.queue.Len() > 0 {
			next = min(next, own.opens(0, now))
		}
	}
	return next
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

// windowOf returns the window of a call, nil if it has none.
func (l *LocalLimiter) windowOf(call Call) *window {
	bucket := call.Limit.Bucket
	if call.Limit.Requests <= 0 || call.Limit.Per <= 0 {
		if len(l.windows) == 0 {
			return nil
		}
		return l.windows[call.Operation] // there after a pause of its own
	}
	if bucket == "" {
		bucket = call.Operation
	}
	own := l.windows[bucket]
	if own == nil {
		own = new(window)
		*own = newWindow(call.Limit.Requests, call.Limit.Per)
		l.windows[bucket] = own
	}
	return own
}

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
				own = new(window)
				l.windows[call.Operation] = own
			}
			paused = own
			l.recall(own)
		}
		if at := now + min(feedback.Pause, maxPause); at >= paused.paused {
			paused.paused, paused.reason = at, feedback.Reason
		}
		l.expel(now)
	}
	l.dispatch(now)
}

// recall puts those that wait in the global queue back at the head of that of their window.
func (l *LocalLimiter) recall(own *window) {
	for place := l.global.queue.Back(); place != nil; {
		w := place.Value.(*waiter)
		place = place.Prev()
		if w.window == own {
			l.global.queue.Remove(w.place)
			own.held--
			w.queue, w.place = &own.queue, own.queue.PushFront(w)
		}
	}
}

// expel ends the wait of those that cannot get their turn in time any more.
func (l *LocalLimiter) expel(now time.Duration) {
	expel := func(queue *list.List) {
		for place := queue.Front(); place != nil; {
			w := place.Value.(*waiter)
			place = place.Next()
			at := l.global.paused
			reason := error(nil)
			if at > now {
				reason = l.global.reason
			}
			if w.window != nil && w.window.paused > now {
				at = max(at, w.window.paused)
				if reason == nil {
					reason = w.window.reason
				}
			}
			switch {
			case reason != nil:
				l.drop(w, reason)
			case at > w.until:
				l.drop(w, l.late(w, at))
			}
		}
	}
	expel(&l.global.queue)
	for _, own := range l.windows {
		expel(&own.queue)
	}
}
