package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/mangadex-go/mangadex/api/transport"
	"github.com/mangadex-go/mangadex/internal/given"
	"github.com/mangadex-go/mangadex/internal/origin"
)

// Servers of MangaDex.
const (
	Production  = "https://api.mangadex.org"
	Development = "https://api.mangadex.dev" // for trials; accounts and limits of its own
)

// A Client has a method for each operation of the API. [New] makes one. It is safe for use by many
// goroutines.
type Client struct {
	doer      HttpRequestDoer
	editors   []RequestEditorFn
	server    *origin.Server
	root      string // the server as the requests are built on it, with a slash at the end
	transport *transport.Transport
	strict    bool // about values that cannot be read
}

// A RequestEditorFn changes a request before it is sent, or refuses it with an error.
type RequestEditorFn func(ctx context.Context, req *http.Request) error

// An HttpRequestDoer sends a request and returns the answer, as an [http.Client] does.
//
//nolint:revive // the name that users of oapi-codegen know
type HttpRequestDoer interface {
	Do(req *http.Request) (*http.Response, error)
}

// An Option changes a [Client] that [New] makes.
type Option func(*settings) error

// settings collects what the options say.
type settings struct {
	client     HttpRequestDoer
	editors    []RequestEditorFn
	middleware []func(HttpRequestDoer) HttpRequestDoer
	transport  []transport.Option
	users      []func(server string, t *transport.Transport)
	strict     bool
}

// Options joins options into one.
func Options(options ...Option) Option {
	return func(s *settings) error { return given.Options(s, options) }
}

// WithHTTPClient sets the client that sends the requests. Limits, repetitions and the guard of
// redirects are put into a copy of an [http.Client], and around any other doer. Of several the last
// counts; nil is the default.
func WithHTTPClient(client HttpRequestDoer) Option {
	return func(s *settings) error {
		if none, ok := client.(*http.Client); ok && none == nil {
			client = nil
		}
		if client != nil && given.Nil(client) {
			return fmt.Errorf("api: WithHTTPClient: the %T is nil; leave the option out for the default", client)
		}
		s.client = client
		return nil
	}
}

// WithRequestEditorFn changes every request before it is sent, in the order of the options. Editors
// that a call is given come after these.
func WithRequestEditorFn(edit RequestEditorFn) Option {
	return func(s *settings) error {
		if edit != nil { // a forgotten argument is no reason to panic
			s.editors = append(s.editors, edit)
		}
		return nil
	}
}

// A DoerFunc is a function as an [HttpRequestDoer], for [WithMiddleware].
type DoerFunc func(req *http.Request) (*http.Response, error)

// Do calls f.
func (f DoerFunc) Do(req *http.Request) (*http.Response, error) { return f(req) }

// WithMiddleware puts a function around the sending of every call, outside of limits and repetitions.
// The first one given is the outermost.
func WithMiddleware(wrap func(next HttpRequestDoer) HttpRequestDoer) Option {
	return func(s *settings) error {
		if wrap == nil {
			return errors.New("api: WithMiddleware: the function is nil; leave the option out")
		}
		s.middleware = append(s.middleware, wrap)
		return nil
	}
}

// WithTransport changes the transport that sends for the client: how long it waits for the rate
// limits, how often it repeats, which limiter it shares. See package transport.
func WithTransport(options ...transport.Option) Option {
	return func(s *settings) error {
		s.transport = append(s.transport, options...)
		return nil
	}
}

// WithTransportUser calls a function with the server and the transport of the client, once they are put
// together. It is for code that sends its own requests to that server, such as a session of package
// authn, and should keep to the limits, the User-Agent and the proxy of the client.
func WithTransportUser(use func(server string, t *transport.Transport)) Option {
	return func(s *settings) error {
		if use == nil {
			return errors.New("api: WithTransportUser: the function is nil; leave the option out")
		}
		s.users = append(s.users, use)
		return nil
	}
}

// WithUserAgent adds the name of the application to the User-Agent; see [transport.WithUserAgent].
func WithUserAgent(application string) Option {
	return WithTransport(transport.WithUserAgent(application))
}

// WithLogger logs attempts, repetitions and pauses; see [transport.WithLogger].
func WithLogger(logger *slog.Logger) Option { return WithTransport(transport.WithLogger(logger)) }

// WithoutRateLimit sends every request at once. MangaDex bans addresses that do so; it is meant for
// your own servers.
func WithoutRateLimit() Option { return WithTransport(transport.WithoutRateLimit()) }

// WithStrictDecoding makes a call fail if its answer has a value that cannot be read, such as a year
// that is a word. It is for tests that look for such values: without it the field is zero, and Extra
// has what the server sent.
func WithStrictDecoding() Option {
	return func(s *settings) error {
		s.strict = true
		return nil
	}
}

// WithoutRetry sends every request once.
func WithoutRetry() Option { return WithTransport(transport.WithoutRetry()) }

// New returns a client for a server, such as [Production]. A path in the server's URL is put
// before the path of every operation.
func New(server string, options ...Option) (*Client, error) {
	known, err := parseServer(server)
	if err != nil {
		return nil, err
	}
	var s settings
	if err := given.Options(&s, options); err != nil {
		return nil, err
	}
	root := known.String() + "/"
	doer, polite, err := assemble(root, &s)
	if err != nil {
		return nil, err
	}
	for _, use := range s.users {
		use(known.String(), polite)
	}
	return &Client{doer: doer, editors: s.editors, server: known, root: root, transport: polite, strict: s.strict}, nil
}

func parseServer(server string) (*origin.Server, error) {
	if server == "" {
		return nil, errors.New("api: the server is empty; use api.Production")
	}
	known, err := origin.Parse(server, Production)
	switch {
	case err != nil:
		return nil, fmt.Errorf("api: the address of the server %w", err)
	case known.OfMangaDex() && !known.Encrypted():
		return nil, errors.New("api: MangaDex is served over https only; use " + Production)
	}
	return known, nil
}

// assemble puts the way of a call together. A request passes, from the outside in:
//
//  1. the middleware, such as the single repetition after a 401 of package authn
//  2. net/http, which follows the redirects that may be followed
//  3. package transport: User-Agent, limits, repetitions, the end of what stands still
//  4. the transport that was given, or what stands in http.DefaultTransport
//
// A doer that is not an [http.Client] takes the place of the last, and of net/http. The Timeout of
// one that is bounds each attempt, so that what the limits hold back does not count.
func assemble(server string, s *settings) (HttpRequestDoer, *transport.Transport, error) {
	options := []transport.Option{transport.WithAPIServer(server)}
	var doer HttpRequestDoer
	var polite *transport.Transport
	var err error
	switch own := s.client.(type) {
	case nil:
		if polite, err = transport.New(append(options, s.transport...)...); err == nil {
			doer = guardRedirects(http.Client{Transport: polite})
		}
	case *http.Client:
		has, ok := own.Transport.(*transport.Transport)
		switch {
		case own.Transport != nil && given.Nil(own.Transport):
			err = fmt.Errorf("api: the client given has a Transport that is a nil %T; leave it out for the default", own.Transport)
		case ok && len(s.transport) > 0:
			err = errors.New("api: the client given has a transport of package transport already; give the options for limits, repetitions, User-Agent and logging to that one")
		case ok:
			polite = has
		default:
			if own.Transport != nil {
				options = append(options, transport.WithBase(own.Transport))
			}
			polite, err = transport.New(append(options, s.transport...)...)
		}
		if err == nil {
			guarded := *own
			if own.Timeout > 0 {
				polite, guarded.Timeout = polite.Bounded(own.Timeout), 0
			}
			guarded.Transport = polite
			doer = guardRedirects(guarded)
		}
	default:
		polite, err = transport.New(append(append(options, transport.WithBase(sender{own})), s.transport...)...)
		doer = DoerFunc(polite.RoundTrip)
	}
	if err != nil {
		return nil, nil, err
	}
	for i := len(s.middleware) - 1; i >= 0; i-- {
		if doer = s.middleware[i](doer); given.Nil(doer) {
			return nil, nil, errors.New("api: a middleware returned nil; let it return next where it has nothing to add")
		}
	}
	return doer, polite, nil
}

// A sender is a doer as a transport.
type sender struct{ HttpRequestDoer }

func (s sender) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := s.Do(req)
	if err != nil || resp == nil {
		return resp, err
	}
	return unchanged(req, resp)
}

// Stats counts what the client has sent and how long it has waited.
func (c *Client) Stats() transport.Stats {
	if c.transport == nil {
		return transport.Stats{}
	}
	return c.transport.Stats()
}

// Transport returns what sends for the client. Package athome fetches pictures through its base, with
// its User-Agent.
func (c *Client) Transport() *transport.Transport { return c.transport }

// Server returns the URL that the client was made for, without a slash at the end.
func (c *Client) Server() string {
	if c.server == nil {
		return ""
	}
	return c.server.String()
}

// ready returns an error for a call that cannot be made.
func (c *Client) ready(ctx context.Context) error {
	if c.doer == nil {
		return errors.New("api: this Client is empty; api.New makes one")
	}
	return present(ctx)
}

// present returns an error for a context that is nil.
func present(ctx context.Context) error {
	if ctx == nil {
		return errors.New("api: the context is nil; give context.Background(), or that of what is being done")
	}
	return nil
}
