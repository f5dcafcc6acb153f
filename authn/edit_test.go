package authn_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/authn"
)

// A second 401 is returned as it is: the token is new, so that it is not the reason.
func TestSecondRefusal(t *testing.T) {
	t.Parallel()
	f := newFake()
	w := f.serve(t)
	s := w.loggedIn(t, w.personal(), w.withPassword())
	c := w.use(t, s)
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
			s := w.loggedIn(t, w.personal(), w.withPassword())
			c := w.use(t, s)
			w.revokeAccess()
			req, err := http.NewRequestWithContext(t.Context(), "POST", w.api+"/manga/"+mangaID+"/follow", test.body)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := c.Do(t.Context(), req)
			if err == nil {
				err = resp.Body.Close()
			}
			if n := w.count("POST /manga/" + mangaID + "/follow"); n != test.want {
				t.Errorf("sent %d times, want %d", n, test.want)
			}
			var refused *api.Error
			if errors.As(err, &refused) != (test.want == 1) || refused != nil && (refused.StatusCode != 401 || !strings.Contains(string(refused.Body), "Full authentication")) {
				t.Errorf("got %v, want the answer of the server", err)
			}
			w.mustFollow(t, c)
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
		f, w, s := loggedInMemory(t)
		c := w.use(t, s)
		f.fail("POST /manga/"+mangaID+"/status", func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(5 * time.Second)
			apiError(w, 401, "http_exception", "")
		})
		late := make(chan error)
		go func() {
			late <- c.SetReadingStatus(t.Context(), w.manga, api.ReadingStatusEdit{Status: api.Value(api.ReadingStatusReading)})
		}()
		synctest.Wait()
		w.revokeAccess()
		w.mustFollow(t, c)
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
	store := storeWith(t, authn.Token{AccessToken: "gone", Expiry: time.Now().Add(time.Hour)})
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

// An operation that needs no token succeeds without one when its token turns out to be void for good.
func TestRefusalOfAnOptionalToken(t *testing.T) {
	t.Parallel()
	f := newFake()
	w := f.inMemory()
	s := w.loggedIn(t, w.personal(), authn.WithRefreshToken(f.seed()))
	c := w.use(t, s)
	w.endSessions()
	if _, err := c.GetManga(t.Context(), w.manga, nil); err != nil {
		t.Error(err)
	}
	get := "GET /manga/" + mangaID
	if n := w.count(get); n != 2 || w.last(t, get).authorization != "" {
		t.Errorf("sent %d times, at last with Authorization %q; want 2, without", n, w.last(t, get).authorization)
	}
	if err := c.FollowManga(t.Context(), w.manga); !errors.Is(err, authn.ErrRefreshTokenRefused) {
		t.Errorf("got %v, want ErrRefreshTokenRefused", err)
	}
	if _, err := c.GetManga(authn.ContextWithToken(t.Context()), w.manga, nil); !errors.Is(err, authn.ErrRefreshTokenRefused) {
		t.Errorf("ContextWithToken: got %v, want ErrRefreshTokenRefused", err)
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
		"none, ContextWithToken":         {authn.ContextWithToken(t.Context()), "GET", "/manga", nil, "Bearer access"},
		"optional":                       {t.Context(), "GET", "/manga/" + mangaID, nil, "Bearer access"},
		"optional, ContextWithoutToken":  {authn.ContextWithoutToken(t.Context()), "GET", "/manga/" + mangaID, nil, ""},
		"required":                       {t.Context(), "GET", "/user/me", nil, "Bearer access"},
		"required, ContextWithoutToken":  {authn.ContextWithoutToken(t.Context()), "GET", "/user/me", nil, ""},
		"the inner one counts":           {authn.ContextWithToken(authn.ContextWithoutToken(t.Context())), "GET", "/manga", nil, "Bearer access"},
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
	s := w.loggedIn(t, w.personal(), w.withPassword())
	c := w.use(t, s)
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
