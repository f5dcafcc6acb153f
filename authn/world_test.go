package authn_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/authn"
)

// A world is a place where a session can live: servers, and a client that reaches them.
type world struct {
	client             *http.Client
	api, auth          string
	id, secret         string // of a personal client
	username, password string
	manga              uuid.UUID

	requests     func() []request
	revokeAccess func()                            // every access token is void
	endSessions  func()                            // every token is void
	fail         func(endpoint string, status int) // the next request there fails
	reject       func(bool)                        // whether GET /auth/check says no
}

func (f *fake) world(client *http.Client, apiURL, authURL string) *world {
	return &world{
		client: client, api: apiURL, auth: authURL, id: clientID, secret: clientSecret, username: username, password: password,
		manga: uuid.MustParse(mangaID),
		requests: func() []request {
			f.mu.Lock()
			defer f.mu.Unlock()
			return slices.Clone(f.requests)
		},
		revokeAccess: f.revokeAccess,
		endSessions:  f.revokeRefresh,
		fail: func(endpoint string, status int) {
			f.fail(endpoint, answerWith(status, "text/html", "<html>failure</html>"))
		},
		reject: func(on bool) { f.set(func(f *fake) { f.banned = on }) },
	}
}

// mockWorld is MangaDex itself, by name, on httpmock.
func mockWorld(*testing.T) *world {
	f := newFake()
	return f.world(&http.Client{Transport: mocked(f)}, mockAPI, mockRealm)
}

// netWorld is on the network of this computer.
func netWorld(t *testing.T) *world {
	return newFake().serve(t)
}

func (f *fake) serve(t testing.TB) *world {
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return f.world(server.Client(), server.URL, server.URL+realm)
}

// inMemory is without a network, for tests with a fake clock.
func (f *fake) inMemory() *world {
	return f.world(&http.Client{Transport: mocked(f)}, mockAPI, mockRealm)
}

// at is what makes a session belong to a world.
func (w *world) at() authn.Option {
	return authn.Options(authn.WithHTTPClient(w.client), authn.WithAPIServer(w.api), authn.WithAuthServer(w.auth))
}

// personal makes a session speak OAuth2.
func (w *world) personal() authn.Option { return authn.WithPersonalClient(w.id, w.secret) }

// protocol makes a session speak one of the protocols. The endpoint is where that renews tokens.
func (w *world) protocol(legacy bool) (o authn.Option, endpoint string) {
	if legacy {
		return authn.Options(), "POST /auth/refresh"
	}
	return w.personal(), tokenPath
}

func (w *world) withPassword() authn.Option { return authn.WithPassword(w.username, w.password) }

func (w *world) session(t testing.TB, options ...authn.Option) *authn.Session {
	t.Helper()
	s, err := authn.New(append([]authn.Option{w.at()}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// loggedIn returns a session that has a token.
func (w *world) loggedIn(t testing.TB, options ...authn.Option) *authn.Session {
	t.Helper()
	s := w.session(t, options...)
	mustLogIn(t, s)
	return s
}

func mustLogIn(t testing.TB, s *authn.Session) {
	t.Helper()
	if err := s.Login(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// use returns a client of the API for a session.
func (w *world) use(t testing.TB, s *authn.Session) *api.Client {
	t.Helper()
	c, err := api.New(w.api, api.WithHTTPClient(w.client), api.WithoutRateLimit(), api.WithoutRetry(), authn.Use(s))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// mustFollow makes a call that needs a token.
func (w *world) mustFollow(t testing.TB, c *api.Client) {
	t.Helper()
	if err := c.FollowManga(t.Context(), w.manga); err != nil {
		t.Fatal(err)
	}
}

// mustFollowAtOnce makes a thousand such calls at a time.
func (w *world) mustFollowAtOnce(t testing.TB, c *api.Client) {
	t.Helper()
	const calls = 1000
	var failed atomic.Int32
	var all sync.WaitGroup
	for range calls {
		all.Go(func() {
			if err := c.FollowManga(t.Context(), w.manga); err != nil {
				failed.Add(1)
				t.Log(err)
			}
		})
	}
	all.Wait()
	if n := failed.Load(); n != 0 {
		t.Errorf("%d of %d calls failed", n, calls)
	}
}

// count returns how many requests an endpoint got.
func (w *world) count(endpoint string) int {
	n := 0
	for _, r := range w.requests() {
		if r.method+" "+r.path == endpoint {
			n++
		}
	}
	return n
}

// grants returns how many requests the token endpoint got with a grant type.
func (w *world) grants(grantType string) int {
	n := 0
	for _, r := range w.requests() {
		if r.form.Get("grant_type") == grantType {
			n++
		}
	}
	return n
}

// last returns the last request to an endpoint.
func (w *world) last(t testing.TB, endpoint string) request {
	t.Helper()
	for _, r := range slices.Backward(w.requests()) {
		if r.method+" "+r.path == endpoint {
			return r
		}
	}
	t.Fatalf("no request to %s", endpoint)
	return request{}
}

// kept returns a refresh token of an earlier login, by a personal client or by the session
// endpoints.
func (w *world) kept(t testing.TB, legacy bool) string {
	t.Helper()
	protocol, _ := w.protocol(legacy)
	return w.loggedIn(t, protocol, w.withPassword(), authn.WithoutCheck()).RefreshToken()
}

// logins is how often a password was sent.
func (w *world) logins() int { return w.grants("password") + w.count("POST /auth/login") }

// refreshes is how often a refresh token was sent.
func (w *world) refreshes() int { return w.grants("refresh_token") + w.count("POST /auth/refresh") }

// endpoints that end a session.
func endpoints(legacy bool) []string {
	if legacy {
		return []string{"POST /auth/logout"}
	}
	return []string{"POST " + realm + "/protocol/openid-connect/revoke", "POST " + realm + "/protocol/openid-connect/logout"}
}

func (w *world) mustHaveToldServer(t *testing.T, legacy bool, times int) {
	t.Helper()
	for _, endpoint := range endpoints(legacy) {
		if n := w.count(endpoint); n != times {
			t.Errorf("%d requests to %s, want %d", n, endpoint, times)
		}
	}
}

func (w *world) mustBeLoggedOutLocally(t *testing.T, s *authn.Session) {
	t.Helper()
	if !s.Anonymous() {
		t.Error("the session is not anonymous")
	}
	w.mustHaveToldServer(t, false, 0)
	w.mustHaveToldServer(t, true, 0)
	c := w.use(t, s)
	before := len(w.requests())
	if err := c.FollowManga(t.Context(), w.manga); !errors.Is(err, authn.ErrUnauthorized) {
		t.Errorf("got %v, want ErrUnauthorized", err)
	}
	if n := len(w.requests()) - before; n != 0 {
		t.Errorf("%d requests", n)
	}
	if _, err := c.GetManga(t.Context(), w.manga, nil); err != nil {
		t.Error(err)
	}
	if w.last(t, "GET /manga/"+w.manga.String()).authorization != "" {
		t.Error("a token from an anonymous session")
	}
}

// mustBe fails the test if an error is not what it should be, or is what it should not be.
func mustBe(t testing.TB, err error, is, isNot []error) {
	t.Helper()
	for _, target := range is {
		if !errors.Is(err, target) {
			t.Errorf("%v is not %v", err, target)
		}
	}
	for _, target := range isNot {
		if errors.Is(err, target) {
			t.Errorf("%v is %v", err, target)
		}
	}
}

// inBackground does something meanwhile, and sends what comes of it.
func inBackground(do func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- do() }()
	return done
}

// second returns the error of a call that returns something else, too.
func second[T any](_ T, err error) error { return err }

func same[T any](v T) T { return v }

// loggedInMemory returns a session that has a token, in a world without a network.
func loggedInMemory(t *testing.T, options ...authn.Option) (*fake, *world, *authn.Session) {
	t.Helper()
	f := newFake()
	w := f.inMemory()
	s := w.loggedIn(t, append([]authn.Option{w.personal(), authn.WithRefreshToken(f.seed())}, options...)...)
	return f, w, s
}
