package authn

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// A flight is a change of the session that takes time. There is one at a time.
type flight struct {
	kind  flightKind
	epoch int  // of the state that it works for; in another one nothing of it may be kept
	asked bool // for by the user
	local bool // what comes of it after a logout is not ended on the server

	caller context.Context    // of a login, which its caller may give up
	cancel context.CancelFunc // ends what may be ended of it: not a request that may spend a token
	done   chan struct{}
	late   chan struct{} // closed when the answer of the auth server takes longer than calls wait
	once   sync.Once
	delay  error // why it is late, set before late is closed

	// Set before done is closed.
	got state // with the token of a renewal
	err error
}

type flightKind uint8

const (
	renewal flightKind = iota // calls wait for it and share what comes of it
	login                     // with other credentials; what comes of it is its caller's alone
	saving                    // of a token that could not be saved before
)

// take makes a flight the one of the session. Its context does not hold the values of a caller's, and
// ends with the session. The caller holds mu, and there is no flight.
func (s *Session) take(kind flightKind, asked bool) (context.Context, *flight) {
	f := &flight{
		kind: kind, epoch: s.state().epoch, asked: asked, caller: context.Background(),
		done: make(chan struct{}), late: make(chan struct{}),
	}
	ctx, cancel := context.WithCancel(s.root)
	f.cancel = cancel
	s.flight = f
	return ctx, f
}

// launch starts a flight that goes on when its caller goes away. The caller holds mu.
func (s *Session) launch(kind flightKind, asked bool, do func(context.Context, *flight) error) *flight {
	ctx, f := s.take(kind, asked)
	go func() { s.land(f, do(ctx, f)) }()
	return f
}

// land ends a flight.
func (s *Session) land(f *flight, err error) {
	f.cancel()
	f.err = err
	s.mu.Lock()
	s.flight = nil
	s.planSaving()
	s.mu.Unlock()
	close(f.done)
}

// isLate says that who waits for the flight should not wait any longer.
func (f *flight) isLate(operation string) {
	f.once.Do(func() {
		f.delay = &TokenError{
			Operation: operation, Retryable: true, reasons: []error{ErrUnavailable}, Err: context.DeadlineExceeded,
			Description: "no answer for " + exchangeTimeout.String() + "; it is still waited for, because it may hold a new refresh token",
		}
		close(f.late)
	})
}

// dropped reports whether there has been a logout, or a login as somebody else, since a flight began.
func (s *Session) dropped(f *flight) bool { return s.state().epoch != f.epoch }

// keepsAlive reports whether a logout wants what comes of a flight left alone on the server.
func (s *Session) keepsAlive(f *flight) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return f.local
}

// changeFor makes the next state of the current one for a flight, unless that was dropped.
func (s *Session) changeFor(f *flight, next func(state) state) (ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dropped(f) {
		return false
	}
	s.changeLocked(next)
	return true
}

// acquire returns a state with a token that can be used. Who finds one that is near its end has it
// renewed meanwhile; who finds none waits, no longer than ctx. The error is an [ended] if there is
// nothing to get a token with, as far as the auth server says.
func (s *Session) acquire(ctx context.Context, asked bool) (state, error) {
	st, err := s.await(ctx, asked)
	if errors.Is(err, ErrRefreshTokenRefused) && !errors.As(err, new(*ended)) {
		err = &ended{cause: err, now: true} // until it is looked at once more
	}
	return st, err
}

func (s *Session) await(ctx context.Context, asked bool) (state, error) {
	for {
		st := s.state()
		if st.bearer != nil && st.bearer.fresh() {
			return st, nil
		}
		s.mu.Lock()
		st = s.state()
		action, err := st.plan(time.Now(), asked)
		f := s.flight
		switch {
		case action == useIt, action == useAhead && f != nil:
			s.mu.Unlock()
			return st, nil
		case action == useAhead:
			s.launch(renewal, false, s.renew)
			s.mu.Unlock()
			return st, nil
		case action == giveUp && (f == nil || f.kind == saving || st.anonymous || st.closed):
			s.mu.Unlock()
			return st, err
		}
		if ctx.Err() != nil {
			s.mu.Unlock()
			return st, waitError(ctx)
		}
		if f == nil {
			f = s.launch(renewal, asked, s.renew)
		}
		s.mu.Unlock()
		if err := s.wait(ctx, f); err != nil {
			return st, err
		}
		if f.kind == renewal {
			return f.got, f.err
		}
	}
}

// wait waits for a flight to land, for as long as ctx, the session and the flight allow.
func (s *Session) wait(ctx context.Context, f *flight) error {
	select {
	case <-f.done:
		return nil
	default:
	}
	select {
	case <-f.done:
		return nil
	case <-f.late:
		return f.delay
	case <-ctx.Done():
		return waitError(ctx)
	case <-s.root.Done():
		return ErrClosed
	}
}

func waitError(ctx context.Context) error {
	return fmt.Errorf("authn: waiting for a token: %w", ctx.Err())
}

// claim waits until nothing else changes the session, and keeps everything else from doing so until
// land. The context that it returns ends with the session, too.
func (s *Session) claim(ctx context.Context, kind flightKind) (context.Context, *flight, error) {
	for {
		s.mu.Lock()
		other := s.flight
		if other == nil {
			own, f := s.take(kind, true)
			f.caller = ctx
			s.mu.Unlock()
			both, cancel := context.WithCancel(ctx)
			context.AfterFunc(own, cancel) // land ends own
			return both, f, nil
		}
		s.mu.Unlock()
		if err := s.wait(ctx, other); err != nil {
			return nil, nil, err
		}
	}
}
