package authn_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mangadex-go/mangadex/authn"
)

// What Keycloak says, what it is, and what the user is told to do.
func TestWordsOfKeycloak(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		login             bool
		status            int
		code, description string
		is                error
		says              []string
	}{
		{false, 400, "invalid_grant", "Token is not active", authn.ErrRefreshTokenRefused, []string{"expired, was revoked or was used already", "log in with username and password"}},
		{false, 400, "invalid_grant", "Maximum allowed refresh token reuse exceeded", authn.ErrRefreshTokenRefused, []string{"Maximum allowed"}},
		{true, 401, "invalid_grant", "Invalid user credentials", authn.ErrWrongPassword, []string{"wrong username or password", "one-time code", "locked for a while", "WithOneTimeCode"}},
		{true, 400, "invalid_grant", "Account disabled", authn.ErrAccount, []string{"the password is right", "sign in on the web site"}},
		{true, 400, "invalid_grant", "Account is not fully set up", authn.ErrAccount, []string{"the password is right"}},
		{true, 400, "unauthorized_client", "Client not allowed for direct access grants", authn.ErrClientRefused, []string{"id and secret", "approved", "may log in with a password"}},
		{false, 401, "invalid_client", "Invalid client or Invalid client credentials", authn.ErrClientRefused, []string{"id and secret"}},
		{false, 400, "invalid_scope", "Invalid scopes: offline_access", nil, []string{"WithScopes", "the refresh token is kept"}},
		{false, 400, "invalid_request", "User has not consented", nil, []string{"refresh token is kept", "client may have changed"}},
	} {
		t.Run(test.code+" "+test.description, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				w := f.inMemory()
				body, _ := json.Marshal(map[string]string{"error": test.code, "error_description": test.description + "\r\n\x1b[31mred\x1b[0m\u202e\u0007"})
				f.fail(tokenPath, answerWith(test.status, "application/json", string(body)))
				s := w.session(t, w.personal(), authn.WithRefreshToken(f.seed()))
				var err error
				if test.login {
					err = s.LoginWith(t.Context(), username, password)
				} else {
					err = s.Login(t.Context())
				}
				for _, is := range []error{authn.ErrWrongPassword, authn.ErrAccount, authn.ErrRefreshTokenRefused, authn.ErrClientRefused, authn.ErrUnavailable} {
					if errors.Is(err, is) != (is == test.is) {
						t.Errorf("%v is %v: %v", err, is, errors.Is(err, is))
					}
				}
				for _, text := range append(test.says, test.description) {
					if err == nil || !strings.Contains(err.Error(), text) {
						t.Errorf("%v does not say %q", err, text)
					}
				}
				if err != nil && strings.ContainsAny(err.Error(), "\r\n\x1b\a\u202e") {
					t.Errorf("%q can draw on a terminal", err)
				}
			})
		})
	}
}

// What was sent as a secret is not shown, however the server writes it.
func TestEchoes(t *testing.T) {
	t.Parallel()
	escapes := map[string]func(string) string{
		"plain": func(s string) string { return s },
		"JSON":  func(s string) string { b, _ := json.Marshal(s); return strings.Trim(string(b), `"`) },
		"PHP": func(s string) string {
			b, _ := json.Marshal(s)
			return strings.ReplaceAll(strings.Trim(string(b), `"`), "/", `\/`)
		},
		"form": url.QueryEscape,
		"path": url.PathEscape,
		"units": func(s string) string {
			var b strings.Builder
			for _, r := range s {
				fmt.Fprintf(&b, `\u%04x`, r)
			}
			return b.String()
		},
		"entities": func(s string) string {
			var b strings.Builder
			for _, r := range s {
				fmt.Fprintf(&b, `&#%d;`, r)
			}
			return b.String()
		},
		"percent": func(s string) string {
			var b strings.Builder
			for i := range len(s) {
				fmt.Fprintf(&b, `%%%02x`, s[i])
			}
			return b.String()
		},
	}
	for _, secret := range []string{`pa&ss/w"ö\rd <x>`, "short1", `a'b`} {
		for name, escape := range escapes {
			f := newFake()
			w := f.inMemory()
			quoted, _ := json.Marshal("you sent " + escape(secret) + " to us")
			f.fail(tokenPath, answerWith(401, "application/json", `{"error":"invalid_grant","error_description":`+string(quoted)+`}`))
			f.fail("POST /auth/login", answerWith(500, "text/html", "<p>"+escape(secret)+"</p>"))
			for _, protocol := range []authn.Option{w.personal(), authn.Options()} {
				err := w.session(t, protocol).LoginWith(t.Context(), username, secret)
				if err == nil || strings.Contains(err.Error(), escape(secret)) || strings.Contains(err.Error(), secret) {
					t.Errorf("%s of %q: %v", name, secret, err)
				}
			}
		}
	}
}

// Nonsense beside it does not cost a rotated refresh token.
func TestRotatedTokenSurvivesNonsense(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{
		`{"access_token":"new","refresh_token":"rotated","expires_in":900.0}`,
		`{"access_token":"new","refresh_token":"rotated","expires_in":"900.0"}`,
		`{"access_token":"new","refresh_token":"rotated","expires_in":""}`,
		`{"access_token":"new","refresh_token":"rotated","expires_in":true}`,
		`{"access_token":"new","refresh_token":"rotated","expires_in":1e30}`,
		`{"access_token":"new","refresh_token":"rotated","expires_in":{},"scope":7,"token_type":[]}`,
		"\xef\xbb\xbf" + `{"access_token":"new","refresh_token":"rotated","expires_in":900}`,
		`{"access_token":"new","refresh_token":"rotated","refresh_expires_in":"soon"}`,
		`{"refresh_token":"rotated","access_token":17}`,
		`{"refresh_token":"rotated"}`,
		`{"access_token":"a\nb","refresh_token":"rotated"}`,
		`{"refresh_token":"rotated","access_token":"cut o`,
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFake()
			w := f.inMemory()
			store := authn.NewMemoryStore()
			s := w.session(t, w.personal(), authn.WithRefreshToken("first"), authn.WithStore(store), authn.WithoutCheck())
			f.fail(tokenPath, answerWith(200, "application/json", answer))
			token, err := s.Token(t.Context())
			if (err == nil) != strings.Contains(answer, `"new"`) || err == nil && token.AccessToken != "new" {
				t.Errorf("%s: %v, %v", answer, token, err)
			}
			mustHold(t, s, store, "rotated")
			if err != nil {
				time.Sleep(time.Second)
				_, _ = s.Token(t.Context())
				if sent := w.last(t, tokenPath).form.Get("refresh_token"); sent != "rotated" {
					t.Errorf("%s: the next renewal sends %q", answer, sent)
				}
			}
		})
	}
}

// A one-time code is asked for where the password alone is refused.
func TestOneTimeCode(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.code = "123456"
		w := f.inMemory()
		asked := 0
		code := "123456"
		s := w.session(t, w.personal(), w.withPassword(), authn.WithOneTimeCode(func(ctx context.Context) (string, error) {
			asked++
			if _, bounded := ctx.Deadline(); !bounded {
				t.Error("the function has all the time of the world")
			}
			return code, nil
		}))
		w.mustFollow(t, w.use(t, s))
		if asked != 1 || w.logins() != 2 {
			t.Errorf("asked %d times, %d logins", asked, w.logins())
		}
		w.revokeAccess()
		w.mustFollow(t, w.use(t, s))
		if asked != 1 {
			t.Error("asked for a renewal")
		}
		for _, code = range []string{"", "000000"} {
			if err := s.LoginWith(t.Context(), username, "pass"+code); !errors.Is(err, authn.ErrWrongPassword) || code != "" && strings.Contains(err.Error(), code) {
				t.Errorf("the code %q: %v", code, err)
			}
		}
		none := w.session(t, w.personal(), w.withPassword(), authn.WithOneTimeCode(func(context.Context) (string, error) {
			return "", errors.New("no terminal")
		}))
		if err := none.Login(t.Context()); !errors.Is(err, authn.ErrWrongPassword) || !strings.Contains(err.Error(), "no one-time code: no terminal") {
			t.Errorf("got %v", err)
		}
	})
}

// A password by function is asked for when it is needed, each time.
func TestPasswordByFunction(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		w := f.inMemory()
		asked := 0
		var fail error
		s := w.session(t, w.personal(), authn.WithPasswordFunc(username, func(context.Context) (string, error) {
			asked++
			return password, fail
		}))
		c := w.use(t, s)
		if asked != 0 || s.Anonymous() {
			t.Errorf("asked %d times by New; anonymous: %v", asked, s.Anonymous())
		}
		w.mustFollow(t, c)
		w.endSessions()
		w.mustFollow(t, c)
		if asked != 2 {
			t.Errorf("asked %d times", asked)
		}
		fail = errors.New("the keyring is locked")
		w.endSessions()
		for range 100 {
			if err := c.FollowManga(t.Context(), w.manga); !errors.Is(err, fail) {
				t.Fatalf("got %v", err)
			}
		}
		if asked != 3 {
			t.Errorf("asked %d times at once", asked)
		}
		for _, option := range []authn.Option{
			authn.WithPasswordFunc("", func(context.Context) (string, error) { return "", nil }), authn.WithPasswordFunc(username, nil),
			authn.WithOneTimeCode(nil), authn.WithOnEnd(nil), authn.WithScopes("two words"), authn.WithScopes(""),
		} {
			if _, err := authn.New(option); err == nil {
				t.Error("a bad option is taken")
			}
		}
	})
}

// Scopes are asked for at a login; the end of the refresh token is told and kept.
func TestScopesAndRefreshExpiry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		w := f.inMemory()
		store := authn.NewMemoryStore()
		s := w.loggedIn(t, w.personal(), w.withPassword(), authn.WithScopes("offline_access", "email"), authn.WithStore(store), authn.WithoutCheck())
		if got := w.last(t, tokenPath).form.Get("scope"); got != "offline_access email" {
			t.Errorf("scope=%q", got)
		}
		token, err := s.Token(t.Context())
		if want := time.Now().Add(2414162 * time.Second); err != nil || !token.RefreshExpiry.Equal(want) {
			t.Errorf("the refresh token ends at %v, %v; want %v", token.RefreshExpiry, err, want)
		}
		if stored, _ := store.Load(t.Context()); !stored.RefreshExpiry.Equal(token.RefreshExpiry) || stored.Realm != w.auth || stored.Login == "" {
			t.Errorf("stored: %#v", stored)
		}
		f.fail(tokenPath, answerWith(200, "application/json", `{"access_token":"a","refresh_token":"offline","refresh_expires_in":0}`))
		time.Sleep(20 * time.Minute)
		if token, err := s.Token(t.Context()); err == nil && !token.RefreshExpiry.IsZero() {
			t.Errorf("an offline token ends at %v", token.RefreshExpiry)
		}
	})
}

// A token of another realm is not sent to this one, nor overwritten by a login that happens by itself.
func TestStoredTokenOfAnotherRealm(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		w := f.inMemory()
		kept := authn.Token{RefreshToken: f.seed(), Server: w.api, Realm: "https://auth.example/realms/other", Client: w.id}
		for _, kept := range []authn.Token{kept, {RefreshToken: kept.RefreshToken, Server: w.api, Client: "another client", Realm: w.auth}} {
			store := storeWith(t, kept)
			s := w.session(t, w.personal(), w.withPassword(), authn.WithStore(store))
			w.mustFollow(t, w.use(t, s))
			if w.refreshes() != 0 {
				t.Error("the token of another realm was sent to this one")
			}
			if got, err := store.Load(t.Context()); err != nil || got != kept {
				t.Errorf("the store has %v, %v", got, err)
			}
			if err := s.LoginWith(t.Context(), username, password); err != nil {
				t.Fatal(err)
			}
			mustHold(t, s, store, s.RefreshToken())
		}
	})
}

// Retry-After is a time of day: the computer may sleep meanwhile.
func TestRetryAfterOverASleep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, w, s := loggedInMemory(t)
		c := w.use(t, s)
		w.revokeAccess()
		f.fail(tokenPath, func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Retry-After", "1800")
			apiError(rw, 429, "too_many_requests", "")
		})
		_ = c.FollowManga(t.Context(), w.manga)
		err := c.FollowManga(t.Context(), w.manga)
		var tokenErr *authn.TokenError
		if !errors.As(err, &tokenErr) || tokenErr.RetryAfter != 30*time.Minute || !strings.Contains(err.Error(), "try again in 30m0s") {
			t.Errorf("got %v", err)
		}
		time.Sleep(8 * time.Hour)
		w.mustFollow(t, c)
	})
}
