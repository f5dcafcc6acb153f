package authn_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jarcoal/httpmock"

	"github.com/mangadex-go/mangadex/api"
)

// Invented credentials. They are long and odd, so that a test that looks for them in a text finds
// them and nothing else.
const (
	clientID     = "personal-client-00000000-0000-4000-8000-000000000001-test"
	clientSecret = "client-secret/&+\"<only-a-test>"
	username     = "reader"
	password     = "pass word/&+\"<only-a-test>"
)

// A fake is the part of MangaDex that logs in: a realm with rotating refresh tokens, the session
// endpoints, and a few operations of the API. It is an http.Handler.
type fake struct {
	mu        sync.Mutex
	username  string
	password  string
	code      string // that a login needs
	lifetime  time.Duration
	rotate    bool // a refresh token works once, and using it again ends the session
	silent    bool // a renewal does not send the refresh token, which stays valid
	down      bool // every answer is a 503
	tokenDown bool // the same, of the realm alone
	banned    bool // GET /auth/check says no
	jwt       bool // access tokens say when they expire
	skew      time.Duration
	serial    int
	refresh   map[string]*session
	access    map[string]*grantedAccess
	always    map[string]http.HandlerFunc   // by method and path, used each time
	faults    map[string][]http.HandlerFunc // by method and path, used one after the other
	requests  []request
}

type session struct {
	live    bool
	current string // refresh token
}

type grantedAccess struct {
	session *session
	until   time.Time
}

type request struct {
	method, path, authorization, userAgent string
	form                                   url.Values
}

func newFake() *fake {
	return &fake{
		username: username, password: password, lifetime: 15 * time.Minute, rotate: true,
		refresh: map[string]*session{}, access: map[string]*grantedAccess{}, faults: map[string][]http.HandlerFunc{},
	}
}

// fail has the next requests to an endpoint answered by something else.
func (f *fake) fail(endpoint string, handlers ...http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults[endpoint] = append(f.faults[endpoint], handlers...)
}

// set changes the fake while it is in use.
func (f *fake) set(change func(*fake)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

// revokeAccess makes every access token void.
func (f *fake) revokeAccess() { f.set(func(f *fake) { clear(f.access) }) }

// revokeRefresh makes every refresh token void.
func (f *fake) revokeRefresh() {
	f.set(func(f *fake) {
		for _, s := range f.refresh {
			s.live = false
		}
	})
}

// mustHaveEnded fails the test if a session lives on on the server.
func (f *fake) mustHaveEnded(t testing.TB) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.refresh {
		if s.live {
			t.Error("a session lives on on the server: its newest token was not revoked")
		}
	}
}

// seed returns a refresh token of a session that began earlier.
func (f *fake) seed() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, refresh := f.grant(&session{live: true})
	return refresh
}

// seedAccess returns an access token of such a session.
func (f *fake) seedAccess() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	access, _ := f.grant(&session{live: true})
	return access
}

// grant makes new tokens for a session. The caller holds mu.
func (f *fake) grant(s *session) (access, refresh string) {
	f.serial++
	access = fmt.Sprintf("access-token-%04d-%s", f.serial, rand.Text())
	if f.jwt {
		access = jwt(time.Now().Add(f.lifetime).Unix()) + rand.Text()
	}
	f.access[access] = &grantedAccess{s, time.Now().Add(f.lifetime)}
	if s.current == "" || f.rotate {
		s.current = fmt.Sprintf("refresh-token-%04d-%s", f.serial, rand.Text())
		f.refresh[s.current] = s
	}
	return access, s.current
}

// renew makes new tokens for a refresh token, if that is good. The caller holds mu.
func (f *fake) renew(token string) (access, refresh string, ok bool) {
	s := f.refresh[token]
	if s == nil || !s.live {
		return "", "", false
	}
	if token != s.current { // used already
		s.live = false
		return "", "", false
	}
	access, refresh = f.grant(s)
	return access, refresh, true
}

// bearer returns the session of a request. The caller holds mu.
func (f *fake) bearer(r *http.Request) *session {
	a := f.access[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	if a == nil || !a.session.live || time.Now().After(a.until) {
		return nil
	}
	return a.session
}

const realm = "/realms/mangadex"

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	form, _ := url.ParseQuery(string(body))
	if r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		form = nil
	}
	endpoint := r.Method + " " + r.URL.Path
	f.mu.Lock()
	f.requests = append(f.requests, request{r.Method, r.URL.Path, r.Header.Get("Authorization"), r.Header.Get("User-Agent"), form})
	if faults := f.faults[endpoint]; len(faults) > 0 {
		f.faults[endpoint] = faults[1:]
		f.mu.Unlock()
		r.Body = io.NopCloser(bytes.NewReader(body))
		faults[0](w, r)
		return
	}
	if always := f.always[endpoint]; always != nil {
		f.mu.Unlock()
		always(w, r)
		return
	}
	defer f.mu.Unlock()
	if f.down || f.tokenDown && strings.HasPrefix(r.URL.Path, realm) {
		answerWith(503, "text/html", "<html>maintenance</html>")(w, r)
		return
	}
	w.Header().Set("Date", time.Now().UTC().Format(http.TimeFormat))
	switch {
	case strings.HasPrefix(r.URL.Path, realm+"/protocol/openid-connect/"):
		f.serveRealm(w, r, form)
	case endpoint == "POST /auth/login":
		var in struct{ Username, Password string }
		_ = json.Unmarshal(body, &in)
		if in.Username != f.username || in.Password != f.password {
			apiError(w, 401, "unauthorized_http_exception", "User / Password does not match")
			return
		}
		f.sendSession(w, f.grantNew)
	case endpoint == "POST /auth/refresh":
		var in struct{ Token string }
		_ = json.Unmarshal(body, &in)
		f.sendSession(w, func() (string, string, bool) { return f.renew(in.Token) })
	case endpoint == "POST /auth/logout":
		s := f.bearer(r)
		if s == nil {
			apiError(w, 401, "http_exception", "no session")
			return
		}
		s.live = false
		sendJSON(w, 200, `{"result":"ok"}`)
	case endpoint == "GET /auth/check":
		if r.Header.Get("Authorization") != "" && f.bearer(r) == nil {
			apiError(w, 401, "http_exception", "The access token expired")
			return
		}
		if f.banned || f.bearer(r) == nil {
			sendJSON(w, 200, `{"result":"ok","isAuthenticated":false,"roles":[],"permissions":[]}`)
			return
		}
		sendJSON(w, 200, `{"result":"ok","isAuthenticated":true,"roles":["ROLE_MEMBER"],"permissions":["manga.view","manga.create"]}`)
	default:
		f.serveAPI(w, r)
	}
}

func (f *fake) grantNew() (string, string, bool) {
	access, refresh := f.grant(&session{live: true})
	return access, refresh, true
}

func (f *fake) sendSession(w http.ResponseWriter, get func() (string, string, bool)) {
	access, refresh, ok := get()
	if !ok {
		apiError(w, 401, "unauthorized_http_exception", "invalid token")
		return
	}
	sendJSON(w, 200, fmt.Sprintf(`{"result":"ok","token":{"session":%q,"refresh":%q}}`, access, refresh))
}

func (f *fake) serveRealm(w http.ResponseWriter, r *http.Request, form url.Values) {
	if r.Method != "POST" || form.Get("client_id") != clientID || form.Get("client_secret") != clientSecret {
		sendJSON(w, 401, `{"error":"unauthorized_client","error_description":"Invalid client or Invalid client credentials"}`)
		return
	}
	switch strings.TrimPrefix(r.URL.Path, realm+"/protocol/openid-connect/") {
	case "token":
		var access, refresh string
		switch form.Get("grant_type") {
		case "password":
			if form.Get("username") != f.username || form.Get("password") != f.password || form.Get("totp") != f.code {
				sendJSON(w, 401, `{"error":"invalid_grant","error_description":"Invalid user credentials"}`)
				return
			}
			access, refresh, _ = f.grantNew()
		case "refresh_token":
			var ok bool
			if access, refresh, ok = f.renew(form.Get("refresh_token")); !ok {
				sendJSON(w, 400, `{"error":"invalid_grant","error_description":"Token is not active"}`)
				return
			}
			if f.silent {
				refresh = ""
			}
		default:
			sendJSON(w, 400, `{"error":"unsupported_grant_type"}`)
			return
		}
		answer := map[string]any{
			"access_token": access, "expires_in": int((f.lifetime + f.skew) / time.Second), "token_type": "Bearer",
			"refresh_expires_in": 2414162, "not-before-policy": 0, "scope": "groups email profile", "client_type": "personal",
		}
		if refresh != "" {
			answer["refresh_token"] = refresh
		}
		text, _ := json.Marshal(answer)
		sendJSON(w, 200, string(text))
	case "revoke":
		if s := f.refresh[form.Get("token")]; s != nil && s.current == form.Get("token") {
			s.live = false
		}
		if a := f.access[form.Get("token")]; a != nil {
			a.session.live = false
		}
		w.WriteHeader(200)
	case "logout":
		s := f.refresh[form.Get("refresh_token")]
		if s == nil || !s.live || s.current != form.Get("refresh_token") {
			sendJSON(w, 400, `{"error":"invalid_grant","error_description":"Session not active"}`)
			return
		}
		s.live = false
		w.WriteHeader(204)
	default:
		w.WriteHeader(404)
	}
}

// userID is an invented account.
const userID = "00000000-0000-4000-8000-00000000000a"

func (f *fake) serveAPI(w http.ResponseWriter, r *http.Request) {
	op, ok := api.OperationOf(r)
	s := f.bearer(r)
	switch {
	case !ok:
		apiError(w, 404, "not_found_http_exception", "")
	case op.Auth == api.AuthNone && r.Header.Get("Authorization") != "":
		apiError(w, 500, "test", "a token where none belongs")
	case op.Auth == api.AuthRequired && s == nil, r.Header.Get("Authorization") != "" && s == nil:
		apiError(w, 401, "http_exception", "Full authentication is required to access this resource.")
	case r.URL.Path == "/user/me":
		sendJSON(w, 200, `{"result":"ok","response":"entity","data":{"id":"`+userID+`","type":"user","attributes":{"username":"reader","roles":["ROLE_MEMBER"],"version":1},"relationships":[]}}`)
	case op.Path == "/manga" && r.Method == http.MethodGet:
		sendJSON(w, 200, `{"result":"ok","response":"collection","data":[],"limit":10,"offset":0,"total":0}`)
	default: // an entity of any kind, or an acknowledgement
		sendJSON(w, 200, `{"result":"ok","response":"entity","data":{"id":"`+userID+`"},"statuses":{},"status":null}`)
	}
}

func sendJSON(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func apiError(w http.ResponseWriter, status int, title, detail string) {
	w.Header().Set("X-Request-Id", "00000000-0000-4000-8000-0000000000ff")
	text, _ := json.Marshal(map[string]any{"result": "error", "errors": []map[string]any{{
		"id": "00000000-0000-5000-8000-0000000000ee", "status": status, "title": title, "detail": detail,
	}}})
	sendJSON(w, status, string(text))
}

// answerWith is a fault.
func answerWith(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// drop is a fault: the connection ends without an answer.
func drop(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// after delays what the fake would answer.
func (f *fake) after(d time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(d):
			f.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	}
}

// roundTrip is a transport without a network, for tests with a fake clock.
type roundTrip struct{ http.Handler }

func (rt roundTrip) RoundTrip(req *http.Request) (*http.Response, error) {
	in := req.Clone(req.Context())
	if in.Body == nil {
		in.Body = http.NoBody
	}
	out := httptest.NewRecorder()
	done := make(chan bool, 1)
	go func() {
		defer func() { done <- recover() == nil }()
		rt.ServeHTTP(out, in)
	}()
	select {
	case ok := <-done:
		if !ok {
			return nil, io.ErrUnexpectedEOF
		}
		resp := out.Result()
		resp.Request = req
		return resp, nil
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
}

// mocked is a transport of httpmock with the endpoints of the fake and nothing else.
func mocked(f *fake) *httpmock.MockTransport {
	mock := httpmock.NewMockTransport()
	respond := httpmock.Responder(roundTrip{f}.RoundTrip)
	for _, endpoint := range []string{"token", "revoke", "logout"} {
		mock.RegisterResponder("POST", mockRealm+"/protocol/openid-connect/"+endpoint, respond)
	}
	for _, endpoint := range []string{"login", "refresh", "logout"} {
		mock.RegisterResponder("POST", mockAPI+"/auth/"+endpoint, respond)
	}
	for _, endpoint := range []string{"/auth/check", "/user/me", "/manga", "/manga/" + mangaID, "/manga/random"} {
		mock.RegisterResponder("GET", mockAPI+endpoint, respond)
	}
	mock.RegisterResponder("POST", mockAPI+"/manga/"+mangaID+"/follow", respond)
	mock.RegisterResponder("POST", mockAPI+"/manga/"+mangaID+"/status", respond)
	return mock
}

const (
	mockAPI   = "https://api.mangadex.org"
	mockRealm = "https://auth.mangadex.org" + realm
	mangaID   = "00000000-0000-4000-8000-0000000000b1"
	tokenPath = "POST " + realm + "/protocol/openid-connect/token"
)
