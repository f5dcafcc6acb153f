package authn

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// exchange trades what a session has to log in with for a token. The refresh token that is returned
// with an error is the only one that works from then on.
func (s *Session) exchange(ctx context.Context, f *flight, c credential) (Token, error) {
	st := s.state()
	if c == ownPassword {
		return s.logIn(ctx, f, st.password)
	}
	return s.send(context.Background(), f, refreshGrant{st.token.RefreshToken}, answerTimeout)
}

// logIn trades a password for a token. The one-time code is asked for where the server does not take
// the password alone; it does not say whether that is the reason.
func (s *Session) logIn(ctx context.Context, f *flight, c credentials) (Token, error) {
	g := passwordGrant{username: c.username}
	var err error
	if g.password, err = askFor(ctx, "password", c.ask); err != nil {
		return Token{}, err
	}
	// Unlike a renewal it may be given up, by Close, too: the password works again.
	caller, cancel := context.WithCancel(f.caller)
	defer cancel()
	defer context.AfterFunc(s.root, func() { time.AfterFunc(closeLogin, cancel) })()
	t, err := s.send(caller, f, g, exchangeTimeout)
	if s.oneTimeCode == nil || !s.wire.takesCodes() || !errors.Is(err, ErrWrongPassword) {
		return t, err
	}
	code, askErr := askFor(ctx, "one-time code", s.oneTimeCode)
	switch {
	case askErr != nil:
		return Token{}, both(err, askErr)
	case code == "":
		return Token{}, err
	}
	g.code = code
	return s.send(caller, f, g, exchangeTimeout)
}

// askFor calls a function of the user. What it returns is bounded in time, and checked like an
// option.
func askFor(ctx context.Context, what string, ask func(context.Context) (string, error)) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, codeTimeout)
	defer cancel()
	text, err := ask(ctx)
	if err == nil {
		err = clean(what, text)
	}
	if err != nil {
		return "", fmt.Errorf("authn: no %s: %w", what, err)
	}
	return text, nil
}

// send sends a grant to the auth server. A request that was sent is not given up because a call, the
// session or a logout does not want to wait any longer: a refresh token is spent whether or not
// somebody reads the answer. Calls are told to stop waiting after half a minute.
func (s *Session) send(ctx context.Context, f *flight, g grant, patience time.Duration) (Token, error) {
	ctx, cancel := awake(ctx, patience)
	defer cancel()
	late, inTime := awake(ctx, exchangeTimeout)
	defer inTime()
	defer context.AfterFunc(late, func() { f.isLate(g.operation()) })()
	t, err := s.wire.exchange(ctx, g)
	if r, ok := g.(refreshGrant); ok && err == nil && t.RefreshToken == "" {
		t.RefreshToken = r.token
	}
	return t, err
}

// awake returns a context that ends after a time in whole seconds, in which the process has run: it
// is not over when a process wakes up that was stopped, whose answer may lie in the network for it.
func awake(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	deadline := time.Now().Add(d)
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		second := time.NewTicker(time.Second)
		defer second.Stop()
		for left := d; left > 0; left -= time.Second {
			select {
			case <-second.C:
			case <-ctx.Done():
				return
			}
		}
		cancel(context.DeadlineExceeded)
	}()
	return awakeContext{ctx, deadline}, func() { cancel(nil) }
}

// An awakeContext says when it is likely to end, so that nobody begins to wait who cannot be done then.
type awakeContext struct {
	context.Context
	deadline time.Time
}

func (c awakeContext) Deadline() (time.Time, bool) { return c.deadline, true }
