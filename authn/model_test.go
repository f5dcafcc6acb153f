package authn_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/authn"
)

// A model of what a user may rely on, whatever happens in whatever order: a call that needs a token
// succeeds if and only if the server is up and there is something good to log in with; a refresh
// token is lost only when it is void; nothing is sent for a call that is refused early.
type model struct {
	f     *fake
	w     *world
	s     *authn.Session
	c     *api.Client
	store *authn.MemoryStore
	ctx   context.Context

	down      bool
	anonymous bool // by Logout or at the start
	password  bool // a good one is kept
	held      bool // there is an access token, as far as the session knows
	access    bool // and it holds
	refresh   bool // there is a refresh token that holds
	stale     bool // there is a refresh token that does not hold
	doubted   bool // it was refused once
}

func newModel(t *rapid.T, legacy bool) *model {
	f := newFake()
	f.lifetime, f.jwt = 365*24*time.Hour, true
	w := f.inMemory()
	m := &model{f: f, w: w, store: authn.NewMemoryStore(), ctx: context.Background()}
	protocol, _ := w.protocol(legacy)
	options := []authn.Option{w.at(), protocol, authn.WithStore(m.store), authn.WithoutCheck()}
	if rapid.Bool().Draw(t, "password") {
		options, m.password = append(options, w.withPassword()), true
	}
	if rapid.Bool().Draw(t, "anonymous") {
		options, m.anonymous = append(options, authn.Anonymous()), true
	}
	var err error
	if m.s, err = authn.New(options...); err != nil {
		t.Fatal(err)
	}
	if m.c, err = api.New(w.api, api.WithHTTPClient(w.client), api.WithoutRateLimit(), api.WithoutRetry(), authn.Use(m.s)); err != nil {
		t.Fatal(err)
	}
	return m
}

// logIn is what happens when a token is needed and there is none. It returns what the error should
// be.
func (m *model) logIn() error {
	switch {
	case m.held:
		return nil
	case m.down && (m.refresh || m.stale || m.password):
		return authn.ErrUnavailable
	case m.refresh:
		m.held, m.access = true, true
		return nil
	}
	if !m.password {
		m.stale, m.doubted = m.stale && !m.doubted, m.stale && !m.doubted
		return authn.ErrUnauthorized
	}
	m.held, m.access, m.refresh, m.stale = true, true, true, false
	return nil
}

func (m *model) expect(t *rapid.T, what string, err, want error) {
	t.Helper()
	if (want == nil) != (err == nil) || !errors.Is(err, want) {
		t.Fatalf("%s: got %v, want %v; %+v", what, err, want, *m)
	}
}

func TestAnyOrder(t *testing.T) {
	t.Parallel()
	for _, legacy := range []bool{false, true} {
		t.Run(map[bool]string{false: "personal client", true: "session endpoints"}[legacy], func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(rt *rapid.T) {
				var failure any // of rapid, which does not pass a bubble
				synctest.Test(t, func(*testing.T) {
					defer func() { failure = recover() }()
					testAnyOrder(rt, legacy)
				})
				if failure != nil {
					panic(failure)
				}
			})
		})
	}
}

func testAnyOrder(t *rapid.T, legacy bool) {
	m := newModel(t, legacy)
	defer m.s.Close()
	t.Repeat(map[string]func(*rapid.T){
		"required call": func(t *rapid.T) {
			var want error = authn.ErrUnauthorized
			early := m.anonymous || !m.held && !m.refresh && !m.stale && !m.password
			before := len(m.w.requests())
			err := m.c.FollowManga(m.ctx, m.w.manga)
			switch {
			case early:
				if n := len(m.w.requests()) - before; n != 0 {
					t.Fatalf("%d requests for a call that must be refused", n)
				}
			default:
				want = m.logIn()
				switch {
				case want != nil:
				case m.down:
					want = api.ErrServer
				case !m.access: // the answer is 401
					m.held = false
					want = m.logIn()
				}
			}
			m.expect(t, "FollowManga", err, want)
		},
		"public call": func(t *rapid.T) {
			var want error
			if m.down {
				want = api.ErrServer
			}
			_, err := m.c.SearchManga(m.ctx, nil)
			m.expect(t, "SearchManga", err, want)
		},
		"Login": func(t *rapid.T) {
			m.held = m.held && (m.access || m.down) // it asks whether the token is known
			m.expect(t, "Login", m.s.Login(m.ctx), m.logIn())
			m.anonymous = false // there is a store, which could have had something
		},
		"LoginWith": func(t *rapid.T) {
			err := m.s.LoginWith(m.ctx, m.w.username, m.w.password)
			if m.down {
				m.expect(t, "LoginWith", err, authn.ErrUnavailable)
				return
			}
			m.expect(t, "LoginWith", err, nil)
			m.anonymous, m.password, m.held, m.access, m.refresh, m.stale = false, true, true, true, true, false
		},
		"LoginWith a wrong password": func(t *rapid.T) {
			var want error = authn.ErrWrongPassword
			if m.down {
				want = authn.ErrUnavailable
			}
			m.expect(t, "LoginWith", m.s.LoginWith(m.ctx, m.w.username, "not the password"), want)
		},
		"Logout": func(t *rapid.T) {
			keep := rapid.Bool().Draw(t, "keep credentials")
			var options []authn.LogoutOption
			if keep {
				options = append(options, authn.KeepCredentials)
			}
			err := m.s.Logout(m.ctx, options...)
			if m.down && (m.held || m.refresh || m.stale) {
				m.expect(t, "Logout", err, authn.ErrUnavailable)
			} else {
				m.expect(t, "Logout", err, nil)
			}
			m.password = m.password && keep
			m.anonymous, m.held, m.access, m.refresh, m.stale = true, false, false, false, false
		},
		"access tokens expire": func(*rapid.T) {
			m.w.revokeAccess()
			m.access = false
		},
		"sessions end": func(*rapid.T) {
			m.w.endSessions()
			m.stale = m.refresh || m.stale
			m.access, m.refresh = false, false
		},
		"server goes down": func(*rapid.T) { m.setDown(true) },
		"server comes up":  func(*rapid.T) { m.setDown(false) },
		"": func(t *rapid.T) {
			time.Sleep(10 * time.Minute) // longer than any pause
			kept := m.s.RefreshToken()
			if has := m.refresh || m.stale; has != (kept != "") {
				t.Fatalf("RefreshToken: %v; %+v", kept != "", *m)
			}
			if stored, err := m.store.Load(m.ctx); err != nil || stored.RefreshToken != kept {
				t.Fatalf("the store has something else than the session: %v, %v", stored, err)
			}
		},
	})
}

func (m *model) setDown(down bool) {
	m.down = down
	m.f.set(func(f *fake) { f.down = down })
}
