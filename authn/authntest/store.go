// Package authntest tests implementations of [authn.Store].
//
//	func TestStore(t *testing.T) {
//		path := filepath.Join(t.TempDir(), "token")
//		authntest.TestStore(t, func() authn.Store { return mystore.New(path) })
//	}
package authntest

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mangadex-go/mangadex/authn"
)

// TestStore tests that a store does what a session relies on. It calls open several times. The store
// must be empty at first, and each value must stand for the same storage, as it would in another
// process. (If it does not, the tests of what processes share are skipped.)
//
// A store that is a [authn.Locker] or a [authn.Discarder] is tested as that, too. The test takes less
// than a second where a store answers within some milliseconds.
func TestStore(t *testing.T, open func() authn.Store) {
	t.Helper()
	s := &suite{open: open}
	s.shared = s.isShared(t)
	for _, test := range []struct {
		name string
		run  func(*testing.T, *suite)
	}{
		{"empty", testEmpty},
		{"keeps all of a token", testRoundTrip},
		{"keeps the last token", testOverwrite},
		{"the zero token is none", testZero},
		{"deletes", testDelete},
		{"a context that is done", testDone},
		{"whole tokens only", testWhole},
		{"another process", testAnother},
		{"lock", testLock},
		{"lock with patience", testLockPatience},
		{"lock excludes", testLockExcludes},
		{"load and save under the lock", testLocked},
		{"discards", testDiscard},
		{"shows no secret", testSecrets},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := open().Delete(t.Context()); err != nil {
				t.Fatalf("Delete before the test: %v", err)
			}
			test.run(t, s)
		})
	}
}

type suite struct {
	open   func() authn.Store
	shared bool // what open returns is the same storage each time
}

func (s *suite) isShared(t *testing.T) bool {
	t.Helper()
	first := s.open()
	if err := first.Save(t.Context(), full("shared")); err != nil {
		t.Fatalf("Save: %v", err)
	}
	got, err := s.open().Load(t.Context())
	if err := first.Delete(t.Context()); err != nil {
		t.Fatalf("Delete: %v", err)
	}
	return err == nil && same(got, full("shared"))
}

// full returns a token with everything that a token can have, as long as real ones are.
func full(name string) authn.Token {
	return authn.Token{
		AccessToken:   "access-" + name + strings.Repeat(".aZ09-_~+/=", 200),
		RefreshToken:  "refresh-" + name + strings.Repeat(`.aZ09-_"\<>&'/é☃`, 200),
		Expiry:        time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC),
		RefreshExpiry: time.Date(2031, 3, 4, 5, 6, 7, 0, time.UTC),
		Server:        "https://api.example",
		Realm:         "https://auth.example/realms/example",
		Client:        "personal-client-example",
		Login:         "0123456789abcdef",
	}
}

func same(a, b authn.Token) bool {
	equal := a.Expiry.Equal(b.Expiry) && a.RefreshExpiry.Equal(b.RefreshExpiry)
	a.Expiry, a.RefreshExpiry, b.Expiry, b.RefreshExpiry = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	return equal && a == b
}

// mustHold fails the test if the store does not hold a token. It names what is missing, not what is
// there.
func mustHold(t *testing.T, store authn.Store, want authn.Token) {
	t.Helper()
	got, err := store.Load(t.Context())
	switch {
	case err != nil:
		t.Errorf("Load: %v", err)
	case same(got, want):
	case got == (authn.Token{}):
		t.Error("Load returns no token")
	case want == (authn.Token{}):
		t.Error("Load returns a token, though there should be none")
	default:
		for name, equal := range map[string]bool{
			"AccessToken": got.AccessToken == want.AccessToken, "RefreshToken": got.RefreshToken == want.RefreshToken,
			"Expiry": got.Expiry.Equal(want.Expiry), "RefreshExpiry": got.RefreshExpiry.Equal(want.RefreshExpiry),
			"Server": got.Server == want.Server, "Realm": got.Realm == want.Realm,
			"Client": got.Client == want.Client, "Login": got.Login == want.Login,
		} {
			if !equal {
				t.Errorf("Load returns another %s than was saved", name)
			}
		}
	}
}

func mustSave(t *testing.T, store authn.Store, token authn.Token) {
	t.Helper()
	if err := store.Save(t.Context(), token); err != nil {
		t.Fatalf("Save: %v", err)
	}
}

func testEmpty(t *testing.T, s *suite) { mustHold(t, s.open(), authn.Token{}) }

func testRoundTrip(t *testing.T, s *suite) {
	store := s.open()
	for name, token := range map[string]authn.Token{
		"everything":    full("a"),
		"refresh token": {RefreshToken: "refresh"},
		"access token":  {AccessToken: "access", Expiry: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)},
		"no server":     {AccessToken: "access", RefreshToken: "refresh"},
		"the past":      {AccessToken: "access", RefreshToken: "refresh", Expiry: time.Date(1999, 1, 2, 3, 4, 5, 0, time.UTC)},
	} {
		t.Run(name, func(t *testing.T) {
			mustSave(t, store, token)
			mustHold(t, store, token)
		})
	}
}

func testOverwrite(t *testing.T, s *suite) {
	store := s.open()
	for _, token := range []authn.Token{full("a"), full("b"), {RefreshToken: "short"}, full("c")} {
		mustSave(t, store, token)
		mustHold(t, store, token)
	}
}

func testZero(t *testing.T, s *suite) {
	store := s.open()
	mustSave(t, store, full("a"))
	mustSave(t, store, authn.Token{})
	mustHold(t, store, authn.Token{})
}

func testDelete(t *testing.T, s *suite) {
	store := s.open()
	mustSave(t, store, full("a"))
	for _, what := range []string{"Delete", "Delete of nothing"} {
		if err := store.Delete(t.Context()); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		mustHold(t, store, authn.Token{})
	}
	mustSave(t, store, full("b"))
	mustHold(t, store, full("b"))
}

func testDone(t *testing.T, s *suite) {
	store := s.open()
	mustSave(t, store, full("a"))
	done, cancel := context.WithCancel(t.Context())
	cancel()
	if err := store.Save(done, full("b")); err != nil {
		mustHold(t, store, full("a"))
	} else {
		mustHold(t, store, full("b"))
	}
	if locker, ok := store.(authn.Locker); ok {
		if unlock, err := locker.Lock(done); err == nil {
			_ = unlock()
			t.Error("Lock succeeds though its context is done")
		}
	}
}

// testWhole reads while others write.
func testWhole(t *testing.T, s *suite) {
	store := s.open()
	tokens := []authn.Token{full("a"), full("b"), {RefreshToken: "short"}}
	mustSave(t, store, tokens[0])
	stop := make(chan struct{})
	var all sync.WaitGroup
	var writers sync.WaitGroup
	for _, token := range tokens {
		writers.Go(func() {
			for range 20 {
				if err := store.Save(t.Context(), token); err != nil {
					t.Errorf("Save: %v", err)
				}
			}
		})
	}
	for range 2 {
		all.Go(func() {
			for {
				got, err := store.Load(t.Context())
				if err != nil {
					t.Errorf("Load while others save: %v", err)
					return
				}
				if !same(got, tokens[0]) && !same(got, tokens[1]) && !same(got, tokens[2]) {
					t.Error("Load while others save returns a token that nobody has saved")
					return
				}
				select {
				case <-stop:
					return
				default:
				}
				if runtime.GOOS == "windows" {
					time.Sleep(time.Millisecond) // or it always has the file open, which some of its file systems do not replace then
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	all.Wait()
}

func testAnother(t *testing.T, s *suite) {
	s.needsShared(t)
	one, two := s.open(), s.open()
	mustSave(t, one, full("a"))
	mustHold(t, two, full("a"))
	mustSave(t, two, full("b"))
	mustHold(t, one, full("b"))
	if err := one.Delete(t.Context()); err != nil {
		t.Errorf("Delete: %v", err)
	}
	mustHold(t, two, authn.Token{})
}

func (s *suite) needsShared(t *testing.T) {
	t.Helper()
	if !s.shared {
		t.Skip("the function given to TestStore returns other storage each time")
	}
}

func testDiscard(t *testing.T, s *suite) {
	store, ok := s.open().(authn.Discarder)
	if !ok {
		t.Skip("the store is no authn.Discarder")
	}
	mustSave(t, store, full("a"))
	for _, what := range []string{"Discard", "Discard of nothing"} {
		if err := store.Discard(t.Context()); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		mustHold(t, store, authn.Token{})
	}
	mustSave(t, store, full("b"))
	mustHold(t, store, full("b"))
}

func testSecrets(t *testing.T, s *suite) {
	store := s.open()
	token := full("secret")
	mustSave(t, store, token)
	done, cancel := context.WithCancel(t.Context())
	cancel()
	texts := map[string]string{"an error of Save": fmt.Sprint(store.Save(done, token))}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		texts["the store, printed with "+verb] = fmt.Sprintf(verb, store)
		texts["a struct with the store, printed with "+verb] = fmt.Sprintf(verb, struct{ s authn.Store }{store})
	}
	for name, text := range texts {
		if strings.Contains(text, "access-secret") || strings.Contains(text, "refresh-secret") {
			t.Errorf("%s shows the token", name)
		}
	}
}
