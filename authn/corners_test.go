package authn_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mangadex-go/mangadex/authn"
)

// A call that can do without a token is sent without one that must not be used any more.
func TestNoSpentTokenOnACallThatNeedsNone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, w, s := loggedInMemory(t)
		c := w.use(t, s)
		time.Sleep(20 * time.Minute)
		f.set(func(f *fake) { f.tokenDown = true })
		for range 2 { // the second one does not even ask for another token
			if _, err := c.GetManga(t.Context(), w.manga, nil); err != nil {
				t.Error(err)
			}
		}
		if n := w.count("GET /manga/" + w.manga.String()); n != 2 || w.last(t, "GET /manga/"+w.manga.String()).authorization != "" {
			t.Errorf("%d requests, the last with %q", n, w.last(t, "GET /manga/"+w.manga.String()).authorization)
		}
	})
}

// Close ends a login whose check takes long: its token is there.
func TestCloseDuringACheck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		w := f.inMemory()
		s := w.session(t, w.personal())
		f.fail("GET /auth/check", f.after(time.Hour))
		login := inBackground(func() error { return s.LoginWith(t.Context(), w.username, w.password) })
		synctest.Wait()
		start := time.Now()
		if err := s.Close(); err != nil || time.Since(start) > time.Second {
			t.Errorf("Close took %v: %v", time.Since(start), err)
		}
		<-login
	})
}

// unsaved returns a session whose newest token could not be saved, and its store.
func unsaved(t *testing.T) (*world, *authn.Session, *recordingStore) {
	t.Helper()
	store := &recordingStore{Store: authn.NewMemoryStore()}
	f, w, s := loggedInMemory(t, authn.WithStore(store))
	w.revokeAccess()
	f.fail(tokenPath, func(rw http.ResponseWriter, r *http.Request) {
		f.ServeHTTP(rw, r)
		store.setFail(errors.New("no space left on device"))
	})
	if err := s.Login(t.Context()); !errors.Is(err, authn.ErrNotSaved) {
		t.Fatal(err)
	}
	return w, s, store
}

// A store that cannot be written is tried a few times in a minute.
func TestStoreIsNotHammered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, _, store := unsaved(t)
		before := store.tried()
		time.Sleep(time.Minute)
		if n := store.tried() - before; n == 0 || n > 10 {
			t.Errorf("%d attempts in a minute", n)
		}
		store.setFail(nil)
		time.Sleep(5 * time.Minute)
		synctest.Wait()
	})
}

// What could not be saved is not saved over what others have put into the store meanwhile: a newer token
// of the same login, which is taken over, or one of another server.
func TestSavedLaterOverNothingElse(t *testing.T) {
	t.Parallel()
	for name, other := range map[string]authn.Token{
		"newer":             {AccessToken: "newer", RefreshToken: "newer", Expiry: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)},
		"of another server": {AccessToken: "other", RefreshToken: "other", Server: "https://api.example.test"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				_, s, store := unsaved(t)
				if err := store.Store.Save(t.Context(), other); err != nil {
					t.Fatal(err)
				}
				store.setFail(nil)
				time.Sleep(10 * time.Minute)
				synctest.Wait()
				if got, err := store.Load(t.Context()); err != nil || got.RefreshToken != other.RefreshToken {
					t.Errorf("the store holds %q, %v", got.RefreshToken, err)
				}
				if adopted := s.RefreshToken() == other.RefreshToken; adopted != (other.Server == "") {
					t.Errorf("the session has %q", s.RefreshToken())
				}
			})
		})
	}
}

// A logout that needs a session token first, which it cannot get, says that the server was not told.
func TestLogoutThatCannotBegin(t *testing.T) {
	t.Parallel()
	f := newFake()
	w := f.inMemory()
	s := w.session(t, authn.WithRefreshToken(f.seed()))
	f.fail("POST /auth/refresh", answerWith(503, "text/html", "<html>"))
	if err := s.Logout(t.Context()); !errors.Is(err, authn.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

// A logout that does not wait for a login under way says so, though there is no token to end yet.
func TestLogoutBeforeTheFirstToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		w := f.inMemory()
		s := w.session(t, w.personal(), w.withPassword())
		f.fail(tokenPath, f.after(20*time.Second))
		waiting := inBackground(func() error { return second(s.Token(t.Context())) })
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Logout(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want Canceled", err)
		}
		<-waiting
	})
}

// A realm that knows one of the two endpoints has ended the session.
func TestOneEndpointOfALogoutWillDo(t *testing.T) {
	t.Parallel()
	for _, failing := range []int{0, 1} {
		f, _, s := loggedInMemory(t)
		f.fail(endpoints(false)[failing], answerWith(404, "text/html", "<html>"))
		if err := s.Logout(t.Context()); err != nil {
			t.Errorf("%s fails: %v", endpoints(false)[failing], err)
		}
		f.mustHaveEnded(t)
	}
}

// A call that finds a token of another server in the store says so.
func TestForeignTokenThatCameLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		w := f.inMemory()
		store := authn.NewMemoryStore()
		s := w.session(t, w.personal(), authn.WithStore(store))
		if err := store.Save(t.Context(), authn.Token{RefreshToken: "other", Server: "https://api.example.test"}); err != nil {
			t.Fatal(err)
		}
		err := w.use(t, s).FollowManga(t.Context(), w.manga)
		if !errors.Is(err, authn.ErrUnauthorized) || !strings.Contains(err.Error(), "https://api.example.test") {
			t.Errorf("got %v", err)
		}
	})
}

// The API says no to the first token, and the realm refuses the password for the second: it is the first
// no that explains the end.
func TestSecondLoginIsRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		w := f.inMemory()
		s := w.session(t, w.personal(), w.withPassword())
		f.set(func(f *fake) { f.banned = true })
		f.fail(tokenPath,
			answerWith(200, "application/json", `{"access_token":"only","expires_in":900}`),
			answerWith(401, "application/json", `{"error":"invalid_grant"}`))
		err := s.Login(t.Context())
		if err == nil || !strings.Contains(err.Error(), "does not accept the token") {
			t.Errorf("got %v", err)
		}
		if !s.Anonymous() {
			t.Error("the session goes on")
		}
	})
}

// An answer of which only the refresh token can be used costs neither the access token in the store nor,
// where the refresh token stays the same, the time at which that ends.
func TestWhatAnAnswerLeavesOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := authn.NewMemoryStore()
		f, _, s := loggedInMemory(t, authn.WithStore(store), authn.WithoutCheck())
		before, err := s.Token(t.Context())
		if err != nil || before.RefreshExpiry.IsZero() {
			t.Fatal(before, err)
		}
		time.Sleep(20 * time.Minute)
		f.fail(tokenPath, answerWith(200, "application/json", fmt.Sprintf(`{"access_token":"second","refresh_token":%q,"expires_in":900}`, before.RefreshToken)))
		second, err := s.Token(t.Context())
		if err != nil || second.AccessToken != "second" || !second.RefreshExpiry.Equal(before.RefreshExpiry) {
			t.Errorf("got %q until %v, %v; want until %v", second.AccessToken, second.RefreshExpiry, err, before.RefreshExpiry)
		}
		time.Sleep(time.Until(second.Expiry) - 30*time.Second)
		f.fail(tokenPath, answerWith(200, "application/json", `{"refresh_token":"third"}`))
		for n, want := range []string{before.RefreshToken, "third"} {
			if got, err := s.Token(t.Context()); err != nil || got.AccessToken != "second" || got.RefreshToken != want {
				t.Errorf("%d: got %q and %q, %v", n, got.AccessToken, got.RefreshToken, err)
			}
			synctest.Wait() // for the renewal ahead of time
		}
		if got, err := store.Load(t.Context()); err != nil || got.RefreshToken != "third" || got.AccessToken != "second" {
			t.Errorf("the store holds %q and %q, %v", got.AccessToken, got.RefreshToken, err)
		}
	})
}

// A store that is not there says so in every way, and an empty file leaves nothing aside.
func TestFileStoreOfNothing(t *testing.T) {
	t.Parallel()
	none := (*authn.FileStore)(nil)
	if got := fmt.Sprintf("%v %s %+v", none, none, none); got != "authn.FileStore(nil) authn.FileStore(nil) authn.FileStore(nil)" {
		t.Errorf("%q", got)
	}
	if _, err := none.Lock(t.Context()); err == nil {
		t.Error("nothing can be locked")
	}
	if err := none.Discard(t.Context()); err == nil {
		t.Error("nothing can be set aside")
	}
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := authn.NewFileStore(path).Discard(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path + ".refused"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an empty file is kept aside: %v", err)
	}
}

// An unreadableStore cannot be read for a while.
type unreadableStore struct {
	authn.Store
	broken atomic.Bool
}

func (s *unreadableStore) Load(ctx context.Context) (authn.Token, error) {
	if s.broken.Load() {
		return authn.Token{}, errors.New("input/output error")
	}
	return s.Store.Load(ctx)
}

// What a store holds that cannot be read may be newer than what the session has: nothing is spent.
func TestStoreThatCannotBeRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &unreadableStore{Store: authn.NewMemoryStore()}
		_, w, s := loggedInMemory(t, authn.WithStore(store))
		c := w.use(t, s)
		time.Sleep(20 * time.Minute)
		before := w.refreshes()
		store.broken.Store(true)
		if err := c.FollowManga(t.Context(), w.manga); err == nil || !strings.Contains(err.Error(), "input/output error") || w.refreshes() != before {
			t.Errorf("got %v after %d renewals", err, w.refreshes()-before)
		}
		store.broken.Store(false)
		w.mustFollow(t, c)
	})
}

// A token that cannot be saved at last is the error of Close.
func TestCloseThatCannotSave(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, s, store := unsaved(t)
		if err := s.Close(); !errors.Is(err, authn.ErrNotSaved) {
			t.Errorf("got %v, want ErrNotSaved", err)
		}
		store.setFail(nil)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if got, err := store.Load(t.Context()); err != nil || got.RefreshToken != s.RefreshToken() {
			t.Errorf("the store holds %q, %v", got.RefreshToken, err)
		}
	})
}

// A file store does nothing for a caller who has gone.
func TestFileStoreOfAGoneCaller(t *testing.T) {
	t.Parallel()
	store := authn.NewFileStore(filepath.Join(t.TempDir(), "token"))
	if err := store.Save(t.Context(), testToken("kept")); err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for name, do := range map[string]func() error{
		"Load":    func() error { return second(store.Load(gone)) },
		"Save":    func() error { return store.Save(gone, testToken("new")) },
		"Delete":  func() error { return store.Delete(gone) },
		"Discard": func() error { return store.Discard(gone) },
		"Lock":    func() error { return second(store.Lock(gone)) },
	} {
		if err := do(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v, want Canceled", name, err)
		}
	}
	if got, err := store.Load(t.Context()); err != nil || got != testToken("kept") {
		t.Errorf("the store holds %v, %v", got, err)
	}
}

// An answer that breaks off says with what status it began.
func TestStatusOfHalfAnAnswer(t *testing.T) {
	t.Parallel()
	f := newFake()
	w := f.serve(t)
	s := w.session(t, w.personal(), authn.WithRefreshToken(f.seed()))
	f.fail(tokenPath, func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Length", "1000")
		rw.WriteHeader(http.StatusBadGateway)
		_, _ = rw.Write([]byte("<html>"))
	})
	var e *authn.TokenError
	if err := s.Login(t.Context()); !errors.As(err, &e) || e.StatusCode != http.StatusBadGateway || !errors.Is(err, authn.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}
