package fleet

import (
	"context"
	"time"
)

// awayNow reports whether Redis is away, and why. Once in a while one caller asks it again; if it is
// back, what was sent meanwhile is reported first.
func (l *Limiter) awayNow() (away bool, cause error) {
	l.mu.Lock()
	s := &l.shared
	now := time.Now()
	switch {
	case s.away.IsZero():
		l.mu.Unlock()
		return false, nil
	case now.Before(s.probe):
		defer l.mu.Unlock()
		return true, s.cause
	}
	s.probe = now.Add(probeEvery)
	l.mu.Unlock()
	if err := l.reportSent(now, l.turns > 0); err != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		s.cause = clean(err)
		return true, s.cause
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	s.away, s.cause = time.Time{}, nil
	return false, nil
}

// reportSent tells Redis, which may be back, what was sent while it was away, and, where others may have
// sent something, too, to hold everything. Nothing is lost where it is not.
func (l *Limiter) reportSent(now time.Time, holding bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), min(l.timeout, probeEvery/2))
	defer cancel()
	counts := l.sending.report(now)
	keys, args := []string{l.key("state")}, []any{hold.Microseconds()}
	if !holding {
		args[0] = 0
	}
	for _, one := range counts {
		keys = append(keys, l.key(one.name))
		args = append(args, one.period.Microseconds(), now.Sub(one.at).Microseconds(), one.member)
	}
	_, err := run(ctx, l.redis, reportScript(), keys, nil, args...)
	if err != nil {
		l.sending.mu.Lock()
		l.sending.sent = append(counts, l.sending.sent...)
		l.sending.mu.Unlock()
	}
	return err
}

// lost notes that Redis does not answer, and returns why.
func (l *Limiter) lost(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if l.shared.away.IsZero() {
		l.shared.away, l.shared.probe = now, now.Add(probeEvery)
	}
	l.shared.cause = err
	return err
}

// alone is a place in the share of this process.
func (l *Limiter) alone(r *reservation, cause error) (place, error) {
	now := time.Now()
	l.mu.Lock()
	away := l.shared.away
	l.mu.Unlock()
	if away.IsZero() {
		away = now
	}
	at, ok := l.sending.next(r.call, away, now)
	if !ok {
		return place{}, &UnavailableError{Server: addressOf(l.redis), Err: cause}
	}
	if at.After(r.ends) {
		return place{}, r.late(at)
	}
	if wait := at.Sub(now); wait > probeEvery {
		return place{wait: wait, notYet: true}, nil
	}
	l.sending.take(r.call, at, l.member())
	return place{wait: at.Sub(now), giveBack: func() {}}, nil
}
