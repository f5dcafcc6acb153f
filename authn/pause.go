package authn

import (
	"errors"
	"fmt"
	"time"
)

const (
	shortestPause = time.Second
	longestPause  = 5 * time.Minute
)

// A pause is how long something that has failed is left alone: a second after the first time, twice
// as long after each other one, five minutes at most. It goes by the wall clock, because the
// monotonic one stands still while a computer sleeps. The zero value is none.
type pause struct {
	of    string // fingerprint of what has failed; another one has no pause
	times int    // how often it has failed in a row
	since time.Time
	until time.Time
	told  bool  // the server has named the time
	asked bool  // the user has asked for the attempt
	err   error // that it failed with
}

// after is the pause after one more failure. The server may want more time than a pause has.
func (p pause) after(of string, err error, now time.Time, wanted time.Duration, asked bool) pause {
	if p.of != of {
		p = pause{of: of}
	}
	length := longestPause
	if p.times < 9 {
		length = min(shortestPause<<p.times, longestPause)
	}
	now = now.Round(0)
	return pause{of: of, times: p.times + 1, since: now, until: now.Add(max(length, wanted)), told: wanted > 0, asked: asked, err: err}
}

// left is how much of the pause is left. If the clock has been put back behind its beginning it is
// over, or it might last for days.
func (p pause) left(now time.Time) time.Duration {
	if p.times == 0 || now.Before(p.since) || !now.Before(p.until) {
		return 0
	}
	return p.until.Sub(now)
}

// ends is the error of an attempt that is not made because of the pause, nil if it may be made. A
// user who asks may have one attempt more than calls do by themselves, unless it is the server that
// wants the pause.
func (p pause) ends(of, operation string, now time.Time, asked bool) error {
	left := p.left(now)
	if left == 0 || p.of != of || asked && !p.asked && !p.told {
		return nil
	}
	var last *TokenError
	if !errors.As(p.err, &last) {
		return fmt.Errorf("%w; the next attempt is in %s", p.err, rounded(left))
	}
	again := *last
	again.Operation, again.RetryAfter = operation, left
	return &again
}

// rounded is a time to wait in whole seconds, rounded up, so that nobody comes back too early.
func rounded(d time.Duration) string { return (d + time.Second - 1).Truncate(time.Second).String() }

// pauses are those of the passwords that have failed last.
type pauses []pause

// of returns the pause of a password.
func (p pauses) of(mark string) pause {
	for _, one := range p {
		if one.of == mark {
			return one
		}
	}
	return pause{}
}

// with returns the pauses with another one instead of that of the same password.
func (p pauses) with(one pause) pauses {
	const remembered = 8
	next := make(pauses, 0, len(p)+1)
	for _, other := range p {
		if other.of != one.of {
			next = append(next, other)
		}
	}
	next = append(next, one)
	return next[max(0, len(next)-remembered):]
}
