package authn

import (
	"context"
	"time"
)

// Login leaves anonymous mode and makes sure that the session has a token that the API knows. It uses
// the refresh token, or else the password; with neither it fails with an [UnauthorizedError], without a
// request. It tries a password again that was refused before. A call that needs a token logs in by
// itself, except in anonymous mode; unlike Login, it does not ask first whether the API still knows the
// token.
func (s *Session) Login(ctx context.Context) error {
	s.mu.Lock()
	for s.flight != nil && s.flight.kind == login {
		f := s.flight
		s.mu.Unlock()
		if err := s.wait(ctx, f); err != nil {
			return err
		}
		s.mu.Lock()
	}
	st := s.state()
	usable := st.bearer != nil && st.bearer.usable()
	if !usable && st.token.RefreshToken == "" && !st.password.given() && !st.hasStore {
		s.mu.Unlock()
		return s.loginError(&ended{cause: st.cause})
	}
	st = s.changeLocked(state.awake)
	s.mu.Unlock()
	if usable && st.bearer.fresh() {
		s.look(ctx, st.bearer, min(st.bearer.lookPause(), time.Second))
	}
	if _, err := s.acquire(ctx, true); err != nil {
		return s.loginError(err)
	}
	return nil
}

// LoginWith logs in with a username and a password, whatever the session was before, leaves
// anonymous mode and keeps both for later. If it fails, or the API does not accept the token, the
// session is as it was; an account that was logged in before is not logged out on the server.
func (s *Session) LoginWith(ctx context.Context, username, password string) error {
	if err := pair("username", username, "password", password); err != nil {
		return err
	}
	own, f, err := s.claim(ctx, login)
	if err != nil {
		return err
	}
	if s.root.Err() != nil {
		s.land(f, ErrClosed)
		return ErrClosed
	}
	err = s.loginAs(own, f, known(username, password))
	s.land(f, err)
	if err != nil {
		err = s.loginError(err)
	}
	return err
}

// loginAs logs in with another account. Nothing of the session changes before the API has accepted
// the token.
func (s *Session) loginAs(ctx context.Context, f *flight, c credentials) error {
	unlock, err := s.keeper.lock(ctx, lockTimeout)
	if err != nil {
		return s.stopped(f, err)
	}
	defer unlock()
	stored, _, err := s.keeper.load(ctx)
	if err != nil {
		return s.stopped(f, err)
	}
	t, b, permissions, err := s.admitted(ctx, f, c)
	switch {
	case t.empty():
		return s.stopped(f, err)
	case s.dropped(f):
		return s.abandon(f, t)
	case err != nil:
		return err
	}
	ok := s.changeFor(f, func(st state) state {
		st = st.replaced(c, t, stored)
		f.epoch = st.epoch
		return st
	})
	if !ok {
		return s.abandon(f, t)
	}
	notSaved := s.save(ctx, f, t)
	if s.dropped(f) {
		return s.abandon(f, t)
	}
	s.announce(t)
	if !s.changeFor(f, func(st state) state { return st.accepted(b, permissions) }) {
		return s.abandon(f, t)
	}
	return notSaved
}

// admitted logs in and has the API look at the token, and once more at another one if it says no.
func (s *Session) admitted(ctx context.Context, f *flight, c credentials) (t Token, b *bearer, permissions Permissions, err error) {
	if err := s.state().mayTry(c, time.Now()); err != nil {
		return Token{}, nil, nil, err
	}
	if t, err = s.logIn(ctx, f, c); err != nil {
		if f.caller.Err() == nil {
			s.changeFor(f, func(st state) state { return st.denied(c, err, time.Now()) })
		}
		return Token{}, nil, nil, err
	}
	t = s.keeper.signed(t, Token{})
	b = newBearer(t, time.Now())
	if permissions, err = s.verify(ctx, b); err == nil {
		return t, b, permissions, nil
	}
	no := err
	pauseFor(ctx, shortestPause)
	if t.RefreshToken == "" || ctx.Err() != nil {
		return t, nil, nil, &ended{cause: no, now: true}
	}
	again, err := s.send(f.caller, f, refreshGrant{t.RefreshToken}, answerTimeout)
	if err != nil {
		return t, nil, nil, both(&ended{cause: no, now: true}, err)
	}
	t = s.keeper.signed(again, t)
	b = newBearer(t, time.Now())
	if permissions, err = s.verify(ctx, b); err != nil {
		err = &ended{cause: err, now: true}
	}
	return t, b, permissions, err
}
