package authn_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mangadex-go/mangadex/authn"
)

func TestThousandCallsOneRenewal(t *testing.T) {
	t.Parallel()
	t.Run("expired", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			f, w, s := loggedInMemory(t)
			c := w.use(t, s)
			time.Sleep(20 * time.Minute)
			before := w.refreshes()
			f.fail(tokenPath, f.after(3*time.Second))
			w.mustFollowAtOnce(t, c)
			if n := w.refreshes() - before; n != 2 { // what was delayed is counted twice
				t.Errorf("%d renewals, want 1", n-1)
			}
		})
	})
	t.Run("refused with 401", func(t *testing.T) {
		t.Parallel()
		w := netWorld(t)
		// Fewer connections than calls: a call that waits must not keep one that the renewal needs.
		transport := w.client.Transport.(*http.Transport)
		transport.MaxConnsPerHost, transport.MaxIdleConnsPerHost = 50, 50
		s := w.loggedIn(t, w.personal(), w.withPassword())
		c := w.use(t, s)
		w.revokeAccess()
		w.mustFollowAtOnce(t, c)
		if n := w.refreshes(); n != 1 {
			t.Errorf("%d renewals, want 1", n)
		}
	})
}

// A session renews its token by itself: when it has expired, and before it does.
func TestRenewsByItself(t *testing.T) {
	t.Parallel()
	for where, make := range map[string]func(*testing.T) *world{"httpmock": mockWorld, "apitest": apitestInMemory} {
		for _, legacy := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/legacy=%v", where, legacy), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					w := make(t)
					protocol, _ := w.protocol(legacy)
					s := w.loggedIn(t, protocol, w.withPassword())
					c := w.use(t, s)
					time.Sleep(time.Hour)
					w.mustFollowAtOnce(t, c)
					if n := w.refreshes(); n != 1 {
						t.Errorf("%d renewals of an expired token, want 1", n)
					}
					token, err := s.Token(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					time.Sleep(time.Until(token.Expiry) - 50*time.Second)
					w.mustFollowAtOnce(t, c)
					if n := w.refreshes(); n != 2 {
						t.Errorf("%d renewals, want another one ahead of time", n)
					}
					if n := w.logins(); n != 1 {
						t.Errorf("%d logins, want 1", n)
					}
				})
			})
		}
	}
}

func TestWaiterKeepsToItsDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, w, s := loggedInMemory(t)
		time.Sleep(20 * time.Minute)
		f.fail(tokenPath, f.after(5*time.Second))
		go s.Token(t.Context())
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err := s.Token(ctx)
		if waited := time.Since(start); waited > 60*time.Millisecond {
			t.Errorf("waited %v with a deadline of 50 ms", waited)
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want DeadlineExceeded", err)
		}
		if err := w.use(t, s).FollowManga(ctx, w.manga); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a call after the deadline: got %v", err)
		}
		if _, err := s.Token(t.Context()); err != nil {
			t.Errorf("the renewal did not go on: %v", err)
		}
	})
}

func TestCancelledStarterDoesNotFailOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, w, s := loggedInMemory(t)
		time.Sleep(20 * time.Minute)
		before := w.refreshes()
		f.fail(tokenPath, f.after(5*time.Second))
		starter, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() {
			if _, err := s.Token(starter); !errors.Is(err, context.Canceled) {
				t.Errorf("the starter: got %v, want Canceled", err)
			}
		})
		synctest.Wait()
		for range 10 {
			group.Go(func() {
				if _, err := s.Token(t.Context()); err != nil {
					t.Errorf("another: %v", err)
				}
			})
		}
		synctest.Wait()
		cancel()
		group.Wait()
		if n := w.refreshes() - before; n != 2 { // what was delayed is counted twice
			t.Errorf("%d renewals, want 1", n-1)
		}
	})
}

func TestRenewedAhead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, w, s := loggedInMemory(t)
		old, err := s.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Until(old.Expiry) - 61*time.Second)
		if got, err := s.Token(t.Context()); err != nil || got.AccessToken != old.AccessToken {
			t.Fatalf("renewed too early: %v", err)
		}
		time.Sleep(2 * time.Second)
		f.fail(tokenPath, f.after(5*time.Second))
		start := time.Now()
		for range 100 {
			got, err := s.Token(t.Context())
			if err != nil || got.AccessToken != old.AccessToken {
				t.Fatalf("a call does not go on with the old token: %v", err)
			}
		}
		c := w.use(t, s)
		w.mustFollowAtOnce(t, c)
		if time.Since(start) != 0 {
			t.Error("calls wait though their token is good")
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if got, err := s.Token(t.Context()); err != nil || got.AccessToken == old.AccessToken {
			t.Errorf("the new token is not used: %v", err)
		}
		w.mustFollowAtOnce(t, c)
		if n := w.refreshes(); n != 3 { // the login, and what was delayed twice
			t.Errorf("%d renewals", n)
		}
	})
}

func TestFailureAheadOfTimeIsNoFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, w, s := loggedInMemory(t)
		c := w.use(t, s)
		old, _ := s.Token(t.Context())
		time.Sleep(time.Until(old.Expiry) - 50*time.Second)
		before := w.refreshes()
		f.set(func(f *fake) { f.tokenDown = true })
		for second := range 40 {
			for range 20 {
				w.mustFollow(t, c)
			}
			synctest.Wait()
			want := map[int]int{0: 1, 1: 2, 2: 2, 3: 3, 7: 4, 14: 4, 15: 5, 31: 6}[second]
			if n := w.refreshes() - before; want != 0 && n != want {
				t.Errorf("%d attempts after %d seconds, want %d", n, second, want)
			}
			time.Sleep(time.Second)
		}
		f.set(func(f *fake) { f.tokenDown = false })
		time.Sleep(time.Until(old.Expiry) + 30*time.Second)
		w.mustFollow(t, c)
		if n := w.refreshes() - before; n != 7 {
			t.Errorf("%d attempts, want 7", n)
		}
	})
}

// A refresh token that is refused ahead of time does not take away what is left of the access token.
func TestRefusedAheadOfTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, w, s := loggedInMemory(t)
		c := w.use(t, s)
		old, _ := s.Token(t.Context())
		time.Sleep(time.Until(old.Expiry) - 50*time.Second)
		refuse := answerWith(400, "application/json", `{"error":"invalid_grant","error_description":"Token is not active"}`)
		f.fail(tokenPath, refuse, refuse)
		for range 5 {
			w.mustFollow(t, c)
			time.Sleep(time.Second)
		}
		if s.Anonymous() || s.RefreshToken() != "" {
			t.Errorf("Anonymous: %v, RefreshToken: %q", s.Anonymous(), s.RefreshToken())
		}
		time.Sleep(time.Minute)
		if err := c.FollowManga(t.Context(), w.manga); !errors.Is(err, authn.ErrRefreshTokenRefused) {
			t.Errorf("got %v, want ErrRefreshTokenRefused", err)
		}
		if _, err := c.GetManga(t.Context(), w.manga, nil); err != nil {
			t.Errorf("without a token: %v", err)
		}
		if !s.Anonymous() {
			t.Error("not anonymous")
		}
	})
}

func TestLoginWithWhileCallsWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, w, s := loggedInMemory(t)
		c := w.use(t, s)
		time.Sleep(20 * time.Minute)
		f.fail(tokenPath, f.after(5*time.Second))
		login := inBackground(func() error { return s.LoginWith(t.Context(), w.username, "not the password") })
		synctest.Wait()
		// The call must not fail because somebody else mistyped a password.
		w.mustFollow(t, c)
		if err := <-login; !errors.Is(err, authn.ErrWrongPassword) {
			t.Errorf("got %v, want ErrWrongPassword", err)
		}
	})
}

// Who waits for somebody else's login waits no longer than its own context.
func TestImpatientLogins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		w := f.inMemory()
		s := w.session(t, w.personal())
		f.fail(tokenPath, f.after(5*time.Second))
		first := inBackground(func() error { return s.LoginWith(t.Context(), w.username, w.password) })
		synctest.Wait()
		for name, do := range map[string]func(context.Context) error{
			"Login":     s.Login,
			"LoginWith": func(ctx context.Context) error { return s.LoginWith(ctx, w.username, w.password) },
		} {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			if err := do(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: got %v, want DeadlineExceeded", name, err)
			}
			cancel()
		}
		mustLogIn(t, s) // the first login will do
		if err := <-first; err != nil {
			t.Error(err)
		}
		if n := w.logins(); n != 2 { // what was delayed is counted twice
			t.Errorf("%d logins, want 1", n-1)
		}
	})
}

// A 401 to a request of the account before must not be repeated as somebody else.
func TestNoRepetitionAsAnotherAccount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, w, s := loggedInMemory(t)
		c := w.use(t, s)
		endpoint := "POST /manga/" + mangaID + "/follow"
		f.fail(endpoint, func(rw http.ResponseWriter, r *http.Request) {
			time.Sleep(5 * time.Second)
			apiError(rw, 401, "http_exception", "")
		})
		call := inBackground(func() error { return c.FollowManga(t.Context(), w.manga) })
		synctest.Wait()
		if err := s.LoginWith(t.Context(), w.username, w.password); err != nil {
			t.Fatal(err)
		}
		if err := <-call; !errors.Is(err, authn.ErrUnauthorized) {
			t.Errorf("got %v, want ErrUnauthorized", err)
		}
		if n := w.count(endpoint); n != 1 {
			t.Errorf("sent %d times", n)
		}
	})
}

// What was sent is waited for, because the old refresh token is spent; but nobody who waits for the
// token has to wait for that.
func TestCloseWaitsForRenewal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := authn.NewMemoryStore()
		f, w, s := loggedInMemory(t, authn.WithStore(store))
		time.Sleep(20 * time.Minute)
		f.fail(tokenPath, f.after(20*time.Second))
		start := time.Now()
		waiting := inBackground(func() error { return second(s.Token(t.Context())) })
		synctest.Wait()
		closed := inBackground(s.Close)
		if err := <-waiting; !errors.Is(err, authn.ErrClosed) || time.Since(start) != 0 {
			t.Errorf("got %v after %v, want ErrClosed at once", err, time.Since(start))
		}
		if err := <-closed; err != nil {
			t.Error(err)
		}
		if waited := time.Since(start); waited != 20*time.Second {
			t.Errorf("Close took %v", waited)
		}
		if _, err := s.Token(t.Context()); !errors.Is(err, authn.ErrClosed) {
			t.Errorf("after Close: got %v, want ErrClosed", err)
		}
		w.loggedIn(t, w.personal(), authn.WithStore(store))
	})
}

// Who waits for another program learns that the session was closed, not that time was up.
func TestCloseWhileAnotherHoldsTheStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		w := f.inMemory()
		store := authn.NewMemoryStore()
		s := w.session(t, w.personal(), authn.WithRefreshToken(f.seed()), authn.WithStore(store))
		unlock, err := store.Lock(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		waiting := inBackground(func() error { return second(s.Token(t.Context())) })
		synctest.Wait()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := <-waiting; !errors.Is(err, authn.ErrClosed) {
			t.Errorf("got %v, want ErrClosed", err)
		}
		if err := unlock(); err != nil {
			t.Error(err)
		}
	})
}

// A login that its caller stops does not say that the server is not available.
func TestCancelledLogin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		w := f.inMemory()
		s := w.session(t, w.personal())
		f.fail(tokenPath, f.after(5*time.Second))
		ctx, cancel := context.WithCancel(t.Context())
		login := inBackground(func() error { return s.LoginWith(ctx, w.username, w.password) })
		synctest.Wait()
		cancel()
		if err := <-login; !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "login: cancelled before the server answered") {
			t.Errorf("got %v, want Canceled", err)
		}
	})
}

// Without Close nothing is left behind either: a bubble of synctest panics if a goroutine of it is
// left at its end.
func TestNothingLeftBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		w := f.inMemory()
		s, err := authn.New(w.at(), w.personal(), w.withPassword())
		if err != nil {
			t.Fatal(err)
		}
		f.fail(tokenPath, f.after(time.Hour))
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := s.Token(ctx); err == nil {
			t.Error("no error")
		}
		time.Sleep(31 * time.Second) // what is documented for a renewal that nobody waits for
	})
}

func TestGoroutinesAreNotLeaked(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 20 {
		w := newFake().inMemory()
		s, err := authn.New(w.at(), w.withPassword())
		if err != nil {
			t.Fatal(err)
		}
		mustLogIn(t, s)
	}
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if runtime.NumGoroutine() <= before {
			return
		}
	}
	t.Errorf("%d goroutines before, %d after", before, runtime.NumGoroutine())
}

// A stubborn transport answers the token endpoint when it is told to, even if nobody wants to know
// any more: the server has done its part then.
type stubborn struct {
	roundTrip
	asked, answer chan struct{}
}

func (s stubborn) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method+" "+req.URL.Path != tokenPath {
		return s.roundTrip.RoundTrip(req)
	}
	resp, err := s.roundTrip.RoundTrip(req)
	s.asked <- struct{}{}
	<-s.answer
	return resp, err
}

func startStubborn(t *testing.T, options ...authn.Option) (*fake, stubborn, *authn.Session, <-chan error) {
	f := newFake()
	s := stubborn{roundTrip{f}, make(chan struct{}), make(chan struct{})}
	w := f.world(&http.Client{Transport: s}, mockAPI, mockRealm)
	session := w.session(t, append(options, w.personal(), authn.WithRefreshToken(f.seed()))...)
	waiting := inBackground(func() error { return second(session.Token(t.Context())) })
	<-s.asked
	return f, s, session, waiting
}

// The answer comes after Close: the refresh token in it is the only one that works, and is saved.
func TestAnswerAfterClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := authn.NewFileStore(filepath.Join(t.TempDir(), "token"))
		f, s, session, waiting := startStubborn(t, authn.WithStore(store), authn.WithoutCheck())
		closed := inBackground(session.Close)
		synctest.Wait()
		close(s.answer)
		if err := <-closed; err != nil {
			t.Error(err)
		}
		<-waiting
		stored, err := store.Load(t.Context())
		if err != nil || stored.RefreshToken == "" || stored.RefreshToken != session.RefreshToken() || f.refresh[stored.RefreshToken].current != stored.RefreshToken {
			t.Errorf("the store has %v, %v", stored, err)
		}
	})
}
