package authn_test

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mangadex-go/mangadex/authn"
)

// A recordingStore remembers what was saved, and fails when it is told to. It is no Locker.
type recordingStore struct {
	authn.Store
	mu     sync.Mutex
	tokens []string
	tries  int // to save
	fail   error
}

func (s *recordingStore) Save(ctx context.Context, t authn.Token) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tries++
	if s.fail != nil {
		return s.fail
	}
	s.tokens = append(s.tokens, t.RefreshToken)
	return s.Store.Save(ctx, t)
}

func (s *recordingStore) Delete(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	return s.Store.Delete(ctx)
}

func (s *recordingStore) saved() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tokens
}

func (s *recordingStore) tried() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tries
}

func (s *recordingStore) setFail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = err
}

// storeWith returns a store that holds a token.
func storeWith(t testing.TB, token authn.Token) *authn.MemoryStore {
	t.Helper()
	store := authn.NewMemoryStore()
	if err := store.Save(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	return store
}

// mustHold fails the test if the session and its store do not both have a refresh token.
func mustHold(t testing.TB, s *authn.Session, store authn.Store, refresh string) {
	t.Helper()
	if stored, err := store.Load(t.Context()); err != nil || stored.RefreshToken != refresh || s.RefreshToken() != refresh {
		t.Errorf("the refresh token is lost: %v, %v", stored, err)
	}
}

// mustHoldNothing fails the test if anything is left of a login.
func mustHoldNothing(t testing.TB, s *authn.Session, store authn.Store) {
	t.Helper()
	if stored, err := store.Load(t.Context()); err != nil || stored != (authn.Token{}) || s.RefreshToken() != "" || !s.Anonymous() {
		t.Errorf("something is left: %v, %v, %v", stored, err, s)
	}
}

// A store that cannot be written costs no refresh token: it is not spent. Other calls go on.
func TestStoreThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		full := errors.New("no space left on device")
		store := &recordingStore{Store: authn.NewMemoryStore()}
		_, w, s := loggedInMemory(t, authn.WithStore(store))
		c := w.use(t, s)
		store.setFail(full)
		w.revokeAccess()
		kept, before := s.RefreshToken(), w.refreshes()
		for range 3 {
			err := c.FollowManga(t.Context(), w.manga)
			mustBe(t, err, []error{authn.ErrNotSaved, full}, []error{authn.ErrUnauthorized})
			if _, err := c.GetManga(t.Context(), w.manga, nil); err != nil {
				t.Errorf("what can do without a token: %v", err)
			}
			time.Sleep(time.Minute)
		}
		if n := w.refreshes() - before; n != 0 {
			t.Errorf("spent %d times", n)
		}
		mustHold(t, s, store, kept)
		store.setFail(nil)
		w.mustFollow(t, c)
		mustHold(t, s, store, s.RefreshToken())
	})
}

// With a password there is no need to spend the refresh token, and none to fail.
func TestPasswordWhereTheStoreCannotBeWritten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &recordingStore{Store: authn.NewMemoryStore()}
		_, w, s := loggedInMemory(t, authn.WithStore(store), authn.WithPassword(username, password))
		c := w.use(t, s)
		kept, before := s.RefreshToken(), w.refreshes()
		store.setFail(errors.New("read-only file system"))
		w.revokeAccess()
		if err := s.Login(t.Context()); !errors.Is(err, authn.ErrNotSaved) {
			t.Errorf("Login: got %v, want ErrNotSaved", err)
		}
		w.mustFollow(t, c)
		if stored, err := store.Load(t.Context()); err != nil || stored.RefreshToken != kept || w.refreshes() != before {
			t.Errorf("the refresh token was spent: %v, %v", stored, err)
		}
		// What was never saved has nothing to lose.
		w.revokeAccess()
		w.mustFollow(t, c)
		if n := w.logins(); n != 1 {
			t.Errorf("%d logins, want 1", n)
		}
		store.setFail(nil)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		mustHold(t, s, store, s.RefreshToken())
	})
}

// A token that could not be saved is saved as soon as it can be, without a call.
func TestSavedLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		full := errors.New("no space left on device")
		store := &recordingStore{Store: authn.NewMemoryStore()}
		f, w, s := loggedInMemory(t, authn.WithStore(store))
		c := w.use(t, s)
		w.revokeAccess()
		f.fail(tokenPath, func(rw http.ResponseWriter, r *http.Request) {
			f.ServeHTTP(rw, r)
			store.setFail(full) // after the store has shown that it can be written
		})
		if err := s.Login(t.Context()); !errors.Is(err, authn.ErrNotSaved) || !errors.Is(err, full) {
			t.Errorf("Login: got %v, want ErrNotSaved", err)
		}
		w.mustFollow(t, c)
		time.Sleep(30 * time.Second)
		if stored, _ := store.Load(t.Context()); stored.RefreshToken == s.RefreshToken() {
			t.Fatal("saved, so that this shows nothing")
		}
		store.setFail(nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		mustHold(t, s, store, s.RefreshToken())
		saved := len(store.saved())
		time.Sleep(10 * time.Minute)
		if n := len(store.saved()); n != saved {
			t.Errorf("saved %d times more", n-saved)
		}
	})
}

// If the token of another account cannot be replaced in the store, the session does not go back to
// that account.
func TestSavingFailsForAnotherAccount(t *testing.T) {
	t.Parallel()
	f := newFake()
	w := f.inMemory()
	store := &recordingStore{Store: authn.NewMemoryStore()}
	s := w.loggedIn(t, w.personal(), authn.WithRefreshToken(f.seed()), authn.WithStore(store))
	store.setFail(errors.New("no space left on device"))
	if err := s.LoginWith(t.Context(), w.username, w.password); !errors.Is(err, authn.ErrNotSaved) {
		t.Errorf("got %v, want ErrNotSaved", err)
	}
	w.mustFollow(t, w.use(t, s))
	want := s.RefreshToken()
	store.setFail(nil)
	w.revokeAccess()
	w.mustFollow(t, w.use(t, s))
	if w.last(t, tokenPath).form.Get("refresh_token") != want {
		t.Error("not renewed with the refresh token of the login")
	}
	mustHold(t, s, store, s.RefreshToken())
}

// A token that cannot be deleted is told, with everything else that went wrong, in one line.
func TestDeletingFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("read-only file system")
	w := newFake().inMemory()
	store := &recordingStore{Store: authn.NewMemoryStore()}
	s := w.loggedIn(t, w.withPassword(), authn.WithStore(store))
	store.setFail(broken)
	w.fail("POST /auth/logout", 503)
	err := s.Logout(t.Context())
	mustBe(t, err, []error{broken, authn.ErrUnavailable}, nil)
	if !strings.Contains(err.Error(), "authn: the token is still in the store: read-only file system") || strings.Contains(err.Error(), "\n") {
		t.Errorf("the error says %q", err)
	}
	if !s.Anonymous() || s.RefreshToken() != "" {
		t.Error("still logged in")
	}
}

// The order matters: who is killed after the renewal must find the new token in the store.
func TestSavedBeforeUsed(t *testing.T) {
	t.Parallel()
	f := newFake()
	w := f.inMemory()
	store := authn.NewMemoryStore()
	s := w.session(t, w.personal(), authn.WithRefreshToken(f.seed()), authn.WithStore(store), authn.WithOnToken(func(token authn.Token) {
		if stored, _ := store.Load(context.Background()); stored.AccessToken != token.AccessToken {
			t.Error("not saved before WithOnToken")
		}
		if n := w.count("GET /auth/check"); n != 0 {
			t.Error("used before WithOnToken")
		}
	}))
	f.fail("GET /auth/check", func(rw http.ResponseWriter, r *http.Request) {
		if stored, _ := store.Load(context.Background()); "Bearer "+stored.AccessToken != r.Header.Get("Authorization") {
			t.Error("used before it was saved")
		}
		f.ServeHTTP(rw, r)
	})
	mustLogIn(t, s)
	if w.count("GET /auth/check") == 0 {
		t.Error("no check")
	}
}

func testToken(name string) authn.Token {
	return authn.Token{AccessToken: "access-" + name, RefreshToken: "refresh-" + name, Expiry: time.Date(2030, 1, 2, 3, 4, 5, 6, time.UTC)}
}

func TestStores(t *testing.T) {
	t.Parallel()
	for name, store := range map[string]authn.Locker{
		"file":   authn.NewFileStore(filepath.Join(t.TempDir(), "not", "there", "yet", "token")),
		"memory": authn.NewMemoryStore(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			if err := store.Delete(ctx); err != nil {
				t.Errorf("Delete of nothing: %v", err)
			}
			if got, err := store.Load(ctx); err != nil || got != (authn.Token{}) {
				t.Errorf("Load of nothing: %v, %v", got, err)
			}
			for _, want := range []authn.Token{testToken("one"), testToken("two"), {RefreshToken: "only"}, {AccessToken: "only"}} {
				if err := store.Save(ctx, want); err != nil {
					t.Fatal(err)
				}
				if got, err := store.Load(ctx); err != nil || got != want {
					t.Errorf("got %v, %v; want %v", got, err, want)
				}
			}
			unlock, err := store.Lock(ctx)
			if err != nil {
				t.Fatal(err)
			}
			short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
			defer cancel()
			if _, err := store.Lock(short); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("a second lock: got %v, want DeadlineExceeded", err)
			}
			if err := store.Delete(ctx); err != nil {
				t.Error(err)
			}
			if got, err := store.Load(ctx); err != nil || got != (authn.Token{}) {
				t.Errorf("Load after Delete: %v, %v", got, err)
			}
			if err := unlock(); err != nil {
				t.Error(err)
			}
			var inside atomic.Int32
			var all sync.WaitGroup
			for range 20 {
				all.Go(func() {
					unlock, err := store.Lock(ctx)
					if err != nil {
						t.Error(err)
						return
					}
					if inside.Add(1) != 1 {
						t.Error("two hold the lock")
					}
					time.Sleep(100 * time.Microsecond)
					inside.Add(-1)
					if err := unlock(); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
		})
	}
}

// Two sessions of one program may share a store.
func TestSessionsShareAStore(t *testing.T) {
	t.Parallel()
	f := newFake()
	w := f.inMemory()
	store := storeWith(t, authn.Token{RefreshToken: f.seed()})
	one := w.session(t, w.personal(), authn.WithStore(store))
	two := w.session(t, w.personal(), authn.WithStore(store))
	for round := range 50 {
		w.revokeAccess()
		var both sync.WaitGroup
		for _, s := range []*authn.Session{one, two} {
			both.Go(func() {
				if _, err := s.User(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		if n := w.refreshes(); n != round+1 {
			t.Fatalf("%d renewals after %d expiries", n, round+1)
		}
	}
}

// A token in the store that is still good is used as it is, by the next run of a program.
func TestStartFromTheStore(t *testing.T) {
	t.Parallel()
	f := newFake()
	w := f.inMemory()
	path := filepath.Join(t.TempDir(), "token")
	first := w.loggedIn(t, w.personal(), w.withPassword(), authn.WithStore(authn.NewFileStore(path)))
	before := len(w.requests())
	s := w.session(t, w.personal(), authn.WithStore(authn.NewFileStore(path)))
	if s.Anonymous() || s.RefreshToken() != first.RefreshToken() {
		t.Error("the session does not start from the store")
	}
	w.mustFollow(t, w.use(t, s))
	if n := len(w.requests()) - before; n != 1 {
		t.Errorf("%d requests, want the call alone", n)
	}
}

// A refresh token that is newly given helps when the one in the store is refused.
func TestGivenTokenAfterStoredOne(t *testing.T) {
	t.Parallel()
	f := newFake()
	w := f.inMemory()
	store := storeWith(t, authn.Token{RefreshToken: "of long ago"})
	s := w.session(t, w.personal(), authn.WithStore(store), authn.WithRefreshToken(f.seed()))
	if _, err := s.User(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := w.refreshes(); n != 2 {
		t.Errorf("%d renewals, want the stored token and the given one", n)
	}
	if stored, _ := store.Load(t.Context()); stored.RefreshToken != s.RefreshToken() {
		t.Error("the store does not have the new token")
	}
}

// A session that has ended notices when somebody logs in again, with another program.
func TestLoginOfAnotherProgram(t *testing.T) {
	t.Parallel()
	synctest.Test(t, testLoginOfAnotherProgram)
}

func testLoginOfAnotherProgram(t *testing.T) {
	f := newFake()
	w := f.inMemory()
	store := authn.NewMemoryStore()
	s := w.session(t, w.personal(), authn.WithStore(store))
	if _, err := s.User(t.Context()); !errors.Is(err, authn.ErrUnauthorized) {
		t.Fatalf("got %v", err)
	}
	w.loggedIn(t, w.personal(), w.withPassword(), authn.WithStore(store))
	time.Sleep(1100 * time.Millisecond) // it looks once in a second
	if _, err := s.User(t.Context()); err != nil {
		t.Error(err)
	}
	if n := w.refreshes() + w.logins(); n != 1 {
		t.Errorf("%d logins and renewals, want one", n)
	}
}

// A token is not sent to a server that it was not made for, so that a test cannot spend the session
// of a user.
func TestStoredTokenOfAnotherServer(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "token")
	store := authn.NewFileStore(path)
	production := mockWorld(t)
	production.loggedIn(t, production.personal(), production.withPassword(), authn.WithStore(store))
	kept, err := store.Load(t.Context())
	if err != nil || kept.Server != mockAPI {
		t.Fatalf("the token is for %q, %v", kept.Server, err)
	}

	other := netWorld(t)
	stranger := other.session(t, other.personal(), authn.WithStore(store))
	if _, err := stranger.User(t.Context()); !errors.Is(err, authn.ErrUnauthorized) {
		t.Errorf("got %v", err)
	}
	if !stranger.Anonymous() || stranger.RefreshToken() != "" || len(other.requests()) != 0 {
		t.Errorf("the token of another server is used: %v, %d requests", stranger, len(other.requests()))
	}
	if err := stranger.Logout(t.Context()); err != nil {
		t.Error(err)
	}
	if got, err := store.Load(t.Context()); err != nil || got != kept {
		t.Errorf("the token of another server is lost: %v, %v", got, err)
	}
	again := production.session(t, production.personal(), authn.WithStore(store))
	if _, err := again.User(t.Context()); err != nil {
		t.Error(err)
	}
}

// A renewal ahead of time is left alone while the store cannot be written; the old token is good.
func TestStoreThatCannotBeWrittenAheadOfTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &recordingStore{Store: authn.NewMemoryStore()}
		_, w, s := loggedInMemory(t, authn.WithStore(store))
		c := w.use(t, s)
		token, _ := s.Token(t.Context())
		before := w.refreshes()
		time.Sleep(time.Until(token.Expiry) - 50*time.Second)
		store.setFail(errors.New("no space left on device"))
		for range 30 {
			w.mustFollow(t, c)
			time.Sleep(time.Second)
		}
		if n := w.refreshes() - before; n != 0 {
			t.Errorf("spent %d times", n)
		}
		store.setFail(nil)
		time.Sleep(5 * time.Second)
		w.mustFollow(t, c)
		synctest.Wait()
		if got, _ := s.Token(t.Context()); got.AccessToken == token.AccessToken {
			t.Error("not renewed though the store can be written")
		}
	})
}

// TestStoredTokenOfAnotherClient is about who forgets the client id, or gives one too many: a refresh
// token is void where it is not from, and must not be lost by asking there.
func TestStoredTokenOfAnotherClient(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		theirs, ours func(*world) authn.Option
		want         string
	}{
		"personal client, then none": {
			func(w *world) authn.Option { return w.personal() },
			func(*world) authn.Option { return authn.Options() },
			"the stored token is for the personal client reader-client; log in, or give that client",
		},
		"no client, then a personal one": {
			func(*world) authn.Option { return authn.Options() },
			func(w *world) authn.Option { return w.personal() },
			"the stored token is for the session endpoints; log in, or leave the personal client out",
		},
		"another personal client": {
			func(w *world) authn.Option { return w.personal() },
			func(*world) authn.Option { return authn.WithPersonalClient("another-client", "its secret") },
			"the stored token is for the personal client reader-client; log in, or give that client",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, store := mockWorld(t), authn.NewMemoryStore()
			w.loggedIn(t, test.theirs(w), w.withPassword(), authn.WithStore(store))
			kept, err := store.Load(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			before := len(w.requests())
			wrong := w.session(t, test.ours(w), authn.WithStore(store))
			_, err = wrong.User(t.Context())
			if want := strings.ReplaceAll(test.want, "reader-client", w.id); !errors.Is(err, authn.ErrUnauthorized) || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
			if err := wrong.Logout(t.Context()); err != nil {
				t.Error(err)
			}
			if got, err := store.Load(t.Context()); err != nil || got != kept || len(w.requests()) != before {
				t.Errorf("the store has %v, %v after %d requests", got, err, len(w.requests())-before)
			}
			right := w.session(t, test.theirs(w), authn.WithStore(store))
			if _, err := right.User(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}
