package fleet

import (
	"fmt"
	"strings"
	"time"
)

// A LimiterOption changes a [Limiter] that [NewLimiter] makes.
type LimiterOption func(*limiterSettings) error

type limiterSettings struct {
	prefix   string
	requests int
	period   time.Duration
	timeout  time.Duration
	turns    int // parts of the allowance for when Redis is away; 0: nothing is sent then
}

// WithPrefix sets what the keys in Redis begin with, "mangadex" by default. Processes with the same
// prefix have one allowance between them, so it stands for the address that MangaDex sees.
func WithPrefix(prefix string) LimiterOption {
	return func(s *limiterSettings) error {
		if prefix == "" || strings.ContainsAny(prefix, "{}") {
			return fmt.Errorf("fleet: WithPrefix(%q): give a character at least, and no braces", prefix)
		}
		s.prefix = prefix
		return nil
	}
}

// WithRate sets the global allowance: at most this many requests in any period of this length. The
// default is that of MangaDex, 5 in a second. A hundredth is added to each period, because some
// requests take longer on the way than others.
func WithRate(requests int, per time.Duration) LimiterOption {
	const largest, longest = 1000, time.Hour
	return func(s *limiterSettings) error {
		if requests < 1 || requests > largest || per < time.Millisecond || per > longest {
			return fmt.Errorf("fleet: WithRate(%d, %v): give 1 to %d requests, and a time from a millisecond to %v", requests, per, largest, longest)
		}
		s.requests, s.period = requests, per
		return nil
	}
}

// WithLocalShare lets each of that many processes, 200 at most, go on while Redis is away, with an
// equal part of the allowance. They agree on who sends when while Redis is there, so that together they
// stay within the allowance. A process that has made no call in the last minute, or that is one too
// many, has no part, and its calls fail with an [UnavailableError]. Before its first request without
// Redis, a process waits for the period of the allowance, because it does not know what the others have
// sent.
func WithLocalShare(processes int) LimiterOption {
	return func(s *limiterSettings) error {
		if processes < 1 || processes > 200 {
			return fmt.Errorf("fleet: WithLocalShare(%d): give a number of processes from 1 to 200", processes)
		}
		s.turns = processes
		return nil
	}
}

// WithTimeout sets how long a command may take, 2 seconds by default, before Redis counts as away.
func WithTimeout(d time.Duration) LimiterOption {
	return func(s *limiterSettings) error {
		if d <= 0 {
			return fmt.Errorf("fleet: WithTimeout(%v): give a time above zero", d)
		}
		s.timeout = d
		return nil
	}
}

// An UnavailableError says that the limiter could not ask Redis, so that the request was not sent.
type UnavailableError struct {
	Server string // address of Redis, as far as it is known
	Err    error  // without secrets
}

// Error names the server.
func (e *UnavailableError) Error() string {
	return fmt.Sprintf("fleet: not sent: Redis%s, which keeps the allowance, cannot be asked: %v; %s", at(e.Server), e.Err, advice(e.Err))
}

// Unwrap returns what went wrong.
func (e *UnavailableError) Unwrap() error { return e.Err }
