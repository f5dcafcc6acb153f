package authn_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/authn"
)

// The server of these tests rotates refresh tokens and takes one that comes again for a theft. Whatever
// happens while a renewal is on the way, the next run of the program finds a token that works.
func TestNoLoginIsLost(t *testing.T) {
	t.Parallel()
	for name, disturb := range map[string]func(t *testing.T, f *fake, w *world, s *authn.Session){
		"nothing": func(*testing.T, *fake, *world, *authn.Session) {},
		"Close": func(t *testing.T, _ *fake, _ *world, s *authn.Session) {
			start := time.Now() // the rest is not waited for, but saved if the program lives
			if err := s.Close(); (err != nil) != (time.Since(start) >= 30*time.Second) {
				t.Errorf("%v after %v", err, time.Since(start))
			}
		},
		"a deadline": func(t *testing.T, _ *fake, w *world, s *authn.Session) {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			if err := w.use(t, s).FollowManga(ctx, w.manga); err != nil && !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
			_ = s.Close()
		},
		"logout of another session": func(t *testing.T, f *fake, w *world, _ *authn.Session) {
			other := w.session(t, w.personal(), authn.WithRefreshToken(f.seed()), authn.WithStore(authn.NewMemoryStore()))
			if err := other.Logout(t.Context()); err != nil {
				t.Error(err)
			}
		},
		"a sleep of 8 hours": func(*testing.T, *fake, *world, *authn.Session) { time.Sleep(8 * time.Hour) },
	} {
		for _, delay := range []time.Duration{0, 300 * time.Millisecond, 10 * time.Second, 29 * time.Second, 45 * time.Second, 110 * time.Second} {
			t.Run(fmt.Sprintf("%s/%v", name, delay), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					f := newFake()
					w := f.pipe(t)
					store := authn.NewMemoryStore()
					s := w.loggedIn(t, w.personal(), authn.WithRefreshToken(f.seed()), authn.WithStore(store))
					time.Sleep(20 * time.Minute)
					f.fail(tokenPath, func(rw http.ResponseWriter, r *http.Request) {
						out := &heldAnswer{ResponseWriter: rw}
						f.ServeHTTP(out, r) // the old refresh token is spent from here on
						time.Sleep(delay)
						out.flush()
					})
					go s.Token(context.Background())
					time.Sleep(min(delay/2, 50*time.Millisecond))
					disturb(t, f, w, s)
					time.Sleep(3 * time.Minute)
					next := w.session(t, w.personal(), authn.WithStore(store))
					if _, err := next.User(t.Context()); err != nil {
						t.Errorf("the next run: %v", err)
					}
				})
			})
		}
	}
}

// A heldAnswer is written later than the server has decided on it.
type heldAnswer struct {
	http.ResponseWriter
	status int
	body   strings.Builder
}

func (h *heldAnswer) WriteHeader(status int)            { h.status = status }
func (h *heldAnswer) Write(p []byte) (int, error)       { return h.body.Write(p) }
func (h *heldAnswer) WriteString(s string) (int, error) { return h.body.WriteString(s) }
func (h *heldAnswer) flush() {
	h.ResponseWriter.WriteHeader(h.status)
	_, _ = io.WriteString(h.ResponseWriter, h.body.String())
}

// Another process holds the store for 29.8 seconds: the exchange has all of its own time after that.
// It holds it for ten minutes: nothing is sent, and calls go on afterwards.
func TestLockThatIsHeld(t *testing.T) {
	t.Parallel()
	for _, held := range []time.Duration{29800 * time.Millisecond, 10 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			store := authn.NewMemoryStore()
			f, w, s := loggedInMemory(t, authn.WithStore(store))
			c := w.use(t, s)
			time.Sleep(20 * time.Minute)
			unlock, err := store.Lock(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			time.AfterFunc(held, func() { _ = unlock() })
			f.fail(tokenPath, f.after(20*time.Second))
			before := w.refreshes()
			start := time.Now()
			err = c.FollowManga(t.Context(), w.manga)
			if held < 30*time.Second {
				if err != nil || time.Since(start) != held+20*time.Second {
					t.Errorf("got %v after %v", err, time.Since(start))
				}
				return
			}
			if !errors.Is(err, context.DeadlineExceeded) || w.refreshes() != before {
				t.Errorf("got %v after %d renewals", err, w.refreshes()-before)
			}
			if _, err := c.GetManga(t.Context(), w.manga, nil); err != nil {
				t.Errorf("what can do without a token: %v", err)
			}
			time.Sleep(10 * time.Minute)
			w.mustFollow(t, c)
		})
	}
}

// A thousand calls with something that is refused, or a server that is down, make a few requests; the
// first call after the server is back succeeds within the pause.
func TestNothingIsHammered(t *testing.T) {
	t.Parallel()
	refuse := func(status int, code string) http.HandlerFunc {
		return answerWith(status, "application/json", `{"error":"`+code+`"}`)
	}
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		options func(f *fake) []authn.Option
		comes   bool // whether it comes back by itself
	}{
		"wrong client secret":            {refuse(401, "unauthorized_client"), seeded, true},
		"wrong client secret, password":  {refuse(401, "unauthorized_client"), withPassword, true},
		"down":                           {answerWith(503, "text/html", "<html>"), seeded, true},
		"down, password":                 {answerWith(503, "text/html", "<html>"), withPassword, true},
		"no network":                     {drop, seeded, true},
		"invalid_scope":                  {refuse(400, "invalid_scope"), seeded, true},
		"invalid_request":                {refuse(400, "invalid_request"), seeded, true},
		"invalid_scope, password":        {refuse(400, "invalid_scope"), withPassword, true},
		"refused refresh token":          {refuse(400, "invalid_grant"), seeded, false},
		"wrong password":                 {refuse(401, "invalid_grant"), withPassword, false},
		"an answer without a token":      {answerWith(200, "application/json", `{}`), seeded, true},
		"refused refresh token and more": {refuse(400, "invalid_grant"), func(f *fake) []authn.Option { return append(seeded(f), withPassword(f)...) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				w := f.inMemory()
				s := w.session(t, append(test.options(f), w.personal())...)
				c := w.use(t, s)
				f.set(func(f *fake) { f.always = map[string]http.HandlerFunc{tokenPath: test.handler} })
				for range 1000 {
					if err := c.FollowManga(t.Context(), w.manga); err == nil {
						t.Fatal("the call succeeds")
					} else if strings.ContainsAny(err.Error(), "\n\r") {
						t.Fatalf("%q", err)
					}
					time.Sleep(60 * time.Millisecond)
				}
				if n := w.count(tokenPath); n == 0 || n > 10 {
					t.Errorf("%d requests in the first minute", n)
				}
				f.set(func(f *fake) { f.always = nil })
				start := time.Now()
				for c.FollowManga(t.Context(), w.manga) != nil && time.Since(start) < 10*time.Minute {
					time.Sleep(time.Second)
				}
				if took := time.Since(start); test.comes != (took <= 64*time.Second) {
					t.Errorf("back after %v", took)
				}
			})
		})
	}
}

func seeded(f *fake) []authn.Option { return []authn.Option{authn.WithRefreshToken(f.seed())} }
func withPassword(*fake) []authn.Option {
	return []authn.Option{authn.WithPassword(username, password)}
}

// A program that logs in in a loop does not hammer either.
func TestLoginsInALoop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		w := f.inMemory()
		s := w.session(t, w.personal(), authn.WithPassword(username, "not the password"))
		for range 1000 {
			for _, err := range []error{s.Login(t.Context()), s.LoginWith(t.Context(), username, "nor this one")} {
				if !errors.Is(err, authn.ErrWrongPassword) {
					t.Fatalf("got %v", err)
				}
			}
			time.Sleep(60 * time.Millisecond)
		}
		if n := w.logins(); n > 20 { // there are two passwords
			t.Errorf("%d logins in a minute", n)
		}
		if err := s.LoginWith(t.Context(), username, password); err != nil {
			t.Errorf("the right password: %v", err)
		}
	})
}

// An operation that always answers 401 costs a renewal now and then, not with each call.
func TestOperationThatAlwaysRefuses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, w, s := loggedInMemory(t)
		c := w.use(t, s)
		f.set(func(f *fake) {
			f.always = map[string]http.HandlerFunc{"POST /manga/" + mangaID + "/follow": func(rw http.ResponseWriter, _ *http.Request) {
				apiError(rw, 401, "http_exception", "not for you")
			}}
		})
		before := w.refreshes()
		for range 1000 {
			if err := c.FollowManga(t.Context(), w.manga); !errors.Is(err, api.ErrUnauthorized) || !strings.Contains(err.Error(), "not for you") {
				t.Fatalf("got %v", err)
			}
			time.Sleep(60 * time.Millisecond)
		}
		if n := w.refreshes() - before; n > 10 {
			t.Errorf("%d renewals in a minute", n)
		}
		f.set(func(f *fake) { f.always = nil })
		w.mustFollow(t, c)
		w.revokeAccess()
		time.Sleep(time.Minute)
		w.mustFollow(t, c)
	})
}

// Keycloak has refused good refresh tokens for a moment.
func TestRefusalIsLookedAtTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "token")
		store := authn.NewFileStore(path)
		var ended []error
		f, w, s := loggedInMemory(t, authn.WithStore(store), authn.WithOnEnd(func(err error) { ended = append(ended, err) }))
		c := w.use(t, s)
		w.revokeAccess()
		refuse := answerWith(400, "application/json", `{"error":"invalid_grant","error_description":"Session doesn't have required client"}`)
		f.fail(tokenPath, refuse)
		kept := s.RefreshToken()
		err := c.FollowManga(t.Context(), w.manga)
		mustBe(t, err, []error{authn.ErrRefreshTokenRefused, authn.ErrUnauthorized}, nil)
		if !errors.As(err, new(*authn.UnauthorizedError)) || !strings.Contains(err.Error(), "required client") {
			t.Errorf("got %v", err)
		}
		mustHold(t, s, store, kept)
		time.Sleep(3 * time.Second)
		w.mustFollow(t, c)
		if len(ended) != 0 {
			t.Errorf("ended: %v", ended)
		}
		// The second refusal is the last word; a person may put the token back.
		f.fail(tokenPath, refuse, refuse)
		w.revokeAccess()
		kept = s.RefreshToken()
		_ = c.FollowManga(t.Context(), w.manga)
		time.Sleep(time.Second)
		_ = c.FollowManga(t.Context(), w.manga)
		mustHoldNothing(t, s, store)
		if len(ended) != 1 || !errors.Is(ended[0], authn.ErrRefreshTokenRefused) {
			t.Errorf("ended: %v", ended)
		}
		if err := os.Rename(path+".refused", path); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		w.mustFollow(t, c)
		if s.RefreshToken() == kept || s.RefreshToken() == "" {
			t.Error("what was put back is not used")
		}
	})
}

// One no of the API to a new token, as from a clock that is a second off, is no end.
func TestCheckIsAskedTwice(t *testing.T) {
	t.Parallel()
	for name, no := range map[string]http.HandlerFunc{
		"401": func(rw http.ResponseWriter, _ *http.Request) {
			apiError(rw, 401, "http_exception", "the key is not known yet")
		},
		"isAuthenticated": answerWith(200, "application/json", `{"result":"ok","isAuthenticated":false}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				w := f.inMemory()
				store := authn.NewMemoryStore()
				var ended []error
				s := w.session(t, w.personal(), authn.WithRefreshToken(f.seed()), w.withPassword(), authn.WithStore(store),
					authn.WithOnEnd(func(err error) { ended = append(ended, err) }))
				c := w.use(t, s)
				f.fail("GET /auth/check", no)
				w.mustFollow(t, c)
				if w.refreshes() != 2 || w.logins() != 0 {
					t.Errorf("%d renewals, %d logins", w.refreshes(), w.logins())
				}
				mustHold(t, s, store, s.RefreshToken())
				f.fail("GET /auth/check", no)
				if _, err := s.Check(t.Context()); err != nil {
					t.Errorf("Check: %v", err)
				}
				// The second no is the last word.
				f.set(func(f *fake) { f.always = map[string]http.HandlerFunc{"GET /auth/check": no} })
				w.revokeAccess()
				err := c.FollowManga(t.Context(), w.manga)
				if !errors.As(err, new(*authn.UnauthorizedError)) || name == "401" && !strings.Contains(err.Error(), "the key is not known yet") {
					t.Errorf("got %v", err)
				}
				if len(ended) != 1 {
					t.Errorf("ended: %v", ended)
				}
				w.mustBeLoggedOutLocally(t, s)
				f.set(func(f *fake) { f.always = nil })
				mustLogIn(t, s)
				w.mustFollow(t, c)
			})
		})
	}
}

// GET /user/me may refuse what GET /auth/check has said yes to: that ends nothing, and the error is
// that of GET /user/me.
func TestUserRefusedTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, w, s := loggedInMemory(t)
		no := func(rw http.ResponseWriter, _ *http.Request) {
			apiError(rw, 401, "http_exception", "not yet confirmed")
		}
		f.fail("GET /user/me", no, no)
		_, err := s.User(t.Context())
		if !errors.Is(err, authn.ErrUnauthorized) || !strings.Contains(err.Error(), "not yet confirmed") || strings.Contains(err.Error(), "/auth/check") {
			t.Errorf("got %v", err)
		}
		if s.Anonymous() {
			t.Error("the session has ended")
		}
		w.mustFollow(t, w.use(t, s))
	})
}

// A login that the API does not accept does not cost the one before it.
func TestRejectedLoginWith(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := authn.NewMemoryStore()
		f, w, s := loggedInMemory(t, authn.WithStore(store))
		c := w.use(t, s)
		kept := s.RefreshToken()
		w.reject(true)
		if err := s.LoginWith(t.Context(), username, password); !errors.Is(err, authn.ErrUnauthorized) {
			t.Errorf("got %v", err)
		}
		w.reject(false)
		mustHold(t, s, store, kept)
		w.mustFollow(t, c)
		// One no alone is none.
		f.fail("GET /auth/check", answerWith(200, "application/json", `{"result":"ok","isAuthenticated":false}`))
		if err := s.LoginWith(t.Context(), username, password); err != nil {
			t.Errorf("got %v", err)
		}
		mustHold(t, s, store, s.RefreshToken())
	})
}

// What needs no token does not fail, and does not wait for long, because of the session.
func TestCallsThatNeedNoToken(t *testing.T) {
	t.Parallel()
	for name, trouble := range map[string]func(f *fake, store *authn.MemoryStore){
		"server is down":  func(f *fake, _ *authn.MemoryStore) { f.set(func(f *fake) { f.tokenDown = true }) },
		"server hangs":    func(f *fake, _ *authn.MemoryStore) { f.fail(tokenPath, f.after(time.Hour)) },
		"store is locked": func(_ *fake, store *authn.MemoryStore) { _, _ = store.Lock(context.Background()) },
		"client refused": func(f *fake, _ *authn.MemoryStore) {
			f.fail(tokenPath, answerWith(401, "application/json", `{"error":"invalid_client"}`))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				w := f.inMemory()
				store := authn.NewMemoryStore()
				s := w.session(t, w.personal(), authn.WithRefreshToken(f.seed()), authn.WithStore(store))
				c := w.use(t, s)
				trouble(f, store)
				ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
				defer cancel()
				if _, err := c.GetManga(ctx, w.manga, nil); err != nil {
					t.Errorf("with a deadline: %v", err)
				}
				start := time.Now()
				if _, err := c.GetManga(t.Context(), w.manga, nil); err != nil || time.Since(start) > 5*time.Second {
					t.Errorf("%v after %v", err, time.Since(start))
				}
				time.Sleep(3 * time.Minute)
			})
		})
	}
}

// Token returns one account or the other, never a mixture.
func TestTokenIsOfOneAccount(t *testing.T) {
	t.Parallel()
	f := newFake()
	w := f.inMemory()
	s := w.loggedIn(t, w.personal(), w.withPassword(), authn.WithoutCheck())
	stop := make(chan struct{})
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				token, err := s.Token(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				f.mu.Lock()
				of := f.access[token.AccessToken]
				mixed := of == nil || f.refresh[token.RefreshToken] != of.session
				f.mu.Unlock()
				if mixed {
					t.Error("the access token of one login with the refresh token of another")
					return
				}
			}
		})
	}
	for range 100 {
		if err := s.LoginWith(t.Context(), username, password); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	all.Wait()
}
