package transport

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/mangadex-go/mangadex/internal/answer"
	"github.com/mangadex-go/mangadex/internal/given"
	"github.com/mangadex-go/mangadex/internal/origin"
)

// Bounds of the options.
const (
	longestBackoff = time.Hour
	longestBan     = 24 * time.Hour
)

// servers are those that the limits hold for unless WithAPIServer names another.
var servers = []string{"https://api.mangadex.org", "https://api.mangadex.dev"}

// A Transport is a polite [http.RoundTripper]. [New] makes one. It is safe for use by many
// goroutines.
type Transport struct {
	settings
	*state
}

// settings are what the options say.
type settings struct {
	base     http.RoundTripper
	servers  []*origin.Server
	agent    []string // value of the header
	limiter  Limiter  // nil: no limits
	maxWait  time.Duration
	attempts int
	backoff  backoff
	banPause time.Duration
	logger   *slog.Logger // nil: no logging
	onWait   func(Wait)   // nil: nobody is told

	stall          time.Duration // 0: any
	attemptTimeout time.Duration // 0: none
}

// state is what requests leave behind for others.
type state struct {
	budget  budget
	ban     ban
	silence silence
	clock   clock
	stats   counters
}

// An Option changes a [Transport] that [New] makes.
type Option func(*settings) error

// New returns a transport with the defaults that this package describes, unless options change them.
func New(options ...Option) (*Transport, error) {
	s := settings{
		agent:    []string{Product()},
		maxWait:  answer.MaxWait,
		attempts: 5,
		backoff:  backoff{first: 300 * time.Millisecond, longest: 10 * time.Second},
		banPause: 10 * time.Minute,
		stall:    longestStall,
	}
	own, err := NewLimiter()
	if err != nil {
		return nil, err
	}
	s.limiter = own
	if err := given.Options(&s, options); err != nil {
		return nil, err
	}
	if s.base == nil {
		s.base = newStandard()
	}
	if s.servers == nil {
		for _, server := range servers {
			if err := WithAPIServer(server)(&s); err != nil {
				return nil, err
			}
		}
	}
	t := &Transport{settings: s, state: new(state)}
	t.budget.fill()
	return t, nil
}

// WithBase sets the transport below, which sends. The default is [http.DefaultTransport], as it is when
// a request is made, with the time limits of [Base] unless a program has replaced it.
//
// A base must not repeat by itself, as that of a client of go-retryablehttp does: the limits do not
// hold its attempts back, and it hides each 429 but the last. Turn its repetitions off, or put it
// around the client.
func WithBase(base http.RoundTripper) Option {
	return func(s *settings) error {
		if base != nil && given.Nil(base) {
			return fmt.Errorf("transport: WithBase: the %T is nil; leave the option out for the default", base)
		}
		s.base = base
		return nil
	}
}

// WithAPIServer adds a server that limits and repetitions hold for, instead of MangaDex's own. It is
// the beginning of the URLs of its operations: scheme, host and perhaps a path.
func WithAPIServer(server string) Option {
	return func(s *settings) error {
		known, err := origin.Parse(server, servers[0])
		if err != nil {
			return fmt.Errorf("transport: WithAPIServer: the address of the server %w", err)
		}
		s.servers = append(s.servers, known)
		return nil
	}
}

// WithUserAgent adds the name of the application to the User-Agent, behind that of this library:
// a product, a version and a way to reach its maker, like "shelf/1.2 (+https://shelf.example)".
// MangaDex refuses names of browsers, and so does [New].
func WithUserAgent(application string) Option {
	return func(s *settings) error {
		agent, err := UserAgent(application)
		s.agent = []string{agent}
		return err
	}
}

// WithLimiter replaces the limiter, for example by one that several clients share.
func WithLimiter(limiter Limiter) Option {
	return func(s *settings) error {
		if given.Nil(limiter) {
			return errors.New("transport: WithLimiter: the limiter is nil; leave the option out, or use WithoutRateLimit")
		}
		s.limiter = limiter
		return nil
	}
}

// WithoutRateLimit sends every request at once. It is meant for your own servers.
func WithoutRateLimit() Option {
	return func(s *settings) error {
		s.limiter = nil
		return nil
	}
}

// WithMaxWait bounds how long a request waits to be sent; zero means that it does not wait but
// fails with a *[RateLimitError]. The default is an hour, the longest period of any limit.
func WithMaxWait(d time.Duration) Option {
	return func(s *settings) error {
		if d < 0 {
			return fmt.Errorf("transport: WithMaxWait(%v): give a time of zero or more", d)
		}
		s.maxWait = d
		return nil
	}
}

// WithAttempts sets how often a request is sent at most, five times by default. One is the least.
func WithAttempts(n int) Option {
	return func(s *settings) error {
		if n < 1 {
			return fmt.Errorf("transport: WithAttempts(%d): give at least one", n)
		}
		s.attempts = n
		return nil
	}
}

// WithBackoff sets the time before a repetition: a random part of first. With every further repetition
// first doubles, up to longest, which is an hour at most. The defaults are 300 ms and 10 s. The
// Retry-After of a 503 is added; if that is more than a minute, the request fails.
func WithBackoff(first, longest time.Duration) Option {
	return func(s *settings) error {
		if first < 0 || longest < first || longest > longestBackoff {
			return fmt.Errorf("transport: WithBackoff(%v, %v): give a first time from zero to the longest, and a longest of at most %v", first, longest, longestBackoff)
		}
		s.backoff = backoff{first, longest}
		return nil
	}
}

// WithoutRetry sends every request once.
func WithoutRetry() Option { return WithAttempts(1) }

// WithBanPause sets how long nothing is sent after what looks like a ban, ten minutes by default. A day
// is the most; zero is no pause.
func WithBanPause(d time.Duration) Option {
	return func(s *settings) error {
		if d < 0 || d > longestBan {
			return fmt.Errorf("transport: WithBanPause(%v): give a time from zero to %v", d, longestBan)
		}
		s.banPause = d
		return nil
	}
}

// WithLogger logs a line for each attempt (debug), repetition and pause (warn): operation, method,
// path, status, duration, request id and attempt. Headers, queries and bodies are never logged.
func WithLogger(logger *slog.Logger) Option {
	return func(s *settings) error {
		s.logger = logger
		return nil
	}
}

// Base returns the transport below, which sends, for requests that are not for the API.
func (t *Transport) Base() http.RoundTripper { return t.base }

// HasBase reports whether a program has chosen the transport below: with [WithBase], or by replacing
// [http.DefaultTransport].
func (t *Transport) HasBase() bool {
	usual, ok := t.base.(*standard)
	return !ok || usual.now() != usual.copy
}

// UserAgent returns what the transport sends as the User-Agent.
func (t *Transport) UserAgent() string { return t.agent[0] }

// Bounded returns a transport that shares everything with this one, and gives up each attempt after
// a time, as with [WithAttemptTimeout].
func (t *Transport) Bounded(attempt time.Duration) *Transport {
	bounded := *t
	bounded.attemptTimeout = attempt
	return &bounded
}

// CloseIdleConnections closes the connections of the transport below that are not in use.
// [http.Client.CloseIdleConnections] calls it.
func (t *Transport) CloseIdleConnections() {
	if c, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// toAPI tells whether limits and repetitions hold for a URL.
func (t *Transport) toAPI(u *url.URL) bool {
	for _, server := range t.servers {
		if server.Contains(u) {
			return true
		}
	}
	return false
}
