package authn

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/mangadex-go/mangadex/api/transport"
	"github.com/mangadex-go/mangadex/internal/given"
)

// An Option changes a [Session] that [New] makes. Of two options for the same thing, the later one
// counts.
type Option func(*settings) error

// Options joins options into one.
func Options(options ...Option) Option {
	return func(s *settings) error { return given.Options(s, options) }
}

// settings collects what the options say.
type settings struct {
	server       string
	authServer   string
	tokenURL     string
	clientID     string
	clientSecret string
	scopes       []string
	refreshToken string
	credentials  credentials
	oneTimeCode  func(context.Context) (string, error)
	anonymous    bool
	withoutCheck bool
	store        Store
	onToken      []func(Token)
	onEnd        []func(error)
	client       *http.Client
	userAgent    string
	logger       *slog.Logger
}

// WithPersonalClient makes a session speak OAuth2, with a personal client of the account. The id
// looks like personal-client-…; without this option a session uses the deprecated session endpoints.
func WithPersonalClient(id, secret string) Option {
	return func(s *settings) error {
		s.clientID, s.clientSecret = id, secret
		return pair("client id", id, "client secret", secret)
	}
}

// WithStore keeps every new token, before it is used, and starts from the one that was kept. A store
// belongs to one account. A refresh token is not spent while the store cannot be written; a call that
// needs a new token fails with [ErrNotSaved]. A new token that could not be saved is still used. It is
// saved as soon as possible, at the latest in [Session.Close]; [Session.Login] and [Session.LoginWith]
// report it with [ErrNotSaved].
func WithStore(store Store) Option {
	return func(s *settings) error {
		if store == nil || store == (*FileStore)(nil) || store == (*MemoryStore)(nil) {
			return errors.New("authn: WithStore: the store is nil; leave the option out to keep nothing")
		}
		s.store = store
		return nil
	}
}

// WithOnToken calls a function with every new token, before the token is used. The function must not
// wait for the session. The option may be given more than once.
func WithOnToken(f func(Token)) Option {
	return func(s *settings) error {
		if f == nil {
			return errors.New("authn: WithOnToken: the function is nil; leave the option out")
		}
		s.onToken = append(s.onToken, f)
		return nil
	}
}

// WithOnEnd calls a function when the session cannot go on by itself: the server refused what it could
// log in with, or the API does not accept its tokens. A [Session.Logout] does not count. The function
// must not wait for the session. The option may be given more than once.
func WithOnEnd(f func(why error)) Option {
	return func(s *settings) error {
		if f == nil {
			return errors.New("authn: WithOnEnd: the function is nil; leave the option out")
		}
		s.onEnd = append(s.onEnd, f)
		return nil
	}
}

// Anonymous starts a session that acts without a token, even where it has one or could get one,
// until [Session.Login] or [Session.LoginWith].
func Anonymous() Option {
	return func(s *settings) error {
		s.anonymous = true
		return nil
	}
}

// WithoutCheck leaves out the request that verifies each new session token.
func WithoutCheck() Option {
	return func(s *settings) error {
		s.withoutCheck = true
		return nil
	}
}

// WithAPIServer sets the server that tokens are for, [api.Production] by default. It must be the one
// that the [api.Client] was made for.
func WithAPIServer(server string) Option {
	return func(s *settings) error {
		s.server = server
		return nil
	}
}

// WithAuthServer sets the base address of the realm that logs in personal clients, without
// /protocol at the end. The realms of [api.Production] and [api.Development] are known. It changes
// nothing without [WithPersonalClient].
func WithAuthServer(realm string) Option {
	return func(s *settings) error {
		if realm == "" { // never the known realm by mistake
			return errors.New("authn: WithAuthServer: the address is empty; leave the option out for that of MangaDex")
		}
		s.authServer = realm
		return nil
	}
}

// WithTokenURL sets the token endpoint, for a realm that has it at an unusual place. Without
// [WithAuthServer], the endpoints for a logout are expected next to it. It changes nothing without
// [WithPersonalClient].
func WithTokenURL(url string) Option {
	return func(s *settings) error {
		if url == "" {
			return errors.New("authn: WithTokenURL: the address is empty; leave the option out for that of the realm")
		}
		s.tokenURL = url
		return nil
	}
}

// WithHTTPClient sets the client for the requests of the session itself: logins, renewals, checks and
// logouts. Redirects are not followed, because these requests hold secrets.
func WithHTTPClient(client *http.Client) Option {
	return func(s *settings) error {
		if client == nil {
			return errors.New("authn: WithHTTPClient: the client is nil; leave the option out for the default")
		}
		s.client = client
		return nil
	}
}

// WithUserAgent adds the name of the application to the User-Agent of the session's requests; see
// [transport.UserAgent].
func WithUserAgent(application string) Option {
	return func(s *settings) (err error) {
		s.userAgent, err = transport.UserAgent(application)
		return err
	}
}

// WithLogger tells a logger about logins, renewals and logouts. Without it nothing is logged.
func WithLogger(logger *slog.Logger) Option {
	return func(s *settings) error {
		s.logger = logger
		return nil
	}
}

// A LogoutOption changes what [Session.Logout] does.
type LogoutOption uint8

// What a logout can leave out.
const (
	KeepCredentials LogoutOption = iota + 1 // username and password stay, for Login
	LocalOnly                               // the server is not told
)
