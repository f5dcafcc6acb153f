package authn

import (
	"errors"
	"slices"
	"time"
)

// The methods below make another state of one. Each is named for what has happened.

// found is the state after a token was read from the store that was not known to be there: another
// process has put it there, or an earlier run of this one.
func (st state) found(stored Token, now time.Time) state {
	if !st.isNews(stored) {
		return st
	}
	if st.stored == (Token{}) && st.token.RefreshToken != stored.RefreshToken && st.token.AccessToken == "" {
		st.spare = st.token.RefreshToken // of WithRefreshToken
	}
	if loginOf(stored) != loginOf(st.token) {
		st.headers, st.permissions = nil, nil // what they are of is another login
	}
	st.stored, st.token, st.unsaved = stored, stored, false
	st.looks, st.refresh = 0, pause{}
	if b := newBearer(stored, now); stored.AccessToken != "" && b.fresh() {
		return st.accepted(b, st.permissions)
	}
	return st
}

func (st state) isNews(stored Token) bool {
	return !stored.empty() && (stored.RefreshToken != st.stored.RefreshToken || stored.AccessToken != st.stored.AccessToken)
}

// granted is the state after the auth server has given out a token.
func (st state) granted(t Token) state {
	st.token, st.spare, st.unsaved = t, "", st.hasStore
	st.looks, st.server, st.refresh, st.logins = 0, pause{}, pause{}, nil
	return st
}

// saved is the state after a token was saved.
func (st state) saved(t Token) state {
	st.stored, st.saving = t, pause{}
	st.unsaved = st.unsaved && t != st.token
	return st
}

// notSaved is the state after the store has failed.
func (st state) notSaved(err error, now time.Time) state {
	st.saving = st.saving.after("", err, now, 0, false)
	return st
}

// foreign is the state of a session whose store belongs to somebody else.
func (st state) foreign(why error) state {
	st.unsaved = false
	if st.cause == nil {
		st.cause = why
	}
	return st
}

// accepted is the state with a token in use.
func (st state) accepted(b *bearer, permissions Permissions) state {
	const remembered = 4 // so many generations of tokens can be on the way at a time
	if st.closed {
		return st
	}
	headers := append(slices.Clip(st.headers), b.header)
	st.headers = headers[max(0, len(headers)-remembered):]
	st.bearer, st.cause = b, nil
	if permissions != nil {
		st.permissions = permissions
	}
	return st
}

// checked is the state after the API has said what a token may do.
func (st state) checked(b *bearer, permissions Permissions) state {
	if st.bearer == b {
		st.permissions = permissions
	}
	return st
}

// refused is the state after the auth server has refused a refresh token or a password. A refresh
// token gets a second look, because servers have been wrong about good ones, unless there is
// something else to log in with. It is dropped then.
func (st state) refused(c credential, err error, now time.Time, asked bool) (_ state, dropped bool) {
	st = st.heard(err, now)
	st.cause = err
	if c == ownPassword {
		st.barred = true
		return st.loginFailed(st.fingerprint(c), err, now, asked), false
	}
	st.looks++
	if st.looks < 2 && st.spare == "" && !st.hasPassword() {
		st.refresh = st.refresh.after(st.fingerprint(c), err, now, 0, asked)
		return st, false
	}
	st.token.RefreshToken, st.spare = st.spare, ""
	st.token.RefreshExpiry, st.token.Login = time.Time{}, ""
	st.looks, st.refresh = 0, pause{}
	return st, true
}

// heard is the state after the auth server has refused something and wants to be left alone. That
// says nothing about anything else that could be sent.
func (st state) heard(err error, now time.Time) state {
	if wanted(err) == 0 {
		return st
	}
	return st.failed(&TokenError{
		Retryable: true, reasons: []error{ErrUnavailable}, RetryAfter: wanted(err),
		Description: "after an attempt that failed the server allows no other yet",
	}, now, true)
}

// denied is the state after a login as somebody else has failed.
func (st state) denied(c credentials, err error, now time.Time) state {
	switch {
	case ownPassword.refusedBy(err):
		st = st.heard(err, now)
	case !dislikes(err):
		return st.failed(err, now, true)
	}
	return st.loginFailed(c.fingerprint(), err, now, true)
}

// loginFailed is the state after a password was of no use.
func (st state) loginFailed(of string, err error, now time.Time, asked bool) state {
	st.logins = st.logins.with(st.logins.of(of).after(of, err, now, wanted(err), asked))
	return st
}

// mayTry returns an error if a login as somebody else has to wait.
func (st state) mayTry(c credentials, now time.Time) error {
	if err := st.server.ends("", "login", now, true); err != nil {
		return err
	}
	return st.logins.of(c.fingerprint()).ends(c.fingerprint(), "login", now, true)
}

// failed is the state after the auth server could not be asked, or asked in vain for a reason that
// has nothing to do with the credential.
func (st state) failed(err error, now time.Time, asked bool) state {
	st.server = st.server.after("", err, now, wanted(err), asked)
	return st
}

// disliked is the state after the auth server has found fault with a request that had a certain
// credential, without a word against the credential.
func (st state) disliked(c credential, err error, now time.Time, asked bool) state {
	if c == refreshToken {
		st.refresh = st.refresh.after(st.fingerprint(c), err, now, wanted(err), asked)
		return st
	}
	return st.loginFailed(st.fingerprint(c), err, now, asked)
}

// wanted is how long a server wants to be left alone.
func wanted(err error) time.Duration {
	var told *TokenError
	if errors.As(err, &told) {
		return told.RetryAfter
	}
	return 0
}

// turnedDown is the state after the API has answered a token with 401. It reports whether the token
// was of this login, so that a new one may do better.
func (st state) turnedDown(header string, now time.Time) (_ state, ours bool) {
	ours = slices.Contains(st.headers, header)
	if st.bearer != nil && st.bearer.header == header {
		if st.again.left(now) > 0 {
			return st, false
		}
		st.bearer = nil
	}
	return st, ours
}

// doubted is the state after the API has said a clear no to a token that was asked about.
func (st state) doubted(b *bearer) state {
	if st.bearer == b {
		st.bearer = nil
	}
	return st
}

// ofNoUse is the state after a call was answered with 401 in spite of a new token.
func (st state) ofNoUse(header string, now time.Time) state {
	if st.bearer != nil && st.bearer.header == header {
		st.again = st.again.after("", ErrUnauthorized, now, 0, false)
	}
	return st
}

// ofUse is the state after a new token has helped.
func (st state) ofUse() state {
	st.again = pause{}
	return st
}

// rejected is the state after the API has said no to a token that the auth server had just given
// out, twice. What there is to log in with stays for Login: the auth server has not refused it.
func (st state) rejected(cause error) state {
	st.anonymous, st.cause = true, cause
	st.bearer, st.permissions = nil, nil
	return st
}

// exhausted is the state after there was nothing to log in with. Then another program may do so.
func (st state) exhausted(now time.Time) state {
	st.lookAt = now.Add(lookPause)
	return st
}

// replaced is the state after a login as somebody else.
func (st state) replaced(c credentials, t, stored Token) state {
	return state{
		epoch: st.epoch + 1, hasStore: st.hasStore, closed: st.closed,
		password: c, token: t, stored: stored, unsaved: st.hasStore,
	}
}

// forgotten is the state after a logout.
func (st state) forgotten(keepCredentials bool) state {
	next := state{epoch: st.epoch + 1, hasStore: st.hasStore, closed: st.closed, anonymous: true, server: st.server, logins: st.logins}
	if keepCredentials {
		next.password = st.password
	}
	return next
}

// awake is the state after the user has asked for a login.
func (st state) awake() state {
	st.anonymous, st.barred, st.lookAt = false, false, time.Time{}
	return st
}

// shut is the state after Close. A token that is there may be used to its end.
func (st state) shut() state {
	st.closed = true
	return st
}

// proven is the state after the store has shown with a token that it can be written.
func (st state) proven(t Token) state {
	st.token, st.stored, st.unsaved, st.saving = t, t, false, pause{}
	return st
}
