package authn_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mangadex-go/mangadex/authn"
)

func TestLogoutStopsRenewal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := authn.NewMemoryStore()
		f, _, s := loggedInMemory(t, authn.WithStore(store))
		time.Sleep(20 * time.Minute)
		f.fail("GET /auth/check", f.after(10*time.Second)) // the new token is saved already
		waiting := inBackground(func() error { return second(s.Token(t.Context())) })
		synctest.Wait()
		start := time.Now()
		if err := s.Logout(t.Context()); err != nil {
			t.Error(err)
		}
		if waited := time.Since(start); waited > time.Second {
			t.Errorf("Logout took %v", waited)
		}
		if err := <-waiting; !errors.Is(err, authn.ErrUnauthorized) {
			t.Errorf("who waited: got %v, want ErrUnauthorized", err)
		}
		mustHoldNothing(t, s, store)
		f.mustHaveEnded(t)
	})
}

func TestLogoutWithAnImpatientCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := authn.NewMemoryStore()
		f, w, s := loggedInMemory(t, authn.WithStore(store))
		f.fail("POST "+realm+"/protocol/openid-connect/logout", f.after(time.Hour))
		f.fail("POST "+realm+"/protocol/openid-connect/revoke", f.after(time.Hour))
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		start := time.Now()
		if err := s.Logout(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want DeadlineExceeded", err)
		}
		if waited := time.Since(start); waited > 200*time.Millisecond {
			t.Errorf("waited %v", waited)
		}
		mustHoldNothing(t, s, store)
		if err := s.LoginWith(t.Context(), w.username, w.password); err != nil {
			t.Error(err)
		}
	})
}

// Who cannot wait for the renewal that the logout stops is logged out nevertheless. The call that
// waits for it was not cancelled by its caller, and must not say so.
func TestLogoutThatDoesNotWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := authn.NewMemoryStore()
		f, _, s := loggedInMemory(t, authn.WithStore(store))
		time.Sleep(20 * time.Minute)
		f.fail(tokenPath, f.after(20*time.Second))
		waiting := inBackground(func() error { return second(s.Token(t.Context())) })
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Logout(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want Canceled", err)
		}
		mustHoldNothing(t, s, store)
		mustBe(t, <-waiting, []error{authn.ErrUnauthorized}, []error{context.Canceled, authn.ErrUnavailable})
		synctest.Wait()
		mustHoldNothing(t, s, store)
	})
}

// Another program that hangs while it holds the store does not keep the server from being told.
func TestLogoutWhileAnotherHoldsTheStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := authn.NewMemoryStore()
		f, _, s := loggedInMemory(t, authn.WithStore(store))
		unlock, err := store.Lock(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Logout(t.Context()); err != nil {
			t.Error(err)
		}
		f.mustHaveEnded(t)
		mustHoldNothing(t, s, store)
		if err := unlock(); err != nil {
			t.Error(err)
		}
	})
}

// A slowStore takes a second to load, whatever the context says.
type slowStore struct{ authn.Store }

func (s slowStore) Load(ctx context.Context) (authn.Token, error) {
	time.Sleep(time.Second)
	return s.Store.Load(ctx)
}

// A token that another program has saved, and that is found after the logout, is not used.
func TestTokenFoundAfterLogout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		w := f.inMemory()
		store := authn.NewMemoryStore()
		s := w.session(t, w.personal(), authn.WithStore(slowStore{store}))
		w.loggedIn(t, w.personal(), w.withPassword(), authn.WithStore(store))
		waiting := inBackground(func() error { return second(s.Token(t.Context())) })
		synctest.Wait()
		if err := s.Logout(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-waiting; !errors.Is(err, authn.ErrUnauthorized) {
			t.Errorf("who waited: got %v, want ErrUnauthorized", err)
		}
		if err := w.use(t, s).FollowManga(t.Context(), w.manga); !errors.Is(err, authn.ErrUnauthorized) {
			t.Errorf("got %v, want ErrUnauthorized", err)
		}
		mustHoldNothing(t, s, store)
		f.mustHaveEnded(t)
	})
}

// The answer comes after the logout: the token in it is the one to be revoked, and is not kept.
func TestAnswerAfterLogout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := authn.NewMemoryStore()
		f, s, session, waiting := startStubborn(t, authn.WithStore(store), authn.WithOnToken(func(authn.Token) {
			t.Error("a token of a session that has ended")
		}))
		logout := inBackground(func() error { return session.Logout(t.Context()) })
		synctest.Wait()
		if !session.Anonymous() {
			t.Error("not anonymous at once")
		}
		close(s.answer)
		if err := <-logout; err != nil {
			t.Error(err)
		}
		if err := <-waiting; !errors.Is(err, authn.ErrUnauthorized) {
			t.Errorf("who waited: got %v", err)
		}
		mustHoldNothing(t, session, store)
		f.mustHaveEnded(t)
	})
}

// The second of two logouts must not stop the first, which is the one that tells the server.
func TestTwoLogouts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, _, s := loggedInMemory(t)
		f.fail("POST "+realm+"/protocol/openid-connect/logout", f.after(5*time.Second))
		both := make(chan error, 2)
		for range 2 {
			go func() { both <- s.Logout(t.Context()) }()
			synctest.Wait()
		}
		for range 2 {
			if err := <-both; err != nil {
				t.Error(err)
			}
		}
		f.mustHaveEnded(t)
	})
}

// A logout after Close cannot tell the server, and does the rest.
func TestLogoutAfterClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := authn.NewMemoryStore()
		_, w, s := loggedInMemory(t, authn.WithStore(store))
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		before := len(w.requests())
		if err := s.Logout(t.Context()); !errors.Is(err, authn.ErrClosed) {
			t.Errorf("got %v, want ErrClosed", err)
		}
		mustHoldNothing(t, s, store)
		if n := len(w.requests()) - before; n != 0 {
			t.Errorf("%d requests", n)
		}
	})
}

// A session ends on the server whatever is known of it here.
func TestLogoutWithWhatThereIs(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		options func(t *testing.T, f *fake) []authn.Option
		told    bool // whether there is something to tell the server
	}{
		"refresh token": {func(_ *testing.T, f *fake) []authn.Option {
			return []authn.Option{authn.WithRefreshToken(f.seed())}
		}, true},
		"refresh token in a store": {func(t *testing.T, f *fake) []authn.Option {
			return []authn.Option{authn.WithStore(storeWith(t, authn.Token{RefreshToken: f.seed()}))}
		}, true},
		"refresh token in a store, anonymous": {func(t *testing.T, f *fake) []authn.Option {
			return []authn.Option{authn.Anonymous(), authn.WithStore(storeWith(t, authn.Token{RefreshToken: f.seed()}))}
		}, true},
		"refused refresh token": {func(_ *testing.T, f *fake) []authn.Option {
			token := f.seed()
			f.revokeRefresh()
			return []authn.Option{authn.WithRefreshToken(token)}
		}, true},
		"access token": {func(t *testing.T, f *fake) []authn.Option {
			return []authn.Option{authn.WithStore(storeWith(t, authn.Token{AccessToken: f.seedAccess(), Expiry: time.Now().Add(time.Minute)}))}
		}, true},
		"expired access token": {func(t *testing.T, f *fake) []authn.Option {
			return []authn.Option{authn.WithStore(storeWith(t, authn.Token{AccessToken: "of yesterday", Expiry: time.Now().Add(-time.Minute)}))}
		}, false},
		"password": {func(*testing.T, *fake) []authn.Option {
			return []authn.Option{authn.WithPassword(username, password)}
		}, false},
	} {
		for _, legacy := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/legacy=%v", name, legacy), func(t *testing.T) {
				t.Parallel()
				f := newFake()
				w := f.inMemory()
				protocol, _ := w.protocol(legacy)
				s := w.session(t, append(test.options(t, f), protocol)...)
				if err := s.Logout(t.Context()); err != nil {
					t.Error(err)
				}
				f.mustHaveEnded(t)
				if told := len(w.requests()) > 0; told != test.told {
					t.Errorf("the server was told: %v, want %v", told, test.told)
				}
				if !s.Anonymous() || s.RefreshToken() != "" {
					t.Errorf("something is left: %v", s)
				}
			})
		}
	}
}

// Another program has renewed the token: it is the one in the store that has to be revoked.
func TestLogoutAfterAnotherProgram(t *testing.T) {
	t.Parallel()
	f := newFake()
	w := f.inMemory()
	store := authn.NewMemoryStore()
	s := w.loggedIn(t, w.personal(), w.withPassword(), authn.WithStore(store))
	other := w.session(t, w.personal(), authn.WithStore(store))
	w.revokeAccess()
	w.mustFollow(t, w.use(t, other))
	if s.RefreshToken() == other.RefreshToken() {
		t.Fatal("the other program did not renew, so that this shows nothing")
	}
	if err := s.Logout(t.Context()); err != nil {
		t.Error(err)
	}
	f.mustHaveEnded(t)
	mustHoldNothing(t, s, store)
}
