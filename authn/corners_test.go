package authn_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
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
	store := &recordingStore{Store: &unreadableStore{Store: authn.NewMemoryStore()}}
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

// A refresh token that was given, and was put into the store to see whether that can be written, is not
// taken for news from another process: refused twice, it is dropped.
func TestGivenTokenIsNoNews(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		w := f.inMemory()
		store := authn.NewMemoryStore()
		s := w.session(t, w.personal(), authn.WithRefreshToken("void"), authn.WithStore(store))
		c := w.use(t, s)
		for range 1000 {
			if err := c.FollowManga(t.Context(), w.manga); !errors.Is(err, authn.ErrRefreshTokenRefused) {
				t.Fatal(err)
			}
			time.Sleep(60 * time.Millisecond)
		}
		if n := w.refreshes(); n != 2 {
			t.Errorf("%d attempts, want 2", n)
		}
		mustHoldNothing(t, s, store)
	})
}

// What a function gives is looked at as what an option gives is.
func TestPasswordOfAFunctionIsClean(t *testing.T) {
	t.Parallel()
	w := newFake().inMemory()
	s := w.session(t, w.personal(), authn.WithPasswordFunc(w.username, func(context.Context) (string, error) { return "with a line break\n", nil }))
	if err := s.Login(t.Context()); err == nil || strings.Contains(err.Error(), "with a line") || w.logins() != 0 {
		t.Errorf("got %v after %d logins", err, w.logins())
	}
}

// Close ends a logout that waits for the server, which says so.
func TestCloseEndsALogout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, _, s := loggedInMemory(t)
		for _, endpoint := range endpoints(false) {
			f.fail(endpoint, f.after(time.Hour))
		}
		logout := inBackground(func() error { return s.Logout(t.Context()) })
		synctest.Wait()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := <-logout; !errors.Is(err, authn.ErrClosed) {
			t.Errorf("got %v, want ErrClosed", err)
		}
	})
}

// Nothing is sent for a caller who has gone.
func TestGoneCallerSpendsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, w, s := loggedInMemory(t)
		time.Sleep(20 * time.Minute)
		before := w.refreshes()
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.Token(gone); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want Canceled", err)
		}
		synctest.Wait()
		if n := w.refreshes() - before; n != 0 {
			t.Errorf("%d renewals", n)
		}
	})
}

// A new token of LoginWith is told, and so is the end that Check has found.
func TestWhatIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var tokens []string
		var ends []error
		f := newFake()
		w := f.inMemory()
		s := w.session(t, w.personal(), authn.WithoutCheck(), authn.WithOnToken(func(t authn.Token) { tokens = append(tokens, t.RefreshToken) }), authn.WithOnEnd(func(err error) { ends = append(ends, err) }))
		if err := s.LoginWith(t.Context(), w.username, w.password); err != nil {
			t.Fatal(err)
		}
		if len(tokens) != 1 || tokens[0] != s.RefreshToken() {
			t.Errorf("told of %q", tokens)
		}
		w.reject(true)
		if _, err := s.Check(t.Context()); !errors.Is(err, authn.ErrUnauthorized) || len(ends) != 1 {
			t.Errorf("got %v, and told of %v", err, ends)
		}
	})
}

// An empty one-time code gives up, and is not sent.
func TestNoOneTimeCode(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.code = "123456"
	w := f.inMemory()
	s := w.session(t, w.personal(), w.withPassword(), authn.WithOneTimeCode(func(context.Context) (string, error) { return "", nil }))
	if err := s.Login(t.Context()); !errors.Is(err, authn.ErrWrongPassword) || w.logins() != 1 {
		t.Errorf("got %v after %d logins", err, w.logins())
	}
}

// Close gives a login with a password up soon: nothing is spent by it.
func TestCloseDuringALogin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for name, login := range map[string]func(s *authn.Session) error{
			"by itself": func(s *authn.Session) error { return second(s.Token(t.Context())) },
			"LoginWith": func(s *authn.Session) error { return s.LoginWith(t.Context(), username, password) },
		} {
			f := newFake()
			w := f.inMemory()
			s := w.session(t, w.personal(), w.withPassword())
			f.fail(tokenPath, f.after(time.Hour))
			waiting := inBackground(func() error { return login(s) })
			synctest.Wait()
			start := time.Now()
			if err := s.Close(); err != nil || time.Since(start) > 2*time.Second {
				t.Errorf("%s: Close took %v: %v", name, time.Since(start), err)
			}
			if err := <-waiting; !errors.Is(err, authn.ErrClosed) {
				t.Errorf("%s: got %v, want ErrClosed", name, err)
			}
		}
	})
}
