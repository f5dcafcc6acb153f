package authn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"unicode"

	"github.com/mangadex-go/mangadex/api/transport"
)

// An Option changes a [Session] that [New] makes. Of two that say the same the later one counts.
type Option func(*settings) error

// Options joins options into one.
func Options(options ...Option) Option {
	return func(s *settings) error {
		for _, option := range options {
			if option == nil {
				continue
			}
			if err := option(s); err != nil {
				return err
			}
		}
		return nil
	}
}

// settings collects what the options say.
type settings struct {
	server       string
	authServer   string
	tokenURL     string
	clientID     string
	clientSecret string
	refreshToken string
	username     string
	password     string
	anonymous    bool
	withoutCheck bool
	store        Store
	onToken      []func(Token)
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

// WithPassword logs in with a username and a password where there is no refresh token, or where it
// is refused. Nothing is sent before the first need.
func WithPassword(username, password string) Option {
	return func(s *settings) error {
		s.username, s.password = username, password
		return pair("username", username, "password", password)
	}
}

// pair returns an error if one of two values that belong together is missing or not clean.
func pair(name1, value1, name2, value2 string) error {
	switch {
	case value1 == "" && value2 == "":
		return fmt.Errorf("authn: %s and %s are empty", name1, name2)
	case value1 == "":
		return fmt.Errorf("authn: the %s is empty, but there is a %s", name1, name2)
	case value2 == "":
		return fmt.Errorf("authn: the %s is empty, but there is a %s", name2, name1)
	}
	if err := clean(name1, value1); err != nil {
		return err
	}
	return clean(name2, value2)
}

// clean returns an error if a value holds what nobody has meant, such as the line break at the end
// of a file. The server would only say that it is wrong. A password may begin or end with a space.
func clean(name, value string) error {
	switch {
	case strings.ContainsFunc(value, unicode.IsControl):
		return fmt.Errorf("authn: the %s has a line break or another control character in it; take it out", name)
	case strings.TrimSpace(value) != value && name != "password":
		return fmt.Errorf("authn: the %s begins or ends with a space; take it off", name)
	}
	return nil
}

// WithRefreshToken starts a session from a refresh token that was kept. A token in the store
// ([WithStore]) is the successor of this one as a rule, and is tried first.
func WithRefreshToken(token string) Option {
	return func(s *settings) error {
		if token == "" {
			return errors.New("authn: the refresh token is empty")
		}
		s.refreshToken = token
		return clean("refresh token", token)
	}
}

// WithStore keeps every new token, before it is used, and starts from the one that was kept. A
// store belongs to one account. If a token cannot be saved, the call that needed it fails with
// [ErrNotSaved], and the session goes on with it.
func WithStore(store Store) Option {
	return func(s *settings) error {
		if store == nil {
			return errors.New("authn: the store is nil")
		}
		s.store = store
		return nil
	}
}

// WithOnToken has a function called with every new token, before it is used. The function must not
// wait for the session. It may be given more than once.
func WithOnToken(f func(Token)) Option {
	return func(s *settings) error {
		if f == nil {
			return errors.New("authn: the function for WithOnToken is nil")
		}
		s.onToken = append(s.onToken, f)
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
			return errors.New("authn: the address of the auth server is empty")
		}
		s.authServer = realm
		return nil
	}
}

// WithTokenURL sets the token endpoint where it is not at its place in the realm. Without
// [WithAuthServer] the endpoints that log out are looked for next to it. It changes nothing without
// [WithPersonalClient].
func WithTokenURL(url string) Option {
	return func(s *settings) error {
		if url == "" {
			return errors.New("authn: the address of the token endpoint is empty")
		}
		s.tokenURL = url
		return nil
	}
}

// WithHTTPClient sets the client for the requests of the session itself: logins, renewals, checks
// and logouts. It is used without following redirects, because these requests hold secrets.
func WithHTTPClient(client *http.Client) Option {
	return func(s *settings) error {
		if client == nil {
			return errors.New("authn: the HTTP client is nil")
		}
		s.client = client
		return nil
	}
}

// WithUserAgent adds the name of the application to the User-Agent of these requests; see
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

// mode of a call, in its context.
type mode uint8

const (
	byOperation mode = iota
	withToken
	withoutToken
)

type modeKey struct{}

// WithToken returns a context whose calls send the token even where the operation does not want
// one, and fail if there is none.
func WithToken(ctx context.Context) context.Context {
	return context.WithValue(ctx, modeKey{}, withToken)
}

// WithoutToken returns a context whose calls are sent without a token, even where the operation
// wants one.
func WithoutToken(ctx context.Context) context.Context {
	return context.WithValue(ctx, modeKey{}, withoutToken)
}

func modeOf(ctx context.Context) mode {
	m, _ := ctx.Value(modeKey{}).(mode)
	return m
}
