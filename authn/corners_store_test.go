package authn_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mangadex-go/mangadex/authn"
)

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

// What could not be saved is not saved over what cannot be read.
func TestNotSavedOverWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, s, store := unsaved(t)
		unreadable := store.Store.(*unreadableStore)
		unreadable.broken.Store(true)
		store.setFail(nil)
		before := store.tried()
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := store.tried() - before; n != 0 {
			t.Errorf("saved %d times", n)
		}
		unreadable.broken.Store(false)
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		mustHold(t, s, store, s.RefreshToken())
		w.mustFollow(t, w.use(t, s))
	})
}
