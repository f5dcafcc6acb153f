package authn_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oapi-codegen/nullable"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/authn"
)

// A second 401 is returned as it is: the token is new, so that it is not the reason.
func TestSecondRefusal(t *testing.T) {
	t.Parallel()
	f := newFake()
	w := f.serve(t)
	s := w.session(t, w.personal(), w.withPassword())
	c := w.use(t, s)
	if err := s.Login(t.Context()); err != nil {
		t.Fatal(err)
	}
	no := func(w http.ResponseWriter, _ *http.Request) { apiError(w, 401, "http_exception", "not yours") }
	endpoint := "POST /manga/" + mangaID + "/follow"
	f.fail(endpoint, no, no)
	err := c.FollowManga(t.Context(), w.manga)
	var apiErr *api.Error
	if !errors.As(err, &apiErr) || !errors.Is(err, authn.ErrUnauthorized) || !strings.Contains(err.Error(), "not yours") {
		t.Errorf("got %v, want the answer of the server", err)
	}
	if n := w.count(endpoint); n != 2 {
		t.Errorf("sent %d times, want 2", n)
	}
	if n := w.refreshes(); n != 1 {
		t.Errorf("%d renewals, want 1", n)
	}
	if err := c.FollowManga(t.Context(), w.manga); err != nil {
		t.Errorf("the next call: %v", err)
	}
	if n := w.refreshes(); n != 1 {
		t.Errorf("%d renewals: the new token was marked as bad", n)
	}
}

// What cannot be sent again is not; but the token is known to be bad.
func TestBodyThatCannotBeSentAgain(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		body io.Reader
		want int
	}{
		"once only": {io.MultiReader(strings.NewReader("{}")), 1},
		"again":     {strings.NewReader("{}"), 2},
		"no body":   {nil, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := netWorld(t)
			s := w.session(t, w.personal(), w.withPassword())
			c := w.use(t, s)
			if err := s.Login(t.Context()); err != nil {
				t.Fatal(err)
			}
			w.revokeAccess()
			req, err := http.NewRequestWithContext(t.Context(), "POST", w.api+"/manga/"+mangaID+"/follow", test.body)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Edit(t.Context(), req); err != nil {
				t.Fatal(err)
			}
			resp, err := c.Raw().Client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(resp.Body)
			if err != nil || resp.Body.Close() != nil {
				t.Fatal(err)
			}
			if n := w.count("POST /manga/" + mangaID + "/follow"); n != test.want {
				t.Errorf("sent %d times, want %d", n, test.want)
			}
			if test.want == 1 && (resp.StatusCode != 401 || !strings.Contains(string(text), "Full authentication")) {
				t.Errorf("got %d %s, want the answer of the server", resp.StatusCode, text)
			}
			if err := c.FollowManga(t.Context(), w.manga); err != nil {
				t.Error(err)
			}
			if n := w.refreshes(); n != 1 {
				t.Errorf("%d renewals, want 1", n)
			}
		})
	}
}

// A 401 to a late answer, when the token has been renewed meanwhile, costs no other renewal.
func TestLateRefusal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, w, s := loggedIn(t)
		c := w.use(t, s)
		f.fail("POST /manga/"+mangaID+"/status", func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(5 * time.Second)
			apiError(w, 401, "http_exception", "")
		})
		late := make(chan error)
		go func() {
			late <- c.SetReadingStatus(t.Context(), w.manga, api.ReadingStatusEdit{Status: nullable.NewNullableWithValue(api.ReadingStatusReading)})
		}()
		synctest.Wait()
		w.revokeAccess()
		if err := c.FollowManga(t.Context(), w.manga); err != nil {
			t.Fatal(err)
		}
		before := w.refreshes()
		if err := <-late; err != nil {
			t.Errorf("the late one: %v", err)
		}
		if n := w.refreshes() - before; n != 0 {
			t.Errorf("%d renewals more", n)
		}
	})
}

// With nothing to renew with, the 401 of the server is the answer.
func TestRefusalWithoutMeans(t *testing.T) {
	t.Parallel()
	f := newFake()
	w := f.inMemory()
	store := authn.NewMemoryStore()
	if err := store.Save(t.Context(), authn.Token{AccessToken: "gone", Expiry: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	s := w.session(t, w.personal(), authn.WithStore(store))
	c := w.use(t, s)
	var apiErr *api.Error
	if err := c.FollowManga(t.Context(), w.manga); !errors.As(err, &apiErr) || !strings.Contains(err.Error(), "Full authentication") {
		t.Errorf("got %v, want the answer of the server", err)
	}
	if !s.Anonymous() {
		t.Error("not anonymous")
	}
}

func TestOverrides(t *testing.T) {
	t.Parallel()
	w := newFake().inMemory()
	s := w.session(t, w.personal(), w.withPassword())
	get := func(ctx context.Context, method, address string, header http.Header) (string, error) {
		req, err := http.NewRequestWithContext(ctx, method, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header = header
		err = s.Edit(ctx, req)
		return req.Header.Get("Authorization"), err
	}
	own := http.Header{"Authorization": {"Bearer of somebody else"}}
	for name, test := range map[string]struct {
		ctx    context.Context
		method string
		path   string
		header http.Header
		want   string // a prefix; empty for none
	}{
		"none":                           {t.Context(), "GET", "/manga", nil, ""},
		"none, WithToken":                {authn.WithToken(t.Context()), "GET", "/manga", nil, "Bearer access"},
		"optional":                       {t.Context(), "GET", "/manga/" + mangaID, nil, "Bearer access"},
		"optional, WithoutToken":         {authn.WithoutToken(t.Context()), "GET", "/manga/" + mangaID, nil, ""},
		"required":                       {t.Context(), "GET", "/user/me", nil, "Bearer access"},
		"required, WithoutToken":         {authn.WithoutToken(t.Context()), "GET", "/user/me", nil, ""},
		"the inner one counts":           {authn.WithToken(authn.WithoutToken(t.Context())), "GET", "/manga", nil, "Bearer access"},
		"unknown operation":              {t.Context(), "GET", "/news/of/tomorrow", nil, "Bearer access"},
		"a header that is there":         {t.Context(), "GET", "/user/me", own, "Bearer of somebody else"},
		"a header that is there, public": {t.Context(), "GET", "/manga", own, "Bearer of somebody else"},
	} {
		got, err := get(test.ctx, test.method, mockAPI+test.path, test.header.Clone())
		if err != nil || (test.want == "") != (got == "") || !strings.HasPrefix(got, test.want) {
			t.Errorf("%s: Authorization %q, %v; want %q", name, got, err, test.want)
		}
	}
}

// A token per call, by an editor of the call, is not taken for ours when it is refused.
func TestTokenOfTheCaller(t *testing.T) {
	t.Parallel()
	w := newFake().inMemory()
	s := w.session(t, w.personal(), w.withPassword())
	c := w.use(t, s)
	if err := s.Login(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := c.FollowManga(t.Context(), w.manga, func(_ context.Context, req *http.Request) error {
		req.Header.Set("Authorization", "Bearer of somebody else")
		return nil
	})
	if !errors.Is(err, api.ErrUnauthorized) {
		t.Errorf("got %v", err)
	}
	if n := w.count("POST /manga/" + mangaID + "/follow"); n != 1 {
		t.Errorf("sent %d times", n)
	}
	if n := w.refreshes(); n != 0 {
		t.Errorf("%d renewals", n)
	}
}

func TestUseWithoutASession(t *testing.T) {
	t.Parallel()
	c, err := api.New(api.Production, authn.Use(nil))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.FollowManga(t.Context(), newFake().inMemory().manga); err == nil || !strings.Contains(err.Error(), "error of New") {
		t.Errorf("got %v", err)
	}
}

// jwt is a token that says when it expires.
func jwt(exp any) string {
	encode := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	return encode(`{"alg":"none"}`) + "." + encode(fmt.Sprintf(`{"exp":%v}`, exp)) + ".signature"
}

// When a token expires: by expires_in, otherwise by its exp against the Date of the answer,
// otherwise after 15 minutes.
func TestExpiry(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 5, 7, 12, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		expiresIn string // JSON; empty for none
		token     string
		date      time.Time // of the server; zero for none
		delay     time.Duration
		want      time.Duration // after the request was sent
	}{
		"expires_in":                    {"900", "opaque", at, 0, 900 * time.Second},
		"expires_in, slow answer":       {"900", "opaque", at, 10 * time.Second, 900 * time.Second},
		"expires_in, wrong clock":       {"900", jwt(at.Add(time.Hour).Unix()), at.Add(-time.Hour), 0, 900 * time.Second},
		"expires_in as a string":        {`"900"`, "opaque", at, 0, 900 * time.Second},
		"expires_in of a year and more": {"99999999999", "opaque", at, 0, 365 * 24 * time.Hour},
		"exp":                           {"", jwt(at.Add(600 * time.Second).Unix()), at, 0, 600 * time.Second},
		"exp, server ahead":             {"", jwt(at.Add(time.Hour + 600*time.Second).Unix()), at.Add(time.Hour), 0, 600 * time.Second},
		"exp, server behind":            {"", jwt(at.Add(-time.Hour + 600*time.Second).Unix()), at.Add(-time.Hour), 0, 600 * time.Second},
		"exp, no Date":                  {"", jwt(at.Add(600 * time.Second).Unix()), time.Time{}, 0, 600 * time.Second},
		"exp with a fraction":           {"", jwt(fmt.Sprintf("%d.5", at.Add(600*time.Second).Unix())), at, 0, 600*time.Second + 500*time.Millisecond},
		"exp in the past":               {"", jwt(at.Add(-time.Hour).Unix()), at, 0, 15 * time.Minute},
		"exp of another kind":           {"", jwt(`"soon"`), at, 0, 15 * time.Minute},
		"exp beyond all bounds":         {"", jwt("1e300"), at, 0, 365 * 24 * time.Hour},
		"no exp":                        {"", "opaque", at, 0, 15 * time.Minute},
		"three parts that are no JWT":   {"", "a.b.c", at, 0, 15 * time.Minute},
		"expires_in of zero":            {"0", "opaque", at, 0, 15 * time.Minute},
		"expires_in below zero":         {"-1", "opaque", at, 0, 15 * time.Minute},
		"expires_in far below zero":     {"-99999999999", "opaque", at, 0, 15 * time.Minute},
	} {
		for _, legacy := range []bool{false, true} {
			if legacy && test.expiresIn != "" {
				continue
			}
			t.Run(fmt.Sprintf("%s/legacy=%v", name, legacy), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					time.Sleep(time.Until(at))
					f := newFake()
					w := f.inMemory()
					body := fmt.Sprintf(`{"access_token":%q,"refresh_token":"r","expires_in":%s}`, test.token, test.expiresIn)
					if test.expiresIn == "" {
						body = fmt.Sprintf(`{"access_token":%q,"refresh_token":"r","token":{"session":%q,"refresh":"r"}}`, test.token, test.token)
					}
					answer := func(rw http.ResponseWriter, _ *http.Request) {
						time.Sleep(test.delay)
						if !test.date.IsZero() {
							rw.Header().Set("Date", test.date.Format(http.TimeFormat))
						}
						sendJSON(rw, 200, body)
					}
					endpoint, options := tokenPath, []authn.Option{authn.WithoutCheck(), authn.WithRefreshToken("seed"), w.personal()}
					if legacy {
						endpoint, options = "POST /auth/refresh", options[:2]
					}
					f.fail(endpoint, answer)
					s := w.session(t, options...)
					token, err := s.Token(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					if got := token.Expiry.Sub(at); got != test.want {
						t.Errorf("expires after %v, want %v", got, test.want)
					}
				})
			})
		}
	}
}

// A server whose expires_in is wrong: too long, and the API refuses the token before; too short, and
// it is renewed before it would have to be. Calls succeed all the time.
func TestWrongLifetimes(t *testing.T) {
	t.Parallel()
	for _, skew := range []time.Duration{-14 * time.Minute, -5 * time.Minute, 0, 5 * time.Minute, 24 * time.Hour} {
		t.Run(skew.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				f.skew = skew
				w := f.inMemory()
				s := w.session(t, w.personal(), authn.WithRefreshToken(f.seed()))
				c := w.use(t, s)
				for range 240 {
					if err := c.FollowManga(t.Context(), w.manga); err != nil {
						t.Fatal(err)
					}
					time.Sleep(time.Minute)
				}
				if n := w.refreshes(); n < 240/16 || n > 240+1 {
					t.Errorf("%d renewals in four hours", n)
				}
			})
		})
	}
}
