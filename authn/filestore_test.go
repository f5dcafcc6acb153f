package authn_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mangadex-go/mangadex/authn"
)

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

func TestFileStoreIsPrivate(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("no modes")
	}
	dir := filepath.Join(t.TempDir(), "new")
	path := filepath.Join(dir, "token")
	store := authn.NewFileStore(path)
	if err := store.Save(t.Context(), testToken("a")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{path: 0o600, dir: 0o700} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: mode %v, %v", name, info.Mode(), err)
		}
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Load(t.Context()); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "chmod 600") || errors.Is(err, authn.ErrDamaged) {
		t.Errorf("a file that everybody can read: %v", err)
	}
	if err := store.Save(t.Context(), testToken("b")); err != nil {
		t.Fatal(err)
	}
	if got, err := store.Load(t.Context()); err != nil || got != testToken("b") {
		t.Errorf("after another Save: %v, %v", got, err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%d files in the directory", len(entries))
	}
}

func TestDamagedFileIsSetAside(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]string{
		"empty":               "",
		"not JSON":            "gibberish",
		"cut off":             `{"version":1,"refresh_token":"refr`,
		"nothing in it":       `{"version":1}`,
		"newer":               `{"version":2,"refresh_token":"refresh"}`,
		"no object":           `[]`,
		"odd characters":      `{"version":1,"access_token":"a\nb"}`,
		"zeros after a crash": strings.Repeat("\x00", 4096),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "token")
			var aside []string
			for n := range 2 {
				if err := os.WriteFile(path, []byte(damage), 0o600); err != nil {
					t.Fatal(err)
				}
				// New reads the store, so that a user hears of it at once.
				_, err := authn.New(authn.WithStore(authn.NewFileStore(path)))
				if !errors.Is(err, authn.ErrDamaged) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "refr") {
					t.Fatalf("got %v, want ErrDamaged with the path", err)
				}
				aside, _ = filepath.Glob(path + ".damaged-*")
				if len(aside) != n+1 {
					t.Fatalf("%d files were set aside, want %d", len(aside), n+1)
				}
				if !strings.Contains(err.Error(), aside[n]) {
					t.Errorf("the error does not name %s: %v", aside[n], err)
				}
			}
			for _, file := range aside {
				if data, err := os.ReadFile(file); err != nil || string(data) != damage {
					t.Errorf("%s: %q, %v", file, data, err)
				}
			}
			store := authn.NewFileStore(path)
			if got, err := store.Load(t.Context()); err != nil || got != (authn.Token{}) {
				t.Errorf("the next Load: %v, %v", got, err)
			}
			// A session with something else to log in with goes on.
			w := newFake().inMemory()
			s := w.session(t, w.personal(), w.withPassword(), authn.WithStore(store))
			if err := s.Login(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestFileStoreErrors(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	done, cancel := context.WithCancel(ctx)
	cancel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		ctx   context.Context
		store *authn.FileStore
	}{
		"no path":         {ctx, authn.NewFileStore("")},
		"a directory":     {ctx, authn.NewFileStore(dir)},
		"below a file":    {ctx, authn.NewFileStore(filepath.Join(file, "token"))},
		"context is done": {done, authn.NewFileStore(filepath.Join(dir, "token"))},
	} {
		if _, err := test.store.Load(test.ctx); err == nil {
			t.Errorf("%s: Load succeeds", name)
		}
		if err := test.store.Save(test.ctx, testToken("x")); err == nil {
			t.Errorf("%s: Save succeeds", name)
		} else if strings.Contains(err.Error(), "-x") {
			t.Errorf("%s: the error has the token: %v", name, err)
		}
	}
	if leftovers, _ := filepath.Glob(filepath.Join(dir, ".*")); len(leftovers) != 0 {
		t.Errorf("left behind: %v", leftovers)
	}
}

// A write that fails, as on a full disk, leaves the old token.
func TestFailedSaveKeepsTheOldFile(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" || os.Getuid() == 0 && !readOnlyHolds(t) {
		t.Skip("the modes of directories do not hold here")
	}
	dir := t.TempDir()
	store := authn.NewFileStore(filepath.Join(dir, "token"))
	if err := store.Save(t.Context(), testToken("old")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
	if err := store.Save(t.Context(), testToken("new")); err == nil {
		t.Error("Save succeeds in a directory that cannot be written")
	}
	if got, err := store.Load(t.Context()); err != nil || got != testToken("old") {
		t.Errorf("got %v, %v", got, err)
	}
}

func readOnlyHolds(t *testing.T) bool {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		return false
	}
	defer os.Chmod(dir, 0o700)
	return os.WriteFile(filepath.Join(dir, "x"), nil, 0o600) != nil
}

// Two sessions of one program may share a store.
func TestSessionsShareAStore(t *testing.T) {
	t.Parallel()
	f := newFake()
	w := f.inMemory()
	store := authn.NewMemoryStore()
	if err := store.Save(t.Context(), authn.Token{RefreshToken: f.seed()}); err != nil {
		t.Fatal(err)
	}
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
	first := w.session(t, w.personal(), w.withPassword(), authn.WithStore(authn.NewFileStore(path)))
	if err := first.Login(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := len(w.requests())
	s := w.session(t, w.personal(), authn.WithStore(authn.NewFileStore(path)))
	if s.Anonymous() || s.RefreshToken() != first.RefreshToken() {
		t.Error("the session does not start from the store")
	}
	if err := w.use(t, s).FollowManga(t.Context(), w.manga); err != nil {
		t.Fatal(err)
	}
	if n := len(w.requests()) - before; n != 1 {
		t.Errorf("%d requests, want the call alone", n)
	}
}

// A refresh token that is newly given helps when the one in the store is refused.
func TestGivenTokenAfterStoredOne(t *testing.T) {
	t.Parallel()
	f := newFake()
	w := f.inMemory()
	store := authn.NewMemoryStore()
	if err := store.Save(t.Context(), authn.Token{RefreshToken: "of long ago"}); err != nil {
		t.Fatal(err)
	}
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
	other := w.session(t, w.personal(), w.withPassword(), authn.WithStore(store))
	if err := other.Login(t.Context()); err != nil {
		t.Fatal(err)
	}
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
	s := production.session(t, production.personal(), production.withPassword(), authn.WithStore(store))
	if err := s.Login(t.Context()); err != nil {
		t.Fatal(err)
	}
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
	if got, err := store.Load(t.Context()); err != nil || got != kept {
		t.Errorf("the token of another server is lost: %v, %v", got, err)
	}
	again := production.session(t, production.personal(), authn.WithStore(store))
	if _, err := again.User(t.Context()); err != nil {
		t.Error(err)
	}
}
