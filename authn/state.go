package authn

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"
)

// A state is all that a session knows at a time. It is a value that is never changed: what happens
// makes another one of it, by the methods below. None of them needs a server, a store or a clock.
type state struct {
	epoch    int  // grows with each login as somebody else and each logout; what began before is void
	hasStore bool // another program may log in, too

	// What to log in with.
	password credentials
	barred   bool   // the password was refused, and is not sent again before Login
	token    Token  // the newest; zero if there is none
	spare    string // a refresh token for when that of token is refused
	looks    int    // how often in a row that of token was refused

	// What is in the store.
	stored  Token // only something else is news
	unsaved bool  // token belongs there and could not be saved

	// What is in use.
	bearer      *bearer // nil if there is none, or the API has refused it
	headers     []string
	permissions Permissions
	anonymous   bool // acts without a token until Login
	closed      bool
	cause       error // why the session ended

	// What has failed, and is left alone for a while.
	server  pause // the auth server as a whole
	refresh pause // the refresh token
	logins  pauses
	saving  pause // the store
	again   pause // renewals after a 401 that were of no use
	lookAt  time.Time
}

// A credential is what a session has to log in with next.
type credential uint8

const (
	nothing credential = iota
	refreshToken
	ownPassword
)

// operation is the name of what is done with it.
func (c credential) operation() string {
	if c == refreshToken {
		return "refresh"
	}
	return "login"
}

// next returns what to log in with, and an error if that has to wait.
func (st state) next(now time.Time, asked bool) (credential, error) {
	c, pause := nothing, pause{}
	switch {
	case st.token.RefreshToken != "":
		if st.refresh.left(now) == 0 || !st.hasPassword() {
			c, pause = refreshToken, st.refresh
			asked = asked && st.refresh.times == 0 // the second look is not hurried
			break
		}
		fallthrough
	case st.hasPassword():
		c, pause = ownPassword, st.logins.of(st.password.fingerprint())
	default:
		return nothing, nil
	}
	if err := st.server.ends("", c.operation(), now, asked); err != nil {
		return c, err
	}
	return c, pause.ends(st.fingerprint(c), c.operation(), now, asked)
}

// refusedBy reports whether an error is the word of the auth server against it.
func (c credential) refusedBy(err error) bool {
	if c == refreshToken {
		return errors.Is(err, ErrRefreshTokenRefused)
	}
	return errors.Is(err, ErrWrongPassword) || errors.Is(err, ErrAccount)
}

// fingerprint tells one refresh token or password from another.
func (st state) fingerprint(c credential) string {
	if c == refreshToken {
		return fingerprint(st.token.RefreshToken)
	}
	return st.password.fingerprint()
}

func fingerprint(texts ...string) string {
	h := sha256.New()
	for _, text := range texts {
		h.Write([]byte(text))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

func (st state) hasPassword() bool { return st.password.given() && !st.barred }

// means reports whether there is something to log in with.
func (st state) means() bool { return st.token.RefreshToken != "" || st.hasPassword() }

// withoutRefresh is the state as it would be without the refresh token.
func (st state) withoutRefresh() state {
	st.token.RefreshToken = ""
	return st
}

// An action is what a call does that wants a token.
type action uint8

const (
	useIt    action = iota // the token is good
	useAhead               // it is good, and should be renewed meanwhile
	renewIt                // there is none, but there may be one
	giveUp
)

// plan says what to do for a call that wants a token.
func (st state) plan(now time.Time, asked bool) (action, error) {
	switch {
	case st.bearer != nil && st.bearer.fresh():
		return useIt, nil
	case st.bearer != nil && st.bearer.usable():
		if c, err := st.next(now, false); c == nothing || err != nil || st.closed || st.saving.left(now) > 0 {
			return useIt, nil
		}
		return useAhead, nil
	case st.closed:
		return giveUp, ErrClosed
	case st.anonymous:
		return giveUp, &ended{cause: st.cause, anonymous: st.means() || st.hasStore}
	}
	c, err := st.next(now, asked)
	switch {
	case err != nil:
		return giveUp, err
	case c == nothing && (!st.hasStore || now.Before(st.lookAt)):
		return giveUp, &ended{cause: st.cause}
	}
	return renewIt, nil
}
