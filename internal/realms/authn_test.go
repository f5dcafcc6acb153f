package realms

import (
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mangadex-go/mangadex/authn"
)

// A session lives on for as long as it is used: each renewal spends a refresh token.
func TestRotation(t *testing.T) {
	each(t, func(t *testing.T, r *realm) {
		s := r.session(t, authn.WithPassword(username, password))
		seen := map[string]bool{}
		for range 8 {
			if _, err := s.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			seen[s.RefreshToken()] = true
			time.Sleep(lifetime / 2)
		}
		if len(seen) < 3 {
			t.Errorf("%d refresh tokens, so that this shows nothing", len(seen))
		}
	})
}

// Two sessions with one store spend each refresh token once between them.
func TestSharedStore(t *testing.T) {
	each(t, func(t *testing.T, r *realm) {
		path := filepath.Join(t.TempDir(), "token")
		first := r.session(t, authn.WithPassword(username, password), authn.WithStore(authn.NewFileStore(path)))
		if err := first.Login(t.Context()); err != nil {
			t.Fatal(err)
		}
		second := r.session(t, authn.WithStore(authn.NewFileStore(path)))
		for range 6 {
			var both sync.WaitGroup
			for _, s := range []*authn.Session{first, second} {
				both.Go(func() {
					if _, err := s.Check(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			both.Wait()
			time.Sleep(lifetime / 2)
		}
	})
}

// A renewal that is on the way when the program ends is not lost.
func TestCloseDuringARenewal(t *testing.T) {
	each(t, func(t *testing.T, r *realm) {
		path := filepath.Join(t.TempDir(), "token")
		s := r.session(t, authn.WithPassword(username, password), authn.WithStore(authn.NewFileStore(path)))
		if err := s.Login(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(lifetime)
		sent := make(chan struct{})
		var once sync.Once
		r.setDelay(func() { once.Do(func() { close(sent) }); time.Sleep(300 * time.Millisecond) })
		go s.Token(t.Context())
		<-sent
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		r.setDelay(nil)
		time.Sleep(lifetime)
		if err := r.session(t, authn.WithStore(authn.NewFileStore(path))).Login(t.Context()); err != nil {
			t.Errorf("the next run: %v", err)
		}
	})
}

// A refresh token that was spent elsewhere is refused, and looked at once more.
func TestReuse(t *testing.T) {
	each(t, func(t *testing.T, r *realm) {
		owner := r.session(t, authn.WithPassword(username, password))
		if err := owner.Login(t.Context()); err != nil {
			t.Fatal(err)
		}
		stolen := owner.RefreshToken()
		if err := r.session(t, authn.WithRefreshToken(stolen)).Login(t.Context()); err != nil {
			t.Fatal(err)
		}
		s := r.session(t, authn.WithRefreshToken(stolen))
		for n := range 2 {
			err := s.Login(t.Context())
			if !errors.Is(err, authn.ErrRefreshTokenRefused) {
				t.Fatalf("attempt %d: %v", n, err)
			}
			if kept := s.RefreshToken() != ""; kept != (n == 0) {
				t.Errorf("attempt %d: the refresh token is kept: %v", n, kept)
			}
			time.Sleep(1100 * time.Millisecond)
		}
	})
}

func TestWrongCredentials(t *testing.T) {
	each(t, func(t *testing.T, r *realm) {
		s := r.session(t)
		if err := s.LoginWith(t.Context(), username, "not the password"); !errors.Is(err, authn.ErrWrongPassword) || strings.Contains(err.Error(), "not the password") {
			t.Errorf("wrong password: %v", err)
		}
		// With a password, because go-oauth2 looks at the secret for no refresh token.
		wrong := r.session(t, authn.WithPersonalClient(clientID, "not the secret"), authn.WithPassword(username, password))
		before := r.grants.Load()
		for range 100 {
			if err := wrong.Login(t.Context()); !errors.Is(err, authn.ErrClientRefused) {
				t.Fatalf("wrong client: %v", err)
			}
		}
		if n := r.grants.Load() - before; n > 2 {
			t.Errorf("asked %d times", n)
		}
	})
}

// Logout revokes where the server can.
func TestLogout(t *testing.T) {
	each(t, func(t *testing.T, r *realm) {
		if !r.revokes {
			t.Skip("this server cannot revoke")
		}
		s := r.session(t, authn.WithPassword(username, password))
		if err := s.Login(t.Context()); err != nil {
			t.Fatal(err)
		}
		kept := s.RefreshToken()
		if err := s.Logout(t.Context()); err != nil {
			t.Errorf("the session was revoked, and Logout says: %v", err)
		}
		if err := r.session(t, authn.WithRefreshToken(kept)).Login(t.Context()); !errors.Is(err, authn.ErrRefreshTokenRefused) {
			t.Errorf("after the logout: %v", err)
		}
	})
}
