package authn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// A keeper looks after the token in the store. Without a store it does nothing. It knows which tokens
// are for the session: what another server, realm or client thinks of one is of no interest, and the
// token must not be lost by asking there.
type keeper struct {
	store                 Store // may be nil
	logger                *slog.Logger
	server, realm, client string
}

// lock locks a store that can be locked. Waiting ends with ctx; what is done under the lock does not.
func (k keeper) lock(ctx context.Context, patience time.Duration) (unlock func(), err error) {
	store, ok := k.store.(Locker)
	if !ok {
		return func() {}, nil
	}
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	release, err := store.Lock(waiting)
	if err != nil {
		return nil, fmt.Errorf("authn: %w", err)
	}
	return func() {
		if err := release(); err != nil {
			k.logger.Error("authn: the store cannot be unlocked", "error", err)
		}
	}, nil
}

// load returns what the store holds, unless that is not for the session; then it says why.
func (k keeper) load(ctx context.Context) (stored Token, foreign, err error) {
	if k.store == nil {
		return Token{}, nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if stored, err = k.store.Load(ctx); err != nil {
		return Token{}, nil, fmt.Errorf("authn: %w", err)
	}
	if foreign = k.foreign(stored); foreign != nil {
		k.logger.Warn("authn: stored token left alone", "error", foreign)
		return Token{}, foreign, nil
	}
	return stored, nil, nil
}

// foreign says why a stored token is not for the session, nil if it is.
func (k keeper) foreign(stored Token) error {
	realm := stored.Realm
	if realm == "" && stored.Client != "" {
		realm = realms[stored.Server] // of a token that was saved before realms were
	}
	switch {
	case stored.Server == "": // written by somebody else, who does not say
		return nil
	case stored.Server != k.server:
		return fmt.Errorf("the stored token is for the server %s; log in to this one, or use another store", stored.Server)
	case stored.Client == "" && k.client != "":
		return errors.New("the stored token is for the session endpoints; log in, or leave the personal client out")
	case stored.Client != k.client:
		return fmt.Errorf("the stored token is for the personal client %s; log in, or give that client", stored.Client)
	case realm != "" && realm != k.realm:
		return fmt.Errorf("the stored token is from the realm %s; log in to this one, or use another store", realm)
	}
	return nil
}

// signed is a token that says whose it is. One that was renewed keeps the name of its login; a new
// one has it from its first refresh token, so that each process finds the same name for a token that
// has none yet.
func (k keeper) signed(t, before Token) Token {
	t.Server, t.Realm, t.Client = k.server, k.realm, k.client
	t.Login = loginOf(before)
	if t.Login == "" {
		t.Login = loginOf(t)
	}
	return t
}

// loginOf names the login that a token came of, as far as that can be told.
func loginOf(t Token) string {
	if t.Login == "" && t.RefreshToken != "" {
		return fingerprint(t.RefreshToken)
	}
	return t.Login
}

// save keeps a token, even when ctx has ended.
func (k keeper) save(ctx context.Context, t Token) error {
	if k.store == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	if err := k.store.Save(ctx, t); err != nil {
		return fmt.Errorf("%w: %w", ErrNotSaved, err)
	}
	return nil
}

// discard forgets a token that the auth server has refused, and keeps it aside where the store can.
func (k keeper) discard(ctx context.Context) error {
	if k.store == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	if store, ok := k.store.(Discarder); ok {
		return store.Discard(ctx)
	}
	return k.store.Delete(ctx)
}

// erase deletes the token of a login that has ended from the store, even when ctx has ended. It
// returns the token that was there, which may be newer than the one that is known. The token of
// another login stays.
func (k keeper) erase(ctx context.Context, ended Token) (stored Token, err error) {
	if k.store == nil {
		return ended, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	stored, foreign, err := k.load(ctx)
	switch known := loginOf(ended); {
	case foreign != nil, err == nil && (stored.empty() || known != "" && loginOf(stored) != known):
		return ended, nil
	case err != nil:
		stored = ended
	}
	if err := k.store.Delete(ctx); err != nil {
		k.logger.Error("authn: the token is still in the store", "error", err)
		return stored, fmt.Errorf("authn: the token is still in the store: %w", err)
	}
	return stored, nil
}

// saveNow has a token saved that could not be saved before, unless the store holds a newer one by
// now. It holds the lock meanwhile.
func (s *Session) saveNow(ctx context.Context, f *flight) error {
	unlock, err := s.keeper.lock(ctx, lockTimeout)
	if err == nil {
		defer unlock()
		err = s.saveHeld(ctx, f)
	}
	if err != nil {
		s.changeFor(f, func(st state) state { return st.notSaved(err, time.Now()) })
		s.logger.Error("authn: token not saved", "error", err)
	}
	return err
}

func (s *Session) saveHeld(ctx context.Context, f *flight) error {
	stored, foreign, err := s.keeper.load(context.WithoutCancel(ctx))
	switch {
	case err != nil:
		return err
	case foreign != nil:
		s.changeFor(f, func(st state) state { return st.foreign(foreign) })
		return nil
	}
	s.changeFor(f, func(st state) state { return st.found(stored, time.Now()) })
	st := s.state()
	if s.dropped(f) || !st.unsaved {
		return nil
	}
	if err := s.keeper.save(ctx, st.token); err != nil {
		return err
	}
	s.changeFor(f, func(now state) state { return now.saved(st.token) })
	s.logger.Info("authn: token saved after all")
	return nil
}

// planSaving has a token saved when the pause after the last attempt has ended. The caller holds mu.
func (s *Session) planSaving() {
	st := s.state()
	if !st.unsaved || st.closed || s.flight != nil {
		return
	}
	if s.later != nil {
		s.later.Stop()
	}
	s.later = time.AfterFunc(max(st.saving.left(time.Now()), time.Millisecond), func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if st := s.state(); st.unsaved && !st.closed && s.flight == nil { // or land plans anew
			s.launch(saving, false, s.saveNow)
		}
	})
}

// saveRest is the last attempt to save a token, by Close.
func (s *Session) saveRest() error {
	if !s.state().unsaved {
		return nil
	}
	f := &flight{epoch: s.state().epoch}
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	if err := s.saveNow(ctx, f); err != nil {
		return fmt.Errorf("authn: the newest token is lost with this process: %w", err)
	}
	return nil
}
