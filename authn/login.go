package authn

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Login makes sure that the session has a token, and leaves anonymous mode: with the refresh token,
// or with the password. If there is neither it fails with an [UnauthorizedError], without a
// request. A password that was refused is tried again. A call that needs a token does the same by
// itself, except in anonymous mode.
func (s *Session) Login(ctx context.Context) error {
	for {
		s.mu.Lock()
		f := s.flight
		if f == nil || f.kind == renewal {
			break
		}
		s.mu.Unlock()
		select {
		case <-f.done:
		case <-ctx.Done():
			return waitError(ctx)
		}
	}
	a := s.account
	if !a.any() && a.password == "" && s.store == nil && s.usable() == nil {
		err := &ended{cause: s.cause}
		s.mu.Unlock()
		return s.loginError(err)
	}
	s.anonymous, s.account.passwordRefused, s.lookAgain = false, false, time.Time{}
	s.mu.Unlock()
	if _, err := s.acquire(ctx); err != nil {
		return s.loginError(err)
	}
	return nil
}

// LoginWith logs in with a username and a password, whatever the session was before, leaves
// anonymous mode and keeps both for later. If it fails the session is as it was; an account that
// was logged in before is not logged out on the server.
func (s *Session) LoginWith(ctx context.Context, username, password string) error {
	if err := pair("username", username, "password", password); err != nil {
		return err
	}
	ctx, f, err := s.claim(ctx, login)
	if err != nil {
		return err
	}
	defer s.land(f)
	defer f.cancel()
	if s.root.Err() != nil {
		return ErrClosed
	}
	t, saveErr, err := s.replace(ctx, f, passwordGrant{username, password})
	if err != nil {
		return s.closedOr(err)
	}
	_, err = s.use(ctx, f, t)
	if err != nil {
		err = s.loginError(err)
	}
	return both(err, saveErr)
}

// replace logs in with another account.
func (s *Session) replace(ctx context.Context, f *flight, g passwordGrant) (t Token, saveErr, err error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return Token{}, nil, err
	}
	defer unlock()
	stored, err := s.load(ctx)
	if err != nil {
		return Token{}, nil, err
	}
	if t, err = s.wire.exchange(ctx, g); err != nil {
		return Token{}, nil, err
	}
	s.mu.Lock()
	if s.account == f.account {
		// What the store holds is no news, and not of this account, even if it cannot be replaced.
		f.account = &account{username: g.username, password: g.password, seen: stored}
		s.account, s.anonymous = f.account, false
		s.current.Store(nil)
		s.permissions = nil
	}
	s.mu.Unlock()
	t, saveErr = s.keep(ctx, f, g, t)
	return t, saveErr, nil
}

// Logout ends the session, on the server and here, and is anonymous from then on. The tokens are
// forgotten, in the store, too, and so are username and password, unless [KeepCredentials] is
// given. With [LocalOnly] the server is not told. If the server cannot be told, or the store cannot
// forget the token, that is the error; the session is logged out here nevertheless.
func (s *Session) Logout(ctx context.Context, options ...LogoutOption) error {
	t, was, f := s.forget(slices.Contains(options, KeepCredentials))
	const untold = "%w; logged out here, but on the server the session lasts until its refresh token expires"
	if f != nil {
		select {
		case <-f.done:
		case <-ctx.Done(): // what is under way deletes what it saves after this
			return both(fmt.Errorf(untold, waitError(ctx)), s.erase(ctx))
		}
		if f.got.AccessToken != "" { // it had a newer token when it was stopped
			t = f.got
		}
	}
	ctx, f, err := s.claim(ctx, logout)
	if err != nil {
		return both(fmt.Errorf(untold, err), s.erase(context.Background()))
	}
	defer s.land(f)
	defer f.cancel()
	patience, stop := context.WithTimeout(ctx, storeTimeout) // the rest is for the server
	defer stop()
	if unlock, err := s.lock(patience); err == nil { // or another process has it for too long
		defer unlock()
		if stored, err := s.load(ctx); err == nil && stored.RefreshToken != "" && was.isNews(stored) {
			t = stored // another process has renewed it
		}
	}
	if !slices.Contains(options, LocalOnly) {
		if err = s.end(ctx, t); err != nil {
			err = fmt.Errorf(untold, err)
		}
	}
	s.logger.Info("authn: logged out")
	return both(err, s.erase(ctx))
}

// end tells the server, if there is something to tell.
func (s *Session) end(ctx context.Context, t Token) error {
	switch {
	case t.AccessToken == "" && t.RefreshToken == "":
		return nil
	case s.root.Err() != nil:
		return ErrClosed
	}
	return s.closedOr(s.wire.end(ctx, t))
}

// forget makes the session anonymous at once and stops what changes it just now. It returns what
// the session had.
func (s *Session) forget(keepCredentials bool) (t Token, was *account, stopped *flight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was = s.account
	if b := s.current.Load(); b != nil {
		t = b.Token
	}
	t.RefreshToken = was.refresh
	s.account = &account{}
	if keepCredentials {
		s.account.username, s.account.password = was.username, was.password
	}
	s.anonymous, s.cause = true, nil
	s.current.Store(nil)
	s.permissions = nil
	if s.flight != nil && s.flight.kind != logout {
		s.flight.cancel()
	}
	return t, was, s.flight
}

// ignoreRefusal takes a refusal for what it is at a logout: the session has ended already.
func ignoreRefusal(err error) error {
	if errors.Is(err, ErrUnauthorized) {
		return nil
	}
	return err
}
