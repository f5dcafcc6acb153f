package authn

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// renew gets a new token: from the store, with the refresh token or with the password. A token that
// the API says no to is renewed once more a second later: the clocks may differ by that, or the API
// may not have the newest keys of the realm yet.
func (s *Session) renew(ctx context.Context, f *flight) error {
	var no error
	for {
		t, found, notSaved := s.obtain(ctx, f)
		switch {
		case t.empty() && no != nil && errors.As(notSaved, new(*ended)):
			return s.reject(f, no)
		case t.empty():
			return notSaved
		case found:
			f.got = s.state()
			return nil
		case s.dropped(f):
			return s.abandon(f, t)
		}
		s.announce(t)
		b := newBearer(t, time.Now())
		permissions, verdict := s.verify(ctx, b)
		switch {
		case verdict == nil:
			if !s.changeFor(f, func(st state) state { return st.accepted(b, permissions) }) {
				return s.abandon(f, t)
			}
			f.got = s.state()
			f.got.bearer = b // even if Close came first
			return notSaved
		case no != nil:
			return both(s.reject(f, verdict), notSaved)
		}
		no = verdict
		s.logger.Warn("authn: the API does not know the new token; it is renewed once more", "error", no)
		pauseFor(ctx, shortestPause)
		if s.dropped(f) {
			return s.abandon(f, t)
		}
	}
}

func pauseFor(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// reject ends the session because the API does not accept its tokens.
func (s *Session) reject(f *flight, no error) error {
	if s.changeFor(f, func(st state) state { return st.rejected(no) }) {
		s.hasEnded(no)
	}
	return &ended{cause: no, now: true}
}

// announce tells those who want to know about a new token.
func (s *Session) announce(t Token) {
	for _, tell := range s.onToken {
		tell(t)
	}
}

// hasEnded tells that the session cannot go on by itself.
func (s *Session) hasEnded(why error) {
	s.logger.Warn("authn: the session has ended", "error", why)
	for _, tell := range s.onEnd {
		tell(why)
	}
}

// abandon ends a token on the server that came after the logout of its session.
func (s *Session) abandon(f *flight, t Token) error {
	if _, err := s.keeper.erase(context.Background(), t); err != nil {
		s.logger.Error("authn: after a logout", "error", err)
	}
	if !s.keepsAlive(f) {
		ctx, cancel := awake(context.Background(), exchangeTimeout)
		defer cancel()
		if err := s.wire.end(ctx, t); err != nil {
			s.logger.Error("authn: after a logout", "error", err)
		}
	}
	return &ended{}
}

// obtain returns a token that another process has saved, or a new one. It holds the lock of the store
// meanwhile. If it returns both a token and an error, the token could not be saved.
func (s *Session) obtain(ctx context.Context, f *flight) (t Token, found bool, err error) {
	unlock, err := s.keeper.lock(ctx, lockTimeout)
	if err != nil {
		return Token{}, false, s.stopped(f, err)
	}
	defer unlock()
	stored, foreign, err := s.keeper.load(ctx)
	if err != nil {
		return Token{}, false, s.stopped(f, err)
	}
	var before, after *bearer
	s.changeFor(f, func(st state) state {
		before = st.bearer
		if foreign != nil {
			st = st.foreign(foreign)
		}
		st = st.found(stored, time.Now())
		after = st.bearer
		return st
	})
	if after != before {
		return after.Token, true, nil
	}
	var refused error
	for {
		if err := s.stopped(f, ctx.Err()); err != nil {
			return Token{}, false, err
		}
		c, err := s.state().next(time.Now(), f.asked)
		switch {
		case c == nothing:
			return Token{}, false, s.exhaust(f, refused)
		case err == nil && c == refreshToken:
			c, err = s.prove(ctx, f, foreign)
		}
		if err != nil {
			return Token{}, false, err
		}
		t, err := s.exchange(ctx, f, c)
		if err == nil || t.RefreshToken != "" {
			t, notSaved := s.keep(ctx, f, c, t, err == nil, foreign)
			if err == nil {
				return t, false, notSaved
			}
		}
		goOn, why := s.note(ctx, f, c, err)
		if !goOn {
			return Token{}, false, s.stopped(f, why)
		}
		if c.refusedBy(err) {
			refused = err
		}
	}
}

// stopped explains an error that comes of Logout or Close. It may be nil.
func (s *Session) stopped(f *flight, err error) error {
	switch {
	case s.dropped(f):
		return &ended{}
	case err != nil && s.root.Err() != nil:
		return ErrClosed
	}
	return err
}

// exhaust says that there is nothing to log in with.
func (s *Session) exhaust(f *flight, refused error) error {
	var cause error
	if !s.changeFor(f, func(st state) state {
		cause = st.cause
		return st.exhausted(time.Now())
	}) {
		return &ended{}
	}
	if refused != nil {
		s.hasEnded(refused)
	}
	return &ended{cause: cause, now: refused != nil}
}

// prove has the store show that it can be written, before a refresh token is spent whose successor
// has to be saved: it saves what it should hold once more. If it cannot, the password may do. A token
// that could not be saved before has nothing to lose.
func (s *Session) prove(ctx context.Context, f *flight, foreign error) (credential, error) {
	st := s.state()
	if !st.hasStore {
		return refreshToken, nil
	}
	err := foreign
	if err == nil {
		t := s.keeper.signed(st.token, st.token)
		if err = s.keeper.save(ctx, t); err == nil {
			s.changeFor(f, func(st state) state { return st.proven(t) })
			return refreshToken, nil
		}
	}
	s.changeFor(f, func(st state) state { return st.notSaved(err, time.Now()) })
	switch {
	case st.unsaved:
		return refreshToken, nil
	case st.hasPassword():
		_, err := st.withoutRefresh().next(time.Now(), f.asked)
		return ownPassword, err
	}
	s.logger.Error("authn: no renewal, because the new token could not be saved", "error", err)
	if !errors.Is(err, ErrNotSaved) {
		err = fmt.Errorf("%w: %w", ErrNotSaved, err)
	}
	return nothing, fmt.Errorf("authn: the refresh token was not spent, because its successor would be lost: %w", err)
}

// keep remembers a new token and saves it. That is not left undone because the flight is cancelled:
// the server may have made the old refresh token void already.
func (s *Session) keep(ctx context.Context, f *flight, c credential, t Token, whole bool, foreign error) (Token, error) {
	s.logger.Info("authn: new token", "expiry", t.Expiry, "usable", whole)
	saves := true
	ok := s.changeFor(f, func(st state) state {
		var before Token
		if c == refreshToken {
			before = st.token
		}
		if !whole { // nothing of the answer can be used but its refresh token
			t.AccessToken, t.Expiry = before.AccessToken, before.Expiry
		}
		if t.RefreshToken == before.RefreshToken && t.RefreshExpiry.IsZero() {
			t.RefreshExpiry = before.RefreshExpiry
		}
		t = s.keeper.signed(t, before)
		st = st.granted(t)
		if saves = foreign == nil || f.asked; !saves {
			st = st.foreign(foreign)
		}
		return st
	})
	if !ok || !saves {
		return t, nil
	}
	return t, s.save(ctx, f, t)
}

// save saves the token of a flight. If that fails it is tried again later.
func (s *Session) save(ctx context.Context, f *flight, t Token) error {
	err := s.keeper.save(ctx, t)
	s.changeFor(f, func(st state) state {
		if err != nil {
			return st.notSaved(err, time.Now())
		}
		return st.saved(t)
	})
	if err != nil {
		s.logger.Error("authn: token not saved", "error", err)
		return fmt.Errorf("authn: the session goes on with its new token, which it saves as soon as it can: %w", err)
	}
	return nil
}

// note takes down why an attempt has failed, and says whether to go on with what else there is.
func (s *Session) note(ctx context.Context, f *flight, c credential, err error) (goOn bool, why error) {
	s.logger.Warn("authn: no new token", "by", c.operation(), "error", err)
	var void string // a refresh token that was dropped, and is in the store
	s.changeFor(f, func(st state) state {
		now := time.Now()
		switch {
		case c.refusedBy(err):
			token := st.token.RefreshToken
			var dropped bool
			st, dropped = st.refused(c, err, now, f.asked)
			if dropped && st.stored.RefreshToken == token {
				void, st.stored = token, Token{}
			}
			goOn = dropped || c == ownPassword
		case dislikes(err):
			st = st.disliked(c, err, now, f.asked)
			goOn = c == refreshToken && st.hasPassword()
		default:
			st = st.failed(err, now, f.asked)
		}
		return st
	})
	if void != "" {
		if err := s.keeper.discard(ctx); err != nil {
			s.logger.Error("authn: a refused token is still in the store", "error", err)
		}
	}
	return goOn, err
}
