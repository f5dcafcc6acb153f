package apitest_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mangadex-go/mangadex/api/apitest"
)

// post sends a form to the realm and returns status, decoded body and header.
func post(t testing.TB, client *http.Client, target string, form url.Values, header ...string) (int, map[string]any, http.Header) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, target, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, text := send(t, client, r)
	var body map[string]any
	if len(text) > 0 && strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal([]byte(text), &body); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
	}
	return resp.StatusCode, body, resp.Header
}

// realm is a client of the auth server of srv.
type realm struct {
	t      testing.TB
	srv    *apitest.Server
	client *http.Client
}

func newRealm(t testing.TB, srv *apitest.Server) realm {
	return realm{t, srv, &http.Client{Transport: srv.Transport(), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

func (r realm) token(fields ...string) (int, map[string]any) {
	r.t.Helper()
	form := url.Values{"client_id": {r.srv.Account.ClientID}, "client_secret": {r.srv.Account.ClientSecret}}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	status, body, _ := post(r.t, r.client, r.srv.AuthURL+"/protocol/openid-connect/token", form)
	return status, body
}

func (r realm) password(more ...string) map[string]any {
	r.t.Helper()
	status, body := r.token(append([]string{"grant_type", "password", "username", r.srv.Account.Username, "password", r.srv.Account.Password}, more...)...)
	if status != http.StatusOK {
		r.t.Fatalf("the password grant answered %d %v", status, body)
	}
	return body
}

func (r realm) refresh(token any) (int, map[string]any) {
	r.t.Helper()
	return r.token("grant_type", "refresh_token", "refresh_token", token.(string))
}

// me asks the API who a token belongs to.
func (r realm) me(token any) int {
	r.t.Helper()
	req, _ := http.NewRequest(http.MethodGet, r.srv.URL+"/user/me", nil)
	req.Header.Set("Authorization", "Bearer "+token.(string))
	resp, err := r.client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// A clock stands still until it is moved.
type clock struct{ now time.Time }

func newClock() *clock                   { return &clock{time.Date(2031, 5, 4, 12, 0, 0, 0, time.UTC)} }
func (c *clock) time() time.Time         { return c.now }
func (c *clock) advance(d time.Duration) { c.now = c.now.Add(d) }

func TestPasswordGrant(t *testing.T) {
	t.Parallel()
	r := newRealm(t, apitest.Start(t, apitest.WithoutNetwork()))
	body := r.password()
	for name, want := range map[string]any{
		"expires_in": 900.0, "refresh_expires_in": 2592000.0, "token_type": "Bearer", "scope": "groups email profile", "client_type": "personal", "not-before-policy": 0.0,
	} {
		if body[name] != want {
			t.Errorf("%s is %v, want %v", name, body[name], want)
		}
	}
	if status := r.me(body["access_token"]); status != http.StatusOK {
		t.Errorf("the access token gets %d", status)
	}
	if status := r.me(body["refresh_token"]); status != http.StatusUnauthorized {
		t.Errorf("the refresh token in place of the access token gets %d", status)
	}
}

func TestAccessTokensAreSignedByThePublishedKey(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithoutNetwork())
	r := newRealm(t, srv)
	token := r.password()["access_token"].(string)

	var discovery struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
	}
	r.get(srv.AuthURL+"/.well-known/openid-configuration", &discovery)
	var keys struct {
		Keys []struct{ X, Y, Kid string }
	}
	r.get(discovery.Keys, &keys)
	coordinate := func(text string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, coordinate(keys.Keys[0].X), coordinate(keys.Keys[0].Y)))
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(token, ".")
	signature, _ := base64.RawURLEncoding.DecodeString(parts[2])
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if !ecdsa.Verify(key, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
		t.Error("the signature does not verify")
	}
	var claims struct {
		Iss, Sub, Typ, Azp string
		Exp, Iat           int64
	}
	payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	if claims.Iss != discovery.Issuer || claims.Sub != srv.Account.ID.String() || claims.Typ != "Bearer" || claims.Azp != srv.Account.ClientID || claims.Exp-claims.Iat != 900 {
		t.Errorf("the claims are %+v", claims)
	}
}

func (r realm) get(target string, into any) {
	r.t.Helper()
	resp, err := r.client.Get(target)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil || resp.StatusCode != http.StatusOK {
		r.t.Fatalf("%s answered %d, %v", target, resp.StatusCode, err)
	}
}

func TestTokenErrors(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithoutNetwork(), apitest.WithAccount(apitest.Account{Username: "closed", Disabled: true}), apitest.WithAccount(apitest.Account{Username: "other"}))
	r := newRealm(t, srv)
	account := srv.Account
	closed, _ := srv.State().Account("closed")
	other, _ := srv.State().Account("other")
	tests := []struct {
		name   string
		fields []string
		status int
		code   string
	}{
		{"no grant", nil, 400, "invalid_request"},
		{"unknown grant", []string{"grant_type", "magic"}, 400, "unsupported_grant_type"},
		{"client credentials", []string{"grant_type", "client_credentials"}, 401, "unauthorized_client"},
		{"wrong password", []string{"grant_type", "password", "username", account.Username, "password", "wrong"}, 401, "invalid_grant"},
		{"unknown user", []string{"grant_type", "password", "username", "nobody", "password", "wrong"}, 401, "invalid_grant"},
		{"no user", []string{"grant_type", "password", "password", "wrong"}, 400, "invalid_request"},
		{"user of another client", []string{"grant_type", "password", "username", other.Username, "password", other.Password}, 401, "invalid_grant"},
		{"disabled account", []string{"grant_type", "password", "username", closed.Username, "password", closed.Password, "client_id", closed.ClientID, "client_secret", closed.ClientSecret}, 400, "invalid_grant"},
		{"wrong secret", []string{"grant_type", "password", "client_secret", "wrong"}, 401, "unauthorized_client"},
		{"unknown client", []string{"grant_type", "password", "client_id", "nobody"}, 401, "invalid_client"},
		{"no refresh token", []string{"grant_type", "refresh_token"}, 400, "invalid_request"},
		{"wrong refresh token", []string{"grant_type", "refresh_token", "refresh_token", "wrong"}, 400, "invalid_grant"},
		{"no code", []string{"grant_type", "authorization_code"}, 400, "invalid_request"},
		{"wrong code", []string{"grant_type", "authorization_code", "code", "wrong"}, 400, "invalid_grant"},
	}
	for _, test := range tests {
		status, body := r.token(test.fields...)
		if status != test.status || body["error"] != test.code {
			t.Errorf("%s: %d %v, want %d %s", test.name, status, body, test.status, test.code)
		}
	}
	if status, body, _ := post(t, r.client, srv.AuthURL+"/protocol/openid-connect/token", nil, "Content-Type", "application/json"); status != 400 || body["error"] != "invalid_request" {
		t.Errorf("JSON: %d %v", status, body)
	}
	if status, _, _ := post(t, r.client, srv.AuthURL+"/nothing", nil); status != 404 {
		t.Errorf("an unknown path: %d", status)
	}
	if status, _, _ := post(t, r.client, srv.AuthURL+"/.well-known/openid-configuration", nil); status != 405 {
		t.Errorf("a wrong method: %d", status)
	}
	if n := srv.Tokens().Grants("password"); n != 0 {
		t.Errorf("%d grants", n)
	}
}

func TestTokensExpire(t *testing.T) {
	t.Parallel()
	clock := newClock()
	srv := apitest.Start(t, apitest.WithoutNetwork(), apitest.WithClock(clock.time), apitest.WithTokenLife(time.Minute, time.Hour), apitest.WithExpirySkew(30*time.Second))
	r := newRealm(t, srv)
	body := r.password()
	if body["expires_in"] != 90.0 {
		t.Errorf("expires_in is %v, want 90 with the skew", body["expires_in"])
	}
	clock.advance(59 * time.Second)
	if status := r.me(body["access_token"]); status != http.StatusOK {
		t.Errorf("%d before the end", status)
	}
	clock.advance(time.Second)
	if status := r.me(body["access_token"]); status != http.StatusUnauthorized {
		t.Errorf("%d after the end", status)
	}
	status, again := r.refresh(body["refresh_token"])
	if status != http.StatusOK || again["refresh_expires_in"] != 3540.0 {
		t.Errorf("refresh: %d, refresh_expires_in %v, want 3540: it counts from the login", status, again["refresh_expires_in"])
	}
	clock.advance(time.Hour)
	for _, token := range []any{body["refresh_token"], again["refresh_token"]} {
		if status, body := r.refresh(token); status != http.StatusBadRequest || body["error"] != "invalid_grant" {
			t.Errorf("refresh after the end of the login: %d %v", status, body)
		}
	}
}

func TestRefreshModes(t *testing.T) {
	t.Parallel()
	t.Run("renew", func(t *testing.T) {
		r := newRealm(t, apitest.Start(t, apitest.WithoutNetwork()))
		first := r.password()["refresh_token"]
		for range 2 {
			if status, body := r.refresh(first); status != 200 || body["refresh_token"] == first || body["refresh_token"] == nil {
				t.Errorf("%d, the same token or none", status)
			}
		}
		if n := r.srv.Tokens().Grants("refresh_token"); n != 2 {
			t.Errorf("%d grants, want 2", n)
		}
	})
	t.Run("keep", func(t *testing.T) {
		r := newRealm(t, apitest.Start(t, apitest.WithoutNetwork(), apitest.WithRefresh(apitest.RefreshKeep)))
		first := r.password()["refresh_token"]
		for range 2 {
			if status, body := r.refresh(first); status != 200 || body["refresh_token"] != nil {
				t.Errorf("%d with a new refresh token, or not 200", status)
			}
		}
	})
	t.Run("rotate", func(t *testing.T) {
		r := newRealm(t, apitest.Start(t, apitest.WithoutNetwork(), apitest.WithRefresh(apitest.RefreshRotate)))
		first := r.password()["refresh_token"]
		status, second := r.refresh(first)
		if status != 200 {
			t.Fatal(status)
		}
		if status, body := r.refresh(first); status != 400 || body["error"] != "invalid_grant" {
			t.Errorf("reuse: %d %v", status, body)
		}
		if status, _ := r.refresh(second["refresh_token"]); status != 400 {
			t.Errorf("the login goes on after a reuse: %d", status)
		}
		if status := r.me(second["access_token"]); status != 401 {
			t.Errorf("the access token holds after a reuse: %d", status)
		}
	})
}

func TestLogoutAndRevoke(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithoutNetwork())
	r := newRealm(t, srv)
	credentials := url.Values{"client_id": {srv.Account.ClientID}, "client_secret": {srv.Account.ClientSecret}}
	with := func(name string, value any) url.Values {
		form := url.Values{name: {value.(string)}}
		for name := range credentials {
			form.Set(name, credentials.Get(name))
		}
		return form
	}
	logout, revoke := srv.AuthURL+"/protocol/openid-connect/logout", srv.AuthURL+"/protocol/openid-connect/revoke"

	body := r.password()
	if status, _, _ := post(t, r.client, logout, with("refresh_token", body["refresh_token"])); status != http.StatusNoContent {
		t.Errorf("logout: %d", status)
	}
	if status := r.me(body["access_token"]); status != http.StatusUnauthorized {
		t.Errorf("after the logout: %d", status)
	}
	if status, _, _ := post(t, r.client, logout, with("refresh_token", "unknown")); status != http.StatusBadRequest {
		t.Errorf("logout with an unknown token: %d", status)
	}

	body = r.password()
	if status, _, _ := post(t, r.client, revoke, with("token", body["access_token"])); status != http.StatusOK {
		t.Errorf("revoke: %d", status)
	}
	if status := r.me(body["access_token"]); status != http.StatusUnauthorized {
		t.Errorf("after revoking: %d", status)
	}
	status, again := r.refresh(body["refresh_token"])
	if status != http.StatusOK {
		t.Errorf("revoking an access token ended the login: %d", status)
	}
	if status, _, _ := post(t, r.client, revoke, with("token", body["refresh_token"])); status != http.StatusOK {
		t.Errorf("revoke: %d", status)
	}
	if status := r.me(again["access_token"]); status != http.StatusUnauthorized {
		t.Errorf("after revoking the refresh token: %d", status)
	}
	if status, _, _ := post(t, r.client, revoke, with("token", "unknown")); status != http.StatusOK {
		t.Errorf("revoking an unknown token: %d", status)
	}
	if status, _, _ := post(t, r.client, revoke, url.Values{"token": {"x"}}); status != http.StatusUnauthorized {
		t.Errorf("revoking without a client: %d", status)
	}
}

func TestUserInfo(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithoutNetwork())
	r := newRealm(t, srv)
	target := srv.AuthURL + "/protocol/openid-connect/userinfo"
	if status, _, _ := post(t, r.client, target, nil, "Authorization", "Bearer "+r.password()["access_token"].(string)); status != http.StatusForbidden {
		t.Errorf("without the scope openid: %d", status)
	}
	body := r.password("scope", "openid")
	if body["id_token"] == nil {
		t.Error("there is no id_token with the scope openid")
	}
	status, info, _ := post(t, r.client, target, nil, "Authorization", "Bearer "+body["access_token"].(string))
	if status != http.StatusOK || info["preferred_username"] != srv.Account.Username || info["sub"] != srv.Account.ID.String() {
		t.Errorf("%d %v", status, info)
	}
	status, _, header := post(t, r.client, target, nil, "Authorization", "Bearer wrong")
	if status != http.StatusUnauthorized || !strings.Contains(header.Get("WWW-Authenticate"), "invalid_token") {
		t.Errorf("a wrong token: %d %q", status, header.Get("WWW-Authenticate"))
	}
}

func TestLoginByBrowser(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithoutNetwork())
	r := newRealm(t, srv)
	const redirect = "http://127.0.0.1:9/callback"
	verifier := strings.Repeat("verifier", 8)
	sum := sha256.Sum256([]byte(verifier))
	question := url.Values{
		"client_id": {apitest.PublicClientID}, "redirect_uri": {redirect}, "response_type": {"code"}, "state": {"s t"}, "scope": {"openid"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	open := func(change ...string) (*http.Response, string) {
		t.Helper()
		values := url.Values{}
		for name := range question {
			values.Set(name, question.Get(name))
		}
		for i := 0; i+1 < len(change); i += 2 {
			values.Set(change[i], change[i+1])
		}
		resp, err := r.client.Get(srv.AuthURL + "/protocol/openid-connect/auth?" + values.Encode())
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		return resp, string(text)
	}
	code := func() string {
		t.Helper()
		resp, text := open()
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("the login page: %d %s", resp.StatusCode, text)
		}
		action := strings.ReplaceAll(regexp.MustCompile(`action="([^"]+)"`).FindStringSubmatch(text)[1], "&amp;", "&")
		if status, _, _ := post(t, r.client, action, url.Values{"username": {srv.Account.Username}, "password": {"wrong"}}); status != http.StatusOK {
			t.Errorf("a wrong password: %d, want the page again", status)
		}
		status, _, header := post(t, r.client, action, url.Values{"username": {srv.Account.Email}, "password": {srv.Account.Password}})
		back, err := url.Parse(header.Get("Location"))
		if err != nil || status != http.StatusFound || !strings.HasPrefix(header.Get("Location"), redirect+"?") || back.Query().Get("state") != "s t" {
			t.Fatalf("the form: %d to %q", status, header.Get("Location"))
		}
		if status, _, _ := post(t, r.client, action, url.Values{"username": {srv.Account.Email}, "password": {srv.Account.Password}}); status != http.StatusBadRequest {
			t.Errorf("the form again: %d", status)
		}
		return back.Query().Get("code")
	}
	exchange := func(code string, change ...string) (int, map[string]any) {
		t.Helper()
		form := url.Values{"grant_type": {"authorization_code"}, "client_id": {apitest.PublicClientID}, "code": {code}, "redirect_uri": {redirect}, "code_verifier": {verifier}}
		for i := 0; i+1 < len(change); i += 2 {
			form.Set(change[i], change[i+1])
		}
		status, body, _ := post(t, r.client, srv.AuthURL+"/protocol/openid-connect/token", form)
		return status, body
	}

	once := code()
	status, body := exchange(once)
	if status != http.StatusOK || body["id_token"] == nil || r.me(body["access_token"]) != http.StatusOK {
		t.Fatalf("the code: %d %v", status, body["error"])
	}
	if status, body := exchange(once); status != http.StatusBadRequest || body["error"] != "invalid_grant" {
		t.Errorf("the code again: %d %v", status, body)
	}
	for _, change := range [][]string{{"code_verifier", "wrong"}, {"code_verifier", ""}, {"redirect_uri", "http://127.0.0.1:9/other"}} {
		if status, body := exchange(code(), change...); status != http.StatusBadRequest || body["error"] != "invalid_grant" {
			t.Errorf("%s %q: %d %v", change[0], change[1], status, body)
		}
	}
	form := url.Values{"grant_type": {"refresh_token"}, "client_id": {apitest.PublicClientID}, "refresh_token": {body["refresh_token"].(string)}}
	if status, _, _ := post(t, r.client, srv.AuthURL+"/protocol/openid-connect/token", form); status != http.StatusOK {
		t.Errorf("refresh of the public client: %d", status)
	}

	for _, change := range [][]string{{"client_id", "nobody"}, {"redirect_uri", "https://elsewhere.example/callback"}} {
		if resp, _ := open(change...); resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%s %q: %d", change[0], change[1], resp.StatusCode)
		}
	}
	for _, change := range [][]string{{"response_type", "token"}, {"code_challenge", ""}, {"code_challenge_method", "S512"}} {
		if resp, _ := open(change...); resp.StatusCode != http.StatusFound || !strings.Contains(resp.Header.Get("Location"), "error=") {
			t.Errorf("%s %q: %d to %q", change[0], change[1], resp.StatusCode, resp.Header.Get("Location"))
		}
	}
}
