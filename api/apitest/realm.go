package apitest

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"html"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// realmPath is where the realm is on the auth server.
const realmPath = "/realms/mangadex"

// PublicClientID is a client of the auth server without a secret, for the authorization code with PKCE.
// It may send the user back to any address on this machine, and to addresses that begin with
// PublicClientID + ":".
const PublicClientID = "apitest"

// An authorization is a login by a browser on its way.
type authorization struct {
	redirect  string
	state     string
	scope     string
	nonce     string
	challenge string
	plain     bool // the challenge is the verifier itself
	user      *user
	expires   time.Time
}

// serveRealm is the host of the auth server.
func (s *Server) serveRealm(x *exchange) answer {
	path, ok := strings.CutPrefix(x.path, realmPath)
	if !ok {
		return keycloak(http.StatusNotFound, "Unable to find matching target resource method", "")
	}
	endpoints := map[string]struct {
		operation string
		serve     func(*exchange) answer
	}{
		"GET ":                                   {"Discovery", s.serveRealmInfo},
		"GET /.well-known/openid-configuration":  {"Discovery", s.serveDiscovery},
		"GET /protocol/openid-connect/certs":     {"Keys", s.serveKeys},
		"GET /protocol/openid-connect/auth":      {"Authorize", s.serveLoginPage},
		"POST /login-actions/authenticate":       {"Authenticate", s.serveLoginForm},
		"POST /protocol/openid-connect/token":    {"Token", s.serveToken},
		"POST /protocol/openid-connect/revoke":   {"Revoke", s.serveRevoke},
		"POST /protocol/openid-connect/logout":   {"EndSession", s.serveLogout},
		"GET /protocol/openid-connect/userinfo":  {"UserInfo", s.serveUserInfo},
		"POST /protocol/openid-connect/userinfo": {"UserInfo", s.serveUserInfo},
	}
	endpoint, ok := endpoints[x.request.Method+" "+path]
	if !ok {
		for _, method := range []string{"GET ", "POST "} {
			if _, other := endpoints[method+path]; other {
				return keycloak(http.StatusMethodNotAllowed, "HTTP 405 Method Not Allowed", "")
			}
		}
		return keycloak(http.StatusNotFound, "Unable to find matching target resource method", "")
	}
	if status := x.strike(endpoint.operation, false); status != 0 {
		return brokenRealm(status)
	}
	s.store.Lock()
	defer s.store.Unlock()
	return endpoint.serve(x)
}

func brokenRealm(status int) answer {
	return keycloak(status, "unknown_error", "This answer was asked for.")
}

// keycloak is an error in the shape of the auth server.
func keycloak(status int, code, description string) answer {
	body := map[string]string{"error": code}
	if description != "" {
		body["error_description"] = description
	}
	return answer{status: status, contentType: contentJSON, header: http.Header{"Cache-Control": {"no-store"}}, body: encode(body)}
}

func realmOK(v any) answer {
	return answer{status: http.StatusOK, contentType: contentJSON, header: http.Header{"Cache-Control": {"no-store"}, "Pragma": {"no-cache"}}, body: encode(v)}
}

func (s *Server) serveRealmInfo(x *exchange) answer {
	base := s.at(s.AuthURL, x.request)
	return realmOK(map[string]any{"realm": "mangadex", "token-service": base + "/protocol/openid-connect", "account-service": base + "/account", "tokens-not-before": 0})
}

func (s *Server) serveDiscovery(x *exchange) answer {
	base := s.at(s.AuthURL, x.request)
	connect := base + "/protocol/openid-connect"
	return realmOK(map[string]any{
		"issuer":                                base,
		"authorization_endpoint":                connect + "/auth",
		"token_endpoint":                        connect + "/token",
		"revocation_endpoint":                   connect + "/revoke",
		"end_session_endpoint":                  connect + "/logout",
		"userinfo_endpoint":                     connect + "/userinfo",
		"jwks_uri":                              connect + "/certs",
		"grant_types_supported":                 []string{"authorization_code", "refresh_token", "password"},
		"response_types_supported":              []string{"code"},
		"response_modes_supported":              []string{"query"},
		"subject_types_supported":               []string{"public"},
		"scopes_supported":                      []string{"openid", "email", "profile", "groups", "offline_access"},
		"code_challenge_methods_supported":      []string{"plain", "S256"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post"},
		"id_token_signing_alg_values_supported": []string{"ES256"},
	})
}

func (s *Server) serveKeys(*exchange) answer {
	return realmOK(map[string]any{"keys": []any{s.store.mint.jwk()}})
}

// form is the body of a request to the auth server, empty unless it is a form.
func (x *exchange) form() url.Values {
	mediaType, _, _ := mime.ParseMediaType(x.request.Header.Get("Content-Type"))
	if mediaType != "application/x-www-form-urlencoded" {
		return url.Values{}
	}
	form, err := url.ParseQuery(string(x.body))
	if err != nil {
		return url.Values{}
	}
	return form
}

// clientOf finds the client that sends a request: by the form, or by the header.
func (s *Server) clientOf(x *exchange, form url.Values) (id string, c *apiClient, refusal *answer) {
	id, secret := form.Get("client_id"), form.Get("client_secret")
	if user, password, ok := x.request.BasicAuth(); ok {
		// RFC 6749: both are encoded as in a form.
		var err error
		if id, err = url.QueryUnescape(user); err != nil {
			id = user
		}
		if secret, err = url.QueryUnescape(password); err != nil {
			secret = password
		}
	}
	refuse := func(code string) (string, *apiClient, *answer) {
		a := keycloak(http.StatusUnauthorized, code, "Invalid client or Invalid client credentials")
		return id, nil, &a
	}
	if id == "" {
		return refuse("invalid_client")
	}
	if id == PublicClientID {
		return id, nil, nil
	}
	for _, client := range s.store.clients.all {
		if client.clientID == id && client.usable() {
			if subtle.ConstantTimeCompare([]byte(client.secret), []byte(secret)) != 1 {
				return refuse("unauthorized_client")
			}
			return id, client, nil
		}
	}
	return refuse("invalid_client")
}

func (s *Server) serveToken(x *exchange) answer {
	form := x.form()
	grant := form.Get("grant_type")
	if grant == "" {
		return keycloak(http.StatusBadRequest, "invalid_request", "Missing form parameter: grant_type")
	}
	id, client, refusal := s.clientOf(x, form)
	if refusal != nil {
		return *refusal
	}
	switch grant {
	case "password":
		return s.grantPassword(x, form, client)
	case "refresh_token":
		return s.grantRefresh(x, form, id)
	case "authorization_code":
		return s.grantCode(x, form, id)
	case "client_credentials":
		return keycloak(http.StatusUnauthorized, "unauthorized_client", "Client not enabled to retrieve service account")
	}
	return keycloak(http.StatusBadRequest, "unsupported_grant_type", "Unsupported grant_type")
}

func (s *Server) grantPassword(x *exchange, form url.Values, client *apiClient) answer {
	if client == nil {
		return keycloak(http.StatusBadRequest, "unauthorized_client", "Client not allowed for direct access grants")
	}
	if form.Get("username") == "" {
		return keycloak(http.StatusBadRequest, "invalid_request", "Missing parameter: username")
	}
	u, ok := s.store.login(form.Get("username"), form.Get("password"))
	if !ok || u != client.owner { // a personal client works for its owner alone
		return keycloak(http.StatusUnauthorized, "invalid_grant", "Invalid user credentials")
	}
	if u.disabled {
		return keycloak(http.StatusBadRequest, "invalid_grant", "Account disabled")
	}
	session := open(u, client.clientID, scopeOf(form.Get("scope")), s.options.refreshLife, x.now)
	s.store.mint.grants["password"]++
	return s.tokens(x, session, true)
}

// scopeOf is what a session may do: what is asked for, and what is always given.
func scopeOf(asked string) string {
	scopes := []string{"groups", "email", "profile"}
	for _, scope := range strings.Fields(asked) {
		if slices.Contains([]string{"openid", "offline_access"}, scope) {
			scopes = append(scopes, scope)
		}
	}
	return strings.Join(scopes, " ")
}

// tokens is the answer that gives tokens.
func (s *Server) tokens(x *exchange, session *session, refresh bool) answer {
	issuer := s.at(s.AuthURL, x.request)
	body := map[string]any{
		"access_token":       s.store.issue(session, "access", issuer, s.options.accessLife, x.now),
		"expires_in":         int((s.options.accessLife + s.options.expirySkew) / time.Second),
		"token_type":         "Bearer",
		"not-before-policy":  0,
		"session_state":      session.id,
		"scope":              session.scope,
		"client_type":        "personal",
		"refresh_expires_in": int(session.ends.Sub(x.now) / time.Second),
	}
	if refresh {
		body["refresh_token"] = s.store.issue(session, "refresh", issuer, s.options.refreshLife, x.now)
	}
	if slices.Contains(strings.Fields(session.scope), "openid") {
		body["id_token"] = s.store.issue(session, "id", issuer, s.options.accessLife, x.now)
	}
	if session.clientID == PublicClientID {
		delete(body, "client_type")
	}
	return realmOK(body)
}

func (s *Server) grantRefresh(x *exchange, form url.Values, client string) answer {
	text := form.Get("refresh_token")
	if text == "" {
		return keycloak(http.StatusBadRequest, "invalid_request", "No refresh token")
	}
	record, why := s.store.mint.holds(text, "refresh", x.now)
	if why != "" {
		return keycloak(http.StatusBadRequest, "invalid_grant", why)
	}
	if record.session.clientID != client {
		return keycloak(http.StatusBadRequest, "invalid_grant", "Invalid refresh token. Token client and authorized client don't match")
	}
	mode := s.options.refreshMode
	if mode == RefreshRotate {
		if record.used {
			record.session.ended = true
			return keycloak(http.StatusBadRequest, "invalid_grant", "Maximum allowed refresh token reuse exceeded")
		}
		record.used = true
	}
	s.store.mint.grants["refresh_token"]++
	return s.tokens(x, record.session, mode != RefreshKeep)
}

func (s *Server) serveRevoke(x *exchange) answer {
	form := x.form()
	id, _, refusal := s.clientOf(x, form)
	if refusal != nil {
		return *refusal
	}
	if form.Get("token") == "" {
		return keycloak(http.StatusBadRequest, "invalid_request", "Token not provided")
	}
	if record := s.store.mint.records[form.Get("token")]; record != nil && record.session.clientID == id {
		record.revoked = true
		if record.kind == "refresh" {
			record.session.ended = true
		}
	}
	return answer{status: http.StatusOK}
}

func (s *Server) serveLogout(x *exchange) answer {
	form := x.form()
	id, _, refusal := s.clientOf(x, form)
	if refusal != nil {
		return *refusal
	}
	text := form.Get("refresh_token")
	if text == "" {
		return keycloak(http.StatusBadRequest, "invalid_request", "No refresh token")
	}
	record := s.store.mint.records[text]
	if record == nil || record.kind != "refresh" || record.session.clientID != id {
		return keycloak(http.StatusBadRequest, "invalid_grant", "Invalid refresh token")
	}
	record.session.ended = true
	return answer{status: http.StatusNoContent}
}

func (s *Server) serveUserInfo(x *exchange) answer {
	text, _ := bearer(x.request)
	challenged := func(status int, code, description string) answer {
		a := keycloak(status, code, description)
		a.header.Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="mangadex", error="%s", error_description="%s"`, code, description))
		return a
	}
	record, why := s.store.mint.holds(text, "access", x.now)
	if why != "" {
		return challenged(http.StatusUnauthorized, "invalid_token", "Token verification failed")
	}
	if !slices.Contains(strings.Fields(record.session.scope), "openid") {
		return challenged(http.StatusForbidden, "insufficient_scope", "Missing openid scope")
	}
	u := record.session.user
	return realmOK(map[string]any{"sub": u.id, "preferred_username": u.username, "email": u.email, "email_verified": true, "groups": []string{}})
}

// htmlPage is a page of the auth server for a browser.
func htmlPage(status int, title, body string) answer {
	return answer{status: status, contentType: contentHTML, header: http.Header{"Cache-Control": {"no-store"}, "X-Frame-Options": {"SAMEORIGIN"}},
		body: fmt.Appendf(nil, "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>%[1]s</title></head>\n<body>\n<h1>%[1]s</h1>\n%[2]s\n</body>\n</html>\n", html.EscapeString(title), body)}
}

// mayReturnTo tells whether the public client may send the user to an address.
func mayReturnTo(redirect string) bool {
	u, err := url.Parse(redirect)
	if err != nil || u.Fragment != "" {
		return false
	}
	if u.Scheme == PublicClientID {
		return true
	}
	return (u.Scheme == "http" || u.Scheme == "https") && slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, u.Hostname())
}

// serveLoginPage begins a login by a browser.
func (s *Server) serveLoginPage(x *exchange) answer {
	query := x.request.URL.Query()
	if query.Get("client_id") != PublicClientID {
		return htmlPage(http.StatusBadRequest, "We are sorry...", "<p>Client not found.</p>")
	}
	redirect := query.Get("redirect_uri")
	if !mayReturnTo(redirect) {
		return htmlPage(http.StatusBadRequest, "We are sorry...", "<p>Invalid parameter: redirect_uri</p>")
	}
	a := &authorization{
		redirect: redirect, state: query.Get("state"), scope: query.Get("scope"), nonce: query.Get("nonce"),
		challenge: query.Get("code_challenge"), expires: x.now.Add(5 * time.Minute),
	}
	switch method := query.Get("code_challenge_method"); {
	case query.Get("response_type") != "code":
		return a.back(url.Values{"error": {"unsupported_response_type"}})
	case a.challenge == "":
		return a.back(url.Values{"error": {"invalid_request"}, "error_description": {"Missing parameter: code_challenge_method"}})
	case method == "" || method == "plain":
		a.plain = true
	case method != "S256":
		return a.back(url.Values{"error": {"invalid_request"}, "error_description": {"Invalid parameter: code_challenge_method"}})
	}
	over := func(_ string, a *authorization) bool { return !x.now.Before(a.expires) }
	maps.DeleteFunc(s.store.mint.prompts, over)
	maps.DeleteFunc(s.store.mint.codes, over)
	prompt := uuid.NewString()
	s.store.mint.prompts[prompt] = a
	return s.loginPage(x, prompt, "")
}

func (s *Server) loginPage(x *exchange, prompt, message string) answer {
	action := s.at(s.AuthURL, x.request) + "/login-actions/authenticate?" + url.Values{"session_code": {prompt}, "client_id": {PublicClientID}}.Encode()
	if message != "" {
		message = "<p role=\"alert\">" + html.EscapeString(message) + "</p>\n"
	}
	return htmlPage(http.StatusOK, "Sign in to your account", fmt.Sprintf(`%s<form id="kc-form-login" action="%s" method="post">
<label>Username or email <input id="username" name="username" autocomplete="username" autofocus></label>
<label>Password <input id="password" name="password" type="password" autocomplete="current-password"></label>
<button type="submit" id="kc-login">Sign In</button>
</form>`, message, html.EscapeString(action)))
}

// back sends the browser to the client.
func (a *authorization) back(values url.Values) answer {
	u, err := url.Parse(a.redirect)
	if err != nil {
		return htmlPage(http.StatusBadRequest, "We are sorry...", "<p>Invalid parameter: redirect_uri</p>")
	}
	query := u.Query()
	if a.state != "" {
		query.Set("state", a.state)
	}
	for name := range values {
		query.Set(name, values.Get(name))
	}
	u.RawQuery = query.Encode()
	return answer{status: http.StatusFound, contentType: contentHTML, header: http.Header{"Location": {u.String()}, "Cache-Control": {"no-store"}}}
}

// serveLoginForm takes name and password from the login page.
func (s *Server) serveLoginForm(x *exchange) answer {
	prompt := x.request.URL.Query().Get("session_code")
	a := s.store.mint.prompts[prompt]
	if a == nil || !x.now.Before(a.expires) {
		return htmlPage(http.StatusBadRequest, "We are sorry...", "<p>Your login attempt timed out. Begin it again.</p>")
	}
	form := x.form()
	u, ok := s.store.login(form.Get("username"), form.Get("password"))
	switch {
	case !ok:
		return s.loginPage(x, prompt, "Invalid username or password.")
	case u.disabled:
		return s.loginPage(x, prompt, "Account is disabled, contact your administrator.")
	}
	delete(s.store.mint.prompts, prompt)
	a.user, a.expires = u, x.now.Add(time.Minute)
	code := uuid.NewString()
	s.store.mint.codes[code] = a
	return a.back(url.Values{"code": {code}, "session_state": {uuid.NewString()}, "iss": {s.at(s.AuthURL, x.request)}})
}

func (s *Server) grantCode(x *exchange, form url.Values, client string) answer {
	refuse := func(description string) answer {
		return keycloak(http.StatusBadRequest, "invalid_grant", description)
	}
	code := form.Get("code")
	if code == "" {
		return keycloak(http.StatusBadRequest, "invalid_request", "Missing parameter: code")
	}
	a := s.store.mint.codes[code]
	delete(s.store.mint.codes, code)
	if a == nil || client != PublicClientID || !x.now.Before(a.expires) {
		return refuse("Code not valid")
	}
	if form.Get("redirect_uri") != a.redirect {
		return refuse("Incorrect redirect_uri")
	}
	verifier := form.Get("code_verifier")
	if verifier == "" {
		return refuse("PKCE code verifier not specified")
	}
	if !a.plain {
		sum := sha256.Sum256([]byte(verifier))
		verifier = base64URL.EncodeToString(sum[:])
	}
	if subtle.ConstantTimeCompare([]byte(verifier), []byte(a.challenge)) != 1 {
		return refuse("PKCE verification failed: Code mismatch")
	}
	session := open(a.user, client, scopeOf(a.scope), s.options.refreshLife, x.now)
	session.nonce = a.nonce
	s.store.mint.grants["authorization_code"]++
	return s.tokens(x, session, true)
}
