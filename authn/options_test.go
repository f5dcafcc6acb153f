package authn_test

import (
	"strings"
	"testing"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/authn"
)

func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		options []authn.Option
		says    string // empty if it is right
	}{
		{"production", nil, ""},
		{"development", []authn.Option{authn.WithAPIServer(api.Development)}, ""},
		{"slash at the end", []authn.Option{authn.WithAPIServer(api.Production + "/")}, ""},
		{"loopback", []authn.Option{authn.WithAPIServer("http://127.0.0.1:1"), authn.WithAuthServer("http://localhost:2/realms/x")}, ""},
		{"loopback, version 6", []authn.Option{authn.WithAPIServer("http://[::1]:1"), authn.WithAuthServer("http://[::1]:2/realms/x")}, ""},
		{"token URL only", []authn.Option{authn.WithAPIServer("http://127.0.0.1:1"), authn.WithTokenURL("http://127.0.0.1:1/token")}, ""},
		{"empty", []authn.Option{authn.WithAPIServer("")}, "API server"},
		{"no scheme", []authn.Option{authn.WithAPIServer("api.mangadex.org")}, "scheme"},
		{"plain http", []authn.Option{authn.WithAPIServer("http://api.mangadex.org")}, "https"},
		{"looks like loopback", []authn.Option{authn.WithAPIServer("http://127.0.0.1.example")}, "https"},
		{"another scheme", []authn.Option{authn.WithAPIServer("ftp://api.mangadex.org")}, "https"},
		{"user name", []authn.Option{authn.WithAPIServer("https://me:only-a-test@api.mangadex.org")}, "password"},
		{"query", []authn.Option{authn.WithAPIServer("https://api.mangadex.org?a=b")}, "query"},
		{"port only", []authn.Option{authn.WithAPIServer("https://:443")}, "scheme"},
		{"line break", []authn.Option{authn.WithAPIServer("https://api.mangadex.org\n")}, "line break"},
		{"space", []authn.Option{authn.WithTokenURL(" https://auth.mangadex.org/token")}, "space"},
		{"space, user name", []authn.Option{authn.WithAPIServer(" https://me:only-a-test@api.mangadex.org")}, "password"},
		{"realm without scheme", []authn.Option{authn.WithAuthServer("auth.mangadex.org")}, "like https://auth.mangadex.org/realms/mangadex"},
		{"no URL", []authn.Option{authn.WithAPIServer("https://[")}, "URL"},
		{"realm in plain http", []authn.Option{authn.WithAuthServer("http://auth.mangadex.org/realms/mangadex")}, "auth server"},
		{"token URL in plain http", []authn.Option{authn.WithTokenURL("http://auth.mangadex.org/token")}, "token endpoint"},
		{"unknown server without a realm", []authn.Option{authn.WithAPIServer("https://mangadex.example")}, "WithAuthServer"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := authn.New(append(test.options, authn.WithPersonalClient(clientID, clientSecret))...)
			switch {
			case test.says == "" && err != nil:
				t.Error(err)
			case test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "only-a-test")):
				t.Errorf("got %v, want something about %q", err, test.says)
			}
		})
	}
}

// Without WithAuthServer the other endpoints are next to the token endpoint, not at MangaDex's.
func TestTokenURL(t *testing.T) {
	t.Parallel()
	f := newFake()
	w := f.serve(t)
	s, err := authn.New(authn.WithAPIServer(w.api), authn.WithTokenURL(w.auth+"/protocol/openid-connect/token"), authn.WithHTTPClient(w.client), w.personal(), w.withPassword())
	if err != nil {
		t.Fatal(err)
	}
	mustLogIn(t, s)
	if err := s.Logout(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.mustHaveToldServer(t, false, 1)
}

func TestUserAgent(t *testing.T) {
	t.Parallel()
	w := newFake().inMemory()
	plain := w.session(t, w.personal(), w.withPassword())
	named := w.session(t, w.personal(), w.withPassword(), authn.WithUserAgent("shelf/1.2 (+https://shelf.example)"))
	for s, want := range map[*authn.Session]string{plain: "", named: "shelf/1.2 (+https://shelf.example)"} {
		before := len(w.requests())
		mustLogIn(t, s)
		if _, err := s.User(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.Logout(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, r := range w.requests()[before:] {
			if !strings.HasPrefix(r.userAgent, "mangadex-go/") || !strings.Contains(r.userAgent, want) {
				t.Errorf("%s %s: User-Agent %q", r.method, r.path, r.userAgent)
			}
		}
	}
	if _, err := authn.New(authn.WithUserAgent("")); err == nil {
		t.Error("an empty User-Agent is accepted")
	}
}

// What was read from a file or copied from a page brings spaces and line breaks with it. The server
// would only say that it is wrong, and a refresh token would be dropped for it.
func TestUncleanCredentials(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		option authn.Option
		says   string // empty if it is right
	}{
		"client id":             {authn.WithPersonalClient(clientID+"\n", clientSecret), "client id has a line break"},
		"client id, space":      {authn.WithPersonalClient(" "+clientID, clientSecret), "client id begins or ends with a space"},
		"client secret":         {authn.WithPersonalClient(clientID, clientSecret+"\r\n"), "client secret has a line break"},
		"client secret, space":  {authn.WithPersonalClient(clientID, clientSecret+"\u00a0"), "client secret begins or ends with a space"},
		"username":              {authn.WithPassword(username+"\n", password), "username has a line break"},
		"username, space":       {authn.WithPassword(username+" ", password), "username begins or ends with a space"},
		"password":              {authn.WithPassword(username, password+"\n"), "password has a line break"},
		"password, only spaces": {authn.WithPassword(username, "  "), ""},
		"refresh token":         {authn.WithRefreshToken("only-a-test\n"), "refresh token has a line break"},
		"refresh token, space":  {authn.WithRefreshToken(" "), "refresh token begins or ends with a space"},
	} {
		_, err := authn.New(test.option)
		switch {
		case test.says == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "only-a-test") || strings.Contains(err.Error(), "\n")):
			t.Errorf("%s: got %v, want that the %s", name, err, test.says)
		}
	}
	w := newFake().inMemory()
	if err := w.session(t).LoginWith(t.Context(), username, password+"\r\n"); err == nil || !strings.Contains(err.Error(), "line break") || len(w.requests()) != 0 {
		t.Errorf("LoginWith: %v, %d requests", err, len(w.requests()))
	}
}

func TestOptionErrors(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]authn.Option{
		"client without id":     authn.WithPersonalClient("", clientSecret),
		"client without secret": authn.WithPersonalClient(clientID, ""),
		"empty refresh token":   authn.WithRefreshToken(""),
		"nil store":             authn.WithStore(nil),
		"nil HTTP client":       authn.WithHTTPClient(nil),
		"nil function":          authn.WithOnToken(nil),
		"browser":               authn.WithUserAgent("Mozilla/5.0"),
		"empty auth server":     authn.WithAuthServer(""),
		"empty token endpoint":  authn.WithTokenURL(""),
	} {
		if _, err := authn.New(option); err == nil || strings.Contains(err.Error(), clientSecret) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := authn.New(nil, authn.Options(nil), authn.WithLogger(nil)); err != nil {
		t.Errorf("nil options: %v", err)
	}
}
