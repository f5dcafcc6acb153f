package authn_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/authn"
)

// What a session does from a user's point of view. Each test runs on httpmock and on the network,
// with a personal client and with the session endpoints.
var sessionTests = []struct {
	name string
	test func(t *testing.T, w *world, legacy bool, protocol authn.Option)
}{
	{"start with a refresh token", func(t *testing.T, w *world, legacy bool, protocol authn.Option) {
		kept := w.kept(t, legacy)
		logins := w.logins()
		s := w.session(t, protocol, authn.WithRefreshToken(kept))
		before := len(w.requests())
		c := w.use(t, s)
		if n := len(w.requests()); n != before {
			t.Fatalf("New sent %d requests", n-before)
		}
		if got := s.RefreshToken(); got != kept {
			t.Error("RefreshToken is not the one that was given")
		}
		w.mustFollow(t, c)
		if n := w.logins() - logins; n != 0 {
			t.Errorf("%d logins with a password", n)
		}
		if n := w.refreshes(); n != 1 {
			t.Errorf("%d renewals, want 1", n)
		}
	}},
	{"start with username and password", func(t *testing.T, w *world, _ bool, protocol authn.Option) {
		s := w.session(t, protocol, w.withPassword())
		c := w.use(t, s)
		if n := len(w.requests()); n != 0 {
			t.Fatalf("New sent %d requests", n)
		}
		for range 3 {
			w.mustFollow(t, c)
		}
		if n := w.logins(); n != 1 {
			t.Errorf("%d logins, want 1", n)
		}
		if s.RefreshToken() == "" {
			t.Error("no refresh token after the login")
		}
		for _, pair := range [][2]string{{"", w.password}, {w.username, ""}, {"", ""}} {
			if _, err := authn.New(w.at(), protocol, authn.WithPassword(pair[0], pair[1])); err == nil {
				t.Errorf("New(WithPassword(%q, …)) succeeds with an empty half", pair[0])
			}
			if err := s.LoginWith(t.Context(), pair[0], pair[1]); err == nil {
				t.Errorf("LoginWith(%q, …) succeeds with an empty half", pair[0])
			}
		}
	}},
	{"both: a good refresh token needs no password", func(t *testing.T, w *world, legacy bool, protocol authn.Option) {
		kept := w.kept(t, legacy)
		logins := w.logins()
		w.loggedIn(t, protocol, authn.WithRefreshToken(kept), authn.WithPassword(w.username, "not the password"))
		if n := w.logins() - logins; n != 0 {
			t.Errorf("%d logins with a password", n)
		}
	}},
	{"both: a refused refresh token leads to one login", func(t *testing.T, w *world, legacy bool, protocol authn.Option) {
		kept := w.kept(t, legacy)
		logins := w.logins()
		w.endSessions()
		s := w.session(t, protocol, authn.WithRefreshToken(kept), w.withPassword())
		c := w.use(t, s)
		for range 2 {
			w.mustFollow(t, c)
		}
		if n := w.refreshes(); n != 1 {
			t.Errorf("%d attempts with the refresh token, want 1", n)
		}
		if n := w.logins() - logins; n != 1 {
			t.Errorf("%d logins, want 1", n)
		}
		if got := s.RefreshToken(); got == kept || got == "" {
			t.Error("the refresh token is not the one of the login")
		}
	}},
	{"both refused: the session ends and says why", func(t *testing.T, w *world, legacy bool, protocol authn.Option) {
		kept := w.kept(t, legacy)
		logins := w.logins()
		w.endSessions()
		s := w.session(t, protocol, authn.WithRefreshToken(kept), authn.WithPassword(w.username, "not the password"))
		c := w.use(t, s)
		for range 3 {
			err := c.FollowManga(t.Context(), w.manga)
			var unauthorized *authn.UnauthorizedError
			if !errors.As(err, &unauthorized) || !errors.Is(err, authn.ErrWrongPassword) {
				t.Fatalf("got %v, want an UnauthorizedError because of a wrong password", err)
			}
		}
		if n := w.logins() - logins; n != 1 {
			t.Errorf("%d logins with a wrong password, want 1", n)
		}
		if !s.Anonymous() || s.RefreshToken() != "" {
			t.Error("the session is not anonymous")
		}
		if err := s.Login(t.Context()); !errors.Is(err, authn.ErrWrongPassword) {
			t.Errorf("Login: got %v, want ErrWrongPassword", err)
		}
		if n := w.logins() - logins; n != 2 {
			t.Errorf("%d logins, want another one by Login", n)
		}
	}},
	{"Login without credentials", func(t *testing.T, w *world, legacy bool, protocol authn.Option) {
		s := w.session(t, protocol)
		err := s.Login(t.Context())
		var unauthorized *authn.UnauthorizedError
		if !errors.As(err, &unauthorized) || unauthorized.Method != "POST" || unauthorized.Path == "" || !errors.Is(err, authn.ErrUnauthorized) || !strings.Contains(err.Error(), "give them to New") {
			t.Errorf("got %v, want an UnauthorizedError", err)
		}
		if legacy && unauthorized != nil && unauthorized.Path != "/auth/login" {
			t.Errorf("the path is %s", unauthorized.Path)
		}
		if n := len(w.requests()); n != 0 {
			t.Errorf("%d requests", n)
		}
	}},
	{"Login with stored credentials", func(t *testing.T, w *world, _ bool, protocol authn.Option) {
		s := w.session(t, protocol, authn.Anonymous(), w.withPassword())
		if !s.Anonymous() {
			t.Error("not anonymous")
		}
		mustLogIn(t, s)
		if s.Anonymous() {
			t.Error("still anonymous")
		}
		w.mustFollow(t, w.use(t, s))
	}},
	{"LoginWith leaves anonymous mode and keeps the credentials", func(t *testing.T, w *world, _ bool, protocol authn.Option) {
		s := w.session(t, protocol, authn.Anonymous())
		c := w.use(t, s)
		if err := c.FollowManga(t.Context(), w.manga); !errors.Is(err, authn.ErrUnauthorized) {
			t.Errorf("got %v, want ErrUnauthorized", err)
		}
		if err := s.LoginWith(t.Context(), w.username, "not the password"); !errors.Is(err, authn.ErrWrongPassword) {
			t.Errorf("got %v, want ErrWrongPassword", err)
		}
		if !s.Anonymous() {
			t.Error("a failed login leaves anonymous mode")
		}
		if err := s.LoginWith(t.Context(), w.username, w.password); err != nil {
			t.Fatal(err)
		}
		w.mustFollow(t, c)
		w.endSessions()
		if err := c.FollowManga(t.Context(), w.manga); err != nil {
			t.Errorf("the credentials were not kept: %v", err)
		}
	}},
	{"obtain the refresh token", func(t *testing.T, w *world, _ bool, protocol authn.Option) {
		var mu sync.Mutex
		var seen []string
		store := &recordingStore{Store: authn.NewMemoryStore()}
		s := w.session(t, protocol, w.withPassword(), authn.WithStore(store), authn.WithOnToken(func(token authn.Token) {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, token.RefreshToken)
		}))
		mustLogIn(t, s)
		first := s.RefreshToken()
		w.revokeAccess()
		if _, err := s.User(t.Context()); err != nil {
			t.Fatal(err)
		}
		second := s.RefreshToken()
		if first == second {
			t.Fatal("the refresh token was not rotated, so that this test shows nothing")
		}
		// The store has to show that it can be written, so that the first is saved twice.
		if want := []string{first, second}; !slices.Equal(seen, want) || !slices.Equal(slices.Compact(store.saved()), want) {
			t.Errorf("WithOnToken saw %d tokens and the store %d, want the two of the session", len(seen), len(store.saved()))
		}
		token, err := s.Token(t.Context())
		if err != nil || token.RefreshToken != second || token.AccessToken == "" {
			t.Errorf("Token: %v, %v", token, err)
		}
	}},
	{"a token is asked for by the operation", func(t *testing.T, w *world, _ bool, protocol authn.Option) {
		s := w.session(t, protocol, w.withPassword())
		c := w.use(t, s)
		if _, err := c.SearchManga(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if n := len(w.requests()); n != 1 || w.last(t, "GET /manga").authorization != "" {
			t.Errorf("an operation without authentication: %d requests, Authorization %q", n, w.last(t, "GET /manga").authorization)
		}
		if _, err := c.GetManga(t.Context(), w.manga, nil); err != nil {
			t.Fatal(err)
		}
		get := "GET /manga/" + w.manga.String()
		if w.last(t, get).authorization == "" {
			t.Error("no token where one may be, though there is a session")
		}
		if _, err := c.GetManga(authn.ContextWithoutToken(t.Context()), w.manga, nil); err != nil {
			t.Fatal(err)
		}
		if w.last(t, get).authorization != "" {
			t.Error("a token in spite of ContextWithoutToken")
		}
		if err := c.FollowManga(authn.ContextWithoutToken(t.Context()), w.manga); err == nil {
			t.Error("FollowManga succeeds without a token")
		} else if e := (*api.Error)(nil); !errors.As(err, &e) {
			t.Errorf("got %v, want the answer of the server", err)
		}
	}},
	{"anonymous mode", func(t *testing.T, w *world, _ bool, protocol authn.Option) {
		s := w.session(t, protocol, w.withPassword(), authn.Anonymous())
		c := w.use(t, s)
		if _, err := c.SearchManga(t.Context(), nil); err != nil {
			t.Error(err)
		}
		if _, err := c.GetManga(t.Context(), w.manga, nil); err != nil {
			t.Error(err)
		}
		before := len(w.requests())
		err := c.FollowManga(t.Context(), w.manga)
		var unauthorized *authn.UnauthorizedError
		if !errors.As(err, &unauthorized) {
			t.Fatalf("got %v, want an UnauthorizedError", err)
		}
		if unauthorized.Method != "POST" || unauthorized.Path != "/manga/"+w.manga.String()+"/follow" || !strings.Contains(err.Error(), "anonymous: call Login") {
			t.Errorf("got %s %s: %v", unauthorized.Method, unauthorized.Path, err)
		}
		if _, err := c.SearchManga(authn.ContextWithToken(t.Context()), nil); !errors.As(err, &unauthorized) || unauthorized.Path != "/manga" {
			t.Errorf("ContextWithToken: got %v, want an UnauthorizedError", err)
		}
		if n := len(w.requests()) - before; n != 0 {
			t.Errorf("%d requests for a call that was refused", n)
		}
		for _, r := range w.requests() {
			if r.authorization != "" {
				t.Errorf("%s %s has a token", r.method, r.path)
			}
		}
	}},
	{"a new token is verified", func(t *testing.T, w *world, _ bool, protocol authn.Option) {
		s := w.loggedIn(t, protocol, w.withPassword())
		if n := w.count("GET /auth/check"); n != 1 {
			t.Errorf("%d checks, want 1", n)
		}
		w.revokeAccess()
		if _, err := s.User(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := w.count("GET /auth/check"); n != 2 {
			t.Errorf("%d checks after a renewal, want 2", n)
		}
	}},
	{"a new token that is not accepted logs out", func(t *testing.T, w *world, _ bool, protocol authn.Option) {
		s := w.session(t, protocol, w.withPassword())
		c := w.use(t, s)
		w.reject(true)
		err := c.FollowManga(t.Context(), w.manga)
		var unauthorized *authn.UnauthorizedError
		if !errors.As(err, &unauthorized) {
			t.Fatalf("got %v, want an UnauthorizedError", err)
		}
		w.mustBeLoggedOutLocally(t, s)
		w.reject(false)
		if err := s.Login(t.Context()); err != nil {
			t.Errorf("Login after that: %v", err)
		}
	}},
	{"a check that fails keeps the session", func(t *testing.T, w *world, _ bool, protocol authn.Option) {
		s := w.session(t, protocol, w.withPassword())
		w.fail("GET /auth/check", 503)
		mustLogIn(t, s)
		w.fail("GET /auth/check", 500)
		_, err := s.Check(t.Context())
		if !errors.Is(err, api.ErrServer) {
			t.Errorf("got %v, want ErrServer", err)
		}
		if s.Anonymous() {
			t.Error("the session is anonymous")
		}
		w.mustFollow(t, w.use(t, s))
	}},
	{"WithoutCheck", func(t *testing.T, w *world, _ bool, protocol authn.Option) {
		w.loggedIn(t, protocol, w.withPassword(), authn.WithoutCheck())
		if n := w.count("GET /auth/check"); n != 0 {
			t.Errorf("%d checks", n)
		}
	}},
	{"Check and User on demand", func(t *testing.T, w *world, _ bool, protocol authn.Option) {
		s := w.session(t, protocol, w.withPassword(), authn.WithoutCheck())
		if s.Permissions().Has("manga.view") {
			t.Error("permissions before a check")
		}
		status, err := s.Check(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(status.Roles, "ROLE_MEMBER") || !status.Permissions.Has("manga.view") || status.Permissions.Has("manga.delete") {
			t.Errorf("got %+v", status)
		}
		if !s.Permissions().Has("manga.view") || s.Permissions().Has("manga.delete") {
			t.Errorf("Permissions: %v", s.Permissions())
		}
		user, err := s.User(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if user.Attributes.Username != w.username {
			t.Errorf("User: %q", user.Attributes.Username)
		}
		w.revokeAccess()
		if _, err := s.Check(t.Context()); err != nil {
			t.Errorf("Check with a revoked token, and a refresh token that is good: %v", err)
		}
		w.reject(true)
		var unauthorized *authn.UnauthorizedError
		if _, err := s.Check(t.Context()); !errors.As(err, &unauthorized) || unauthorized.Path != "/auth/check" {
			t.Errorf("got %v, want an UnauthorizedError", err)
		}
		w.mustBeLoggedOutLocally(t, s)
		if _, err := s.User(t.Context()); !errors.As(err, &unauthorized) || unauthorized.Path != "/user/me" {
			t.Errorf("got %v, want an UnauthorizedError", err)
		}
	}},
	{"a session that the server has ended", func(t *testing.T, w *world, _ bool, protocol authn.Option) {
		for _, ask := range map[string]func(*authn.Session) error{
			"Check": func(s *authn.Session) error { _, err := s.Check(t.Context()); return err },
			"User":  func(s *authn.Session) error { _, err := s.User(t.Context()); return err },
			"call":  func(s *authn.Session) error { return w.use(t, s).FollowManga(t.Context(), w.manga) },
		} {
			s := w.loggedIn(t, protocol, w.withPassword())
			if err := s.Logout(t.Context(), authn.LocalOnly, authn.KeepCredentials); err != nil {
				t.Fatal(err)
			}
			if err := s.LoginWith(t.Context(), w.username, w.password); err != nil {
				t.Fatal(err)
			}
			kept := s.RefreshToken()
			s = w.loggedIn(t, protocol, authn.WithRefreshToken(kept))
			kept = s.RefreshToken()
			w.endSessions()
			if err := ask(s); !errors.Is(err, authn.ErrRefreshTokenRefused) || !errors.Is(err, authn.ErrUnauthorized) {
				t.Errorf("got %v, want ErrRefreshTokenRefused", err)
			}
			if s.Anonymous() || s.RefreshToken() != kept {
				t.Error("one refusal is taken for the last word")
			}
		}
	}},
	{"from a file", func(t *testing.T, w *world, legacy bool, _ authn.Option) {
		dir := t.TempDir()
		credentials := map[string]string{"username": w.username, "password": w.password, "token_file": filepath.Join(dir, "token")}
		if !legacy {
			credentials["client_id"], credentials["client_secret"] = w.id, w.secret
		}
		text, err := json.Marshal(credentials)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "mangadex.json")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second run starts from the token of the first
			s := w.session(t, authn.FromFile(path))
			w.mustFollow(t, w.use(t, s))
			mustHold(t, s, authn.NewFileStore(credentials["token_file"]), s.RefreshToken())
		}
		if n := w.logins(); n != 1 {
			t.Errorf("%d logins, want 1", n)
		}
	}},
	{"Logout", func(t *testing.T, w *world, legacy bool, protocol authn.Option) {
		store := authn.NewMemoryStore()
		s := w.loggedIn(t, protocol, w.withPassword(), authn.WithStore(store))
		c := w.use(t, s)
		kept := s.RefreshToken()
		if err := s.Logout(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.mustHaveToldServer(t, legacy, 1)
		if stored, err := store.Load(t.Context()); err != nil || stored != (authn.Token{}) {
			t.Errorf("the store has %v, %v", stored, err)
		}
		if !s.Anonymous() || s.RefreshToken() != "" || s.Permissions() != nil {
			t.Error("something is left of the session")
		}
		before := len(w.requests())
		if err := c.FollowManga(t.Context(), w.manga); !errors.Is(err, authn.ErrUnauthorized) {
			t.Errorf("got %v", err)
		}
		if err := s.Login(t.Context()); !errors.Is(err, authn.ErrUnauthorized) {
			t.Errorf("Login after Logout: %v", err)
		}
		if err := s.Logout(t.Context()); err != nil {
			t.Errorf("a second Logout: %v", err)
		}
		if n := len(w.requests()) - before; n != 0 {
			t.Errorf("%d requests after the logout", n)
		}
		again := w.session(t, protocol, authn.WithRefreshToken(kept))
		if err := again.Login(t.Context()); !errors.Is(err, authn.ErrRefreshTokenRefused) {
			t.Errorf("the refresh token of the session that was ended: got %v, want ErrRefreshTokenRefused", err)
		}
	}},
	{"Logout with KeepCredentials and LocalOnly", func(t *testing.T, w *world, legacy bool, protocol authn.Option) {
		s := w.loggedIn(t, protocol, w.withPassword())
		c := w.use(t, s)
		if err := s.Logout(t.Context(), authn.KeepCredentials, authn.LocalOnly); err != nil {
			t.Fatal(err)
		}
		w.mustHaveToldServer(t, legacy, 0)
		if err := c.FollowManga(t.Context(), w.manga); !errors.Is(err, authn.ErrUnauthorized) {
			t.Errorf("got %v: logged in again without being asked to", err)
		}
		mustLogIn(t, s)
		w.mustFollow(t, c)
	}},
	{"Logout while the server is down", func(t *testing.T, w *world, legacy bool, protocol authn.Option) {
		path := filepath.Join(t.TempDir(), "token")
		s := w.loggedIn(t, protocol, w.withPassword(), authn.WithStore(authn.NewFileStore(path)))
		for _, endpoint := range endpoints(legacy) {
			w.fail(endpoint, 503)
		}
		err := s.Logout(t.Context())
		var tokenErr *authn.TokenError
		if !errors.As(err, &tokenErr) || !errors.Is(err, authn.ErrUnavailable) || !tokenErr.Retryable {
			t.Errorf("got %v, want ErrUnavailable", err)
		}
		if !strings.HasPrefix(err.Error(), "authn: logout: ") || !strings.Contains(err.Error(), "logged out here") || strings.ContainsAny(err.Error(), "\n") || strings.Contains(err.Error(), "try again") {
			t.Errorf("the error says %q", err)
		}
		if !s.Anonymous() || s.RefreshToken() != "" {
			t.Error("still logged in")
		}
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the token file is still there: %v", err)
		}
	}},
	{"a token refused by the API is renewed, and the call repeated", func(t *testing.T, w *world, _ bool, protocol authn.Option) {
		s := w.loggedIn(t, protocol, w.withPassword())
		c := w.use(t, s)
		w.revokeAccess()
		body := api.ReadingStatusEdit{Status: api.Value(api.ReadingStatusReading)}
		if err := c.SetReadingStatus(t.Context(), w.manga, body); err != nil {
			t.Fatal(err)
		}
		if n := w.count("POST /manga/" + w.manga.String() + "/status"); n != 2 {
			t.Errorf("the call was sent %d times, want 2", n)
		}
		if n := w.refreshes(); n != 1 {
			t.Errorf("%d renewals, want 1", n)
		}
	}},
}

func TestSession(t *testing.T) {
	t.Parallel()
	worlds := map[string]func(*testing.T) *world{"httpmock": mockWorld, "network": netWorld, "apitest": apitestWorld}
	for where, make := range worlds {
		for _, test := range sessionTests {
			for _, legacy := range []bool{false, true} {
				name := where + "/personal client/" + test.name
				if legacy {
					name = where + "/session endpoints/" + test.name
				}
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					w := make(t)
					protocol, _ := w.protocol(legacy)
					test.test(t, w, legacy, protocol)
				})
			}
		}
	}
}
