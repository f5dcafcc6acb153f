package transport

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/mangadex-go/mangadex/internal/given"
)

// A LocalLimiter is a [Limiter] in memory. [NewLimiter] makes one. It is safe for use by many
// goroutines, and by several clients at once.
//
// In no period does it let more through than the allowance, and it spaces queued requests evenly. A
// token bucket would not do: a full one lets up to twice the allowance pass in the first period, and
// MangaDex counts every period.
//
// Calls go in the order in which they came. A call whose own allowance has no room lets others pass,
// and goes before all later ones when there is room again.
type LocalLimiter struct {
	start time.Time // of its clock

	mu      sync.Mutex
	global  window             // of everything; its queue is of calls without a window of their own
	windows map[string]*window // by bucket
	step    time.Duration      // between two requests that leave a queue
	next    time.Duration      // when the next request may leave a queue
	came    uint64             // calls that had to wait so far
	waiting int                // calls in all queues
	timer   *time.Timer
}

// A LimiterOption changes a [LocalLimiter] that [NewLimiter] makes.
type LimiterOption func(*limiterSettings) error

type limiterSettings struct {
	requests int
	per      time.Duration
}

// WithRate sets the global allowance: requests a second in the long run, and how many may be sent
// at once after a rest. No more than burst requests are sent in any burst/perSecond seconds. The
// default is what MangaDex allows, 5 and 5. Both must be positive, burst at most a million, and
// burst/perSecond seconds at most a day.
func WithRate(perSecond float64, burst int) LimiterOption {
	const largestBurst, longest = 1_000_000, 24 * time.Hour
	return func(s *limiterSettings) error {
		seconds := float64(burst) / perSecond
		if !(perSecond > 0) || burst < 1 || burst > largestBurst || seconds > longest.Seconds() {
			return fmt.Errorf("transport: WithRate(%v, %d): both must be positive, the burst at most %d, and the time for a burst at most %v", perSecond, burst, largestBurst, longest)
		}
		s.requests, s.per = burst, time.Duration(seconds*float64(time.Second))
		return nil
	}
}

// NewLimiter returns a limiter for one address.
func NewLimiter(options ...LimiterOption) (*LocalLimiter, error) {
	s := limiterSettings{requests: 5, per: time.Second}
	if err := given.Options(&s, options); err != nil {
		return nil, err
	}
	return &LocalLimiter{
		start:   time.Now(),
		global:  newWindow(s.requests, s.per),
		windows: map[string]*window{},
		// Faster than the allowance, so that it is the window that decides in the long run.
		step: max(s.per*9/10/time.Duration(s.requests), 1),
	}, nil
}

// A waiter is a call in Wait.
type waiter struct {
	operation string
	ticket    uint64  // its place among all; 0 is before all
	window    *window // nil: only the global limit holds
	place     *list.Element
	queue     *list.List    // that place is in; nil: in none
	since     time.Duration // when it came
	until     time.Duration // when it gives up
	maxWait   time.Duration
	deadline  bool          // until is the deadline of its context
	done      chan struct{} // closed when permits or err are set
	permits   permits
	err       error
}

func (l *LocalLimiter) now() time.Duration { return time.Since(l.start) }

// Wait implements [Limiter].
func (l *LocalLimiter) Wait(ctx context.Context, call Call, maxWait time.Duration) error {
	_, err := l.reserve(ctx, call, maxWait, nil, false)
	return err
}

// Reserve implements [Reserver].
func (l *LocalLimiter) Reserve(ctx context.Context, call Call, maxWait time.Duration, waiting func(until time.Time)) (giveBack func(), err error) {
	p, err := l.reserve(ctx, call, maxWait, waiting, false)
	if err != nil {
		return nil, err
	}
	return func() { l.giveBack(p) }, nil
}

// permits are what a request has taken, known by when they come back.
type permits struct {
	own           *window
	ofOwn, global time.Duration
}

// reserve waits for permits. A call that has had its turn goes before the others.
func (l *LocalLimiter) reserve(ctx context.Context, call Call, maxWait time.Duration, waiting func(until time.Time), hadTurn bool) (p permits, err error) {
	if err := ctx.Err(); err != nil {
		return p, err
	}
	l.mu.Lock()
	now := l.now()
	own := l.windowOf(call)
	if l.passes(own, now, hadTurn) {
		l.next = max(l.next, now+l.step)
		p = l.take(own, now, 0)
		l.mu.Unlock()
		return p, nil
	}
	w := &waiter{operation: call.Operation, window: own, since: now, until: now + min(maxWait, never-now), maxWait: maxWait}
	if deadline, ok := ctx.Deadline(); ok {
		if at := deadline.Sub(l.start); at < w.until {
			w.until, w.deadline = at, true
		}
	}
	if !hadTurn {
		w.ticket = l.came + 1
	}
	at, err := l.refuse(w, now)
	if err != nil {
		l.mu.Unlock()
		return p, err
	}
	w.done = make(chan struct{})
	l.came = max(l.came, w.ticket)
	l.join(w)
	l.dispatch(now)
	l.mu.Unlock()

	if waiting != nil {
		waiting(l.start.Add(at))
	}
	patience := time.NewTimer(maxWait)
	defer patience.Stop()
	select {
	case <-w.done:
		return w.permits, w.err
	case <-patience.C:
		return l.leave(w, nil)
	case <-ctx.Done():
		return l.leave(w, ctx.Err())
	}
}

// passes tells whether a call that comes now goes at once. Those that wait for an allowance of
// their own do not hold it up.
func (l *LocalLimiter) passes(own *window, now time.Duration, hadTurn bool) bool {
	return l.global.open(now) && (own == nil || (hadTurn || own.queue.Len() == 0) && own.open(now)) && (hadTurn || l.waiting == 0 || l.first(now) == nil)
}

// join puts a waiter at its place in its queue.
func (l *LocalLimiter) join(w *waiter) {
	w.queue = l.queueOf(w)
	if w.ticket == 0 {
		w.place = w.queue.PushFront(w)
	} else {
		w.place = w.queue.PushBack(w)
	}
	l.waiting++
}

func (l *LocalLimiter) queueOf(w *waiter) *list.List {
	if w.window != nil {
		return &w.window.queue
	}
	return &l.global.queue
}

// finish ends the wait, with an error or with a permit.
func (l *LocalLimiter) finish(w *waiter, p permits, err error) {
	w.queue.Remove(w.place)
	w.queue = nil
	l.waiting--
	w.permits, w.err = p, err
	close(w.done)
}

// leave takes a waiter out that gives up. The error is that of its context; nil means that it has
// waited as long as it may.
func (l *LocalLimiter) leave(w *waiter, err error) (permits, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w.queue == nil { // its turn came at the same moment
		return w.permits, w.err
	}
	now := l.now()
	if err == nil || errors.Is(err, context.DeadlineExceeded) {
		w.deadline = err != nil
		err = l.late(w, l.expect(w, now))
	}
	l.finish(w, permits{}, err)
	l.dispatch(now)
	return permits{}, err
}

// take uses a permit of a call's own window and of the global one.
func (l *LocalLimiter) take(own *window, now, waited time.Duration) permits {
	p := permits{own: own, global: l.global.use(now, waited)}
	if own != nil {
		p.ofOwn = own.use(now, waited)
	}
	return p
}

// giveBack undoes take.
func (l *LocalLimiter) giveBack(p permits) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	l.global.move(p.global, min(now, *l.global.permit(0)))
	if p.own != nil && len(p.own.back) > 0 {
		p.own.move(p.ofOwn, min(now, *p.own.permit(0)))
	}
	l.dispatch(now)
}

// sends notes that the request for which permits were taken is sent only now, because it took a while
// to connect: the server counts when it arrives. It reports whether the permits were still taken.
func (l *LocalLimiter) sends(p *permits) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if p.global <= now || p.own != nil && p.ofOwn <= now {
		return false
	}
	at := now + l.global.period
	l.global.move(p.global, at)
	p.global = at
	if p.own != nil {
		at := now + p.own.period
		p.own.move(p.ofOwn, at)
		p.ofOwn = at
	}
	return true
}

// windowOf returns the window of a call, nil if it has none.
func (l *LocalLimiter) windowOf(call Call) *window {
	bucket := call.Bucket()
	own := l.windows[bucket] // of a call without a limit, there after a pause of its own
	if own == nil && call.Limit.Requests > 0 && call.Limit.Per > 0 {
		own = new(window)
		*own = newWindow(call.Limit.Requests, call.Limit.Per)
		l.windows[bucket] = own
	}
	return own
}
