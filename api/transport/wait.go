package transport

import (
	"context"
	"log/slog"
	"time"
)

// A Wait is a time for which a request is held back.
type Wait struct {
	Operation string    // such as GetAtHomeServer; empty for a path without an operation
	Until     time.Time // when it ends at the earliest, as far as that is known; zero if it is not
	Reason    string    // "rate limit", or why the last attempt is repeated
}

// longWait is how long a request is held back before that is told.
const longWait = 5 * time.Second

// WithOnWait calls a function when a request is held back for more than five seconds, by the limits or
// before a repetition, so that a program can say why nothing moves. It is called once for each wait, by
// several goroutines at once, and must not take long.
func WithOnWait(f func(Wait)) Option {
	return func(s *settings) error {
		s.onWait = f
		return nil
	}
}

// admit waits until an attempt may be made, or goes on that has had its turn.
func (e *exchange) admit(ctx context.Context, hadTurn bool) error {
	t := e.t
	e.permits = leave{}
	if until, banned := t.ban.holds(); banned {
		return &BannedError{RetryAt: until}
	}
	if t.limiter == nil {
		return ctx.Err()
	}
	start := time.Now()
	var err error
	if t.onWait == nil && t.logger == nil {
		e.permits, err = reserve(ctx, t.limiter, e.call, t.maxWait, nil, hadTurn)
	} else {
		var late *time.Timer // for a wait that becomes longer than it seemed
		e.permits, err = reserve(ctx, t.limiter, e.call, t.maxWait, func(until time.Time) {
			if time.Until(until) > longWait {
				e.tell(Wait{e.call.Operation, until, "rate limit"})
			} else {
				late = time.AfterFunc(longWait, func() { e.tell(Wait{e.call.Operation, time.Time{}, "rate limit"}) })
			}
		}, hadTurn)
		if late != nil {
			late.Stop()
		}
	}
	if waited := time.Since(start); waited >= shortWait {
		t.stats.waits.Add(1)
		t.stats.waited.Add(int64(waited))
	}
	return err
}

// leave is what a limiter has given for an attempt.
type leave struct {
	back    func()        // gives it back; nil if that cannot be done, or
	local   *LocalLimiter // that does it without a function, which costs an allocation
	permits permits
}

// sends notes that the attempt is sent only now. It reports whether the permits are good for that.
func (l *leave) sends() bool {
	if l.local == nil {
		return true // nobody has told how long the permits hold
	}
	return l.local.sends(&l.permits)
}

func (l leave) giveBack() {
	switch {
	case l.local != nil:
		l.local.giveBack(l.permits)
	case l.back != nil:
		l.back()
	}
}

// longConnect is how long it may take to connect before that changes when a request counts.
const longConnect = time.Millisecond

// connected is called when there is a connection to send on, by net/http. That is not always at once,
// and not always once: where a connection turns out to have been closed, or the server is about to
// close it, net/http sends the request again by itself. Each sending needs permits of its own time.
func (e *exchange) connected(w *watch) {
	if e.t.limiter == nil {
		return
	}
	again := e.onConn
	e.onConn = true
	if !again && (time.Since(e.sent) < longConnect || e.permits.sends()) {
		return
	}
	if !again {
		e.permits.giveBack()
	}
	w.pause()
	if err := e.admit(w, true); err != nil {
		w.refuse(err)
		return
	}
	e.sent = time.Now()
	w.goOn()
}

// reserve asks a limiter of any kind. One that does not tell how long it waits is taken to wait.
func reserve(ctx context.Context, limiter Limiter, call Call, maxWait time.Duration, waiting func(until time.Time), hadTurn bool) (l leave, err error) {
	switch limiter := limiter.(type) {
	case *LocalLimiter:
		if l.permits, err = limiter.reserve(ctx, call, maxWait, waiting, hadTurn); err == nil {
			l.local = limiter
		}
	case Reserver:
		l.back, err = limiter.Reserve(ctx, call, maxWait, waiting)
	default:
		if waiting != nil {
			waiting(time.Time{})
		}
		err = limiter.Wait(ctx, call, maxWait)
	}
	return l, err
}

// pauseBefore waits before a repetition.
func (e *exchange) pauseBefore(ctx context.Context) error {
	if e.delay <= 0 {
		return ctx.Err()
	}
	if e.delay > longWait {
		e.tell(Wait{e.call.Operation, time.Now().Add(e.delay), e.why})
	}
	timer := time.NewTimer(e.delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// tell says that the request waits.
func (e *exchange) tell(wait Wait) {
	if e.t.logger != nil {
		attrs := []slog.Attr{slog.String("reason", wait.Reason)}
		if !wait.Until.IsZero() {
			attrs = append(attrs, slog.Time("until", wait.Until))
		}
		e.write(slog.LevelInfo, "waiting to send a request", attrs...)
	}
	if e.t.onWait != nil {
		e.t.onWait(wait)
	}
}
