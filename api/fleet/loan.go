package fleet

import (
	"context"
	"sync"
	"time"

	"github.com/mangadex-go/mangadex/api/transport"
)

// loan is for how long a place of a narrow allowance that is further away is lent to a process. It is
// lent on with the next call of the process, and with a script of its own where there is none for a
// while; if the process is killed, others get it.
const loan = 3 * time.Second

// lends reports whether a place for a call is lent if it is far away. Without other calls that lend it on
// that would cost many scripts, and is done only where the share without Redis needs it: by then others
// must not have places any more of which nobody knows.
func (l *Limiter) lends(call transport.Call) bool {
	if !limited(call) {
		return false
	}
	own := l.line(call)
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, other := range l.lines {
		if calls, _ := other.ahead(); other != own && calls > 0 {
			return true
		}
	}
	return l.turns > 0
}

// loans are the places that are lent to this process.
type loans struct {
	mu    sync.Mutex
	until map[string]time.Time // by member, by our own clock
}

// held are those that have not been lost at a time.
func (l *loans) held(now time.Time) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []string
	for member, until := range l.until {
		if now.Before(until) {
			all = append(all, member)
		}
	}
	return all
}

// lend notes that Redis was asked at a time to lend places on, and has answered. One that was lost before
// the answer came may have been another's before Redis was asked.
func (l *loans) lend(asked time.Time, members ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	heard := time.Now()
	for _, member := range members {
		if until, waits := l.until[member]; waits && heard.Before(until) {
			l.until[member] = later(until, asked.Add(loan))
		}
	}
}

func (l *loans) of(member string) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.until[member]
}

func (l *loans) begin(member string, asked time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.until[member] = asked.Add(loan)
}

func (l *loans) end(member string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.until, member)
}

// await waits until the time of a place. It reports false if the place was lent and is lost.
func (l *Limiter) await(ctx context.Context, p place) (held bool, err error) {
	if p.lent == "" {
		return true, sleep(ctx, p.wait)
	}
	defer l.loans.end(p.lent)
	for at := time.Now().Add(p.wait); ; {
		until, now := l.loans.of(p.lent), time.Now()
		switch {
		case !now.Before(until):
			return false, nil
		case !now.Before(at):
			return true, nil
		}
		renew := until.Add(-loan / 3)
		if now.Before(renew) {
			if renew.After(at) {
				renew = at
			}
			if err := sleep(ctx, renew.Sub(now)); err != nil {
				return true, err
			}
			continue
		}
		if l.lendOn(ctx) != nil {
			if err := sleep(ctx, loan/20); err != nil {
				return true, err
			}
		}
	}
}

// lendOn has the places of this process lent on.
func (l *Limiter) lendOn(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, min(l.timeout, loan/6))
	defer cancel()
	asked := time.Now()
	members := l.loans.held(asked)
	args := []any{loan.Microseconds()}
	for _, member := range members {
		args = append(args, member)
	}
	_, err := run(ctx, l.redis, lendScript(), []string{l.key("lent")}, nil, args...)
	if err == nil {
		l.loans.lend(asked, members...)
	}
	return err
}
