package authn

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Logout ends the session, on the server and here; the session is anonymous from then on. It forgets
// the tokens, also those in the store, and the username and password, unless [KeepCredentials] is
// given. With [LocalOnly] the server is not told. If the server cannot be told, or the store cannot
// delete the token, Logout returns that error, but the session is logged out here. A token of another
// login stays in the store.
func (s *Session) Logout(ctx context.Context, options ...LogoutOption) error {
	local := slices.Contains(options, LocalOnly)
	s.mu.Lock()
	st := s.state()
	t := st.token
	if st.bearer == nil {
		t.AccessToken = "" // the API does not know it any more
	}
	s.changeLocked(func(st state) state { return st.forgotten(slices.Contains(options, KeepCredentials)) })
	f := s.flight
	if f != nil {
		f.local = local
		f.cancel()
	}
	s.mu.Unlock()
	var untold error
	if f != nil { // it ends what it gets
		if err := s.wait(ctx, f); err != nil && !errors.Is(err, ErrClosed) {
			untold = err
		}
	}
	unlock, err := s.keeper.lock(ctx, storeTimeout)
	if err != nil {
		unlock = func() {} // another process has it for too long
	}
	t, eraseErr := s.keeper.erase(ctx, t)
	unlock()
	if !local {
		untold = both(s.tell(ctx, t), untold)
	}
	s.logger.Info("authn: logged out")
	if untold != nil {
		untold = fmt.Errorf("%w; logged out here, but on the server the session lasts until its refresh token expires", untold)
	}
	return both(untold, eraseErr)
}

// tell ends a session on the server, if there is something to tell.
func (s *Session) tell(ctx context.Context, t Token) error {
	switch {
	case t.empty(), t.RefreshToken == "" && !time.Now().Before(t.Expiry):
		return nil
	case s.root.Err() != nil:
		return ErrClosed
	}
	ctx, cancel := context.WithTimeout(ctx, exchangeTimeout)
	defer cancel()
	stop := context.AfterFunc(s.root, cancel)
	defer stop()
	err := s.wire.end(ctx, t)
	if err != nil && s.root.Err() != nil {
		return ErrClosed
	}
	return err
}

// ignoreRefusal takes a refusal for what it is at a logout: the session has ended already.
func ignoreRefusal(err error) error {
	if errors.Is(err, ErrUnauthorized) {
		return nil
	}
	return err
}
