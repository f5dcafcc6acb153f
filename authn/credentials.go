package authn

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// credentials are a username and a password, which may have to be asked for.
type credentials struct {
	username string
	ask      func(context.Context) (string, error) // nil if there is no password
	mark     string                                // of the password, so that another one is known to be another
}

// given reports whether there are any.
func (c credentials) given() bool { return c.ask != nil }

// fingerprint tells one password from another.
func (c credentials) fingerprint() string { return fingerprint(c.username, c.mark) }

// known are credentials whose password is there already. It is in a function so that no verb of
// package fmt shows it.
func known(username, password string) credentials {
	return credentials{
		username: username, mark: fingerprint(password),
		ask: func(context.Context) (string, error) { return password, nil },
	}
}

// WithPassword logs in with a username and a password where there is no refresh token, or where it is
// refused. Nothing is sent before a call needs a token.
func WithPassword(username, password string) Option {
	return func(s *settings) error {
		s.credentials = known(username, password)
		return pair("username", username, "password", password)
	}
}

// WithPasswordFunc is [WithPassword] with a function that gives the password when it is needed, so
// that it need not stay in memory. The function has five minutes, and must not wait for the session.
func WithPasswordFunc(username string, password func(context.Context) (string, error)) Option {
	return func(s *settings) error {
		switch {
		case username == "":
			return errors.New("authn: WithPasswordFunc: the username is empty, but there is a function for the password; give both")
		case password == nil:
			return errors.New("authn: WithPasswordFunc: the function is nil; use WithPassword for a password that is known")
		}
		s.credentials = credentials{username: username, ask: password}
		return clean("username", username)
	}
}

// WithOneTimeCode sets the function that returns a one-time code, for accounts with two factors. It is
// called when a personal client is refused with the password alone. An empty code gives up. The
// function has five minutes, and must not wait for the session. Other calls wait meanwhile, each for no
// longer than its own context.
func WithOneTimeCode(code func(context.Context) (string, error)) Option {
	return func(s *settings) error {
		if code == nil {
			return errors.New("authn: WithOneTimeCode: the function is nil; leave the option out")
		}
		s.oneTimeCode = code
		return nil
	}
}

// WithScopes asks for scopes when a personal client logs in with a password, such as offline_access
// for a refresh token that outlives the session on the server. MangaDex may not allow it.
func WithScopes(scopes ...string) Option {
	return func(s *settings) error {
		for _, scope := range scopes {
			if !validHeader(scope) || strings.ContainsAny(scope, `"\\`) {
				return fmt.Errorf("authn: WithScopes: %q is no scope; a scope is one word, like offline_access", scope)
			}
		}
		s.scopes = scopes
		return nil
	}
}

// pair returns an error if one of two values that belong together is missing or not clean.
func pair(name1, value1, name2, value2 string) error {
	switch {
	case value1 == "" && value2 == "":
		return fmt.Errorf("authn: %s and %s are empty; give both", name1, name2)
	case value1 == "":
		return fmt.Errorf("authn: the %s is empty, but there is a %s; give both", name1, name2)
	case value2 == "":
		return fmt.Errorf("authn: the %s is empty, but there is a %s; give both", name2, name1)
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
// ([WithStore]) is usually newer than this one, and is tried first.
func WithRefreshToken(token string) Option {
	return func(s *settings) error {
		if token == "" {
			return errors.New("authn: WithRefreshToken: the token is empty; leave the option out to log in with a password")
		}
		s.refreshToken = token
		return clean("refresh token", token)
	}
}
