package realms

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mangadex-go/mangadex/authn"
)

const (
	clientID     = "personal-client-example"
	clientSecret = "an-invented-client-secret"
	username     = "reader"
	password     = "an invented password & more"
)

// A server is one that others have written.
type server struct {
	token, revoke http.HandlerFunc
	valid         func(accessToken string) bool
}

// lifetime of an access token.
const lifetime = 2 * time.Second

var servers = map[string]func(t *testing.T) *server{
	"fosite": newFosite, "go-oauth2": newGoOAuth2,
	"oauth2-server": nodeServer("oauth2-server"), "oidc-provider": nodeServer("oidc-provider"),
}

// A realm is such a server behind the paths of Keycloak, with as much of the API as a session needs.
type realm struct {
	*httptest.Server
	grants  atomic.Int64 // requests to the token endpoint
	revokes bool         // whether the server knows revocation

	mu    sync.Mutex
	delay func() // of an answer that has been decided on
}

func newRealm(t *testing.T, s *server) *realm {
	r := &realm{revokes: s.revoke != nil}
	mux := http.NewServeMux()
	const endpoints = "/realms/mangadex/protocol/openid-connect/"
	mux.HandleFunc("POST "+endpoints+"token", func(w http.ResponseWriter, req *http.Request) {
		r.grants.Add(1)
		held := httptest.NewRecorder()
		s.token(held, req)
		r.mu.Lock()
		delay := r.delay
		r.mu.Unlock()
		if delay != nil {
			delay()
		}
		for name, values := range held.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(held.Code)
		_, _ = w.Write(held.Body.Bytes())
	})
	if s.revoke != nil {
		mux.HandleFunc("POST "+endpoints+"revoke", s.revoke)
	}
	mux.HandleFunc("GET /auth/check", func(w http.ResponseWriter, req *http.Request) {
		if !s.valid(strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"result":"error","errors":[]}`))
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"result": "ok", "isAuthenticated": true, "roles": []string{}, "permissions": []string{}})
	})
	r.Server = httptest.NewServer(mux)
	t.Cleanup(r.Close)
	return r
}

func (r *realm) setDelay(delay func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.delay = delay
}

func (r *realm) session(t *testing.T, options ...authn.Option) *authn.Session {
	t.Helper()
	s, err := authn.New(append([]authn.Option{
		authn.WithAPIServer(r.URL), authn.WithAuthServer(r.URL + "/realms/mangadex"), authn.WithPersonalClient(clientID, clientSecret),
	}, options...)...)
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

// each runs a test with every server.
func each(t *testing.T, test func(t *testing.T, r *realm)) {
	t.Parallel()
	for name, make := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newRealm(t, make(t)))
		})
	}
}
