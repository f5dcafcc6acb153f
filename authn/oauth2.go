package authn

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/internal/answer"
	"github.com/mangadex-go/mangadex/internal/origin"
)

// realms by API server. Others have to be named, so that the credentials of a test do not go to
// MangaDex.
var realms = map[string]string{
	api.Production:  "https://auth.mangadex.org/realms/mangadex",
	api.Development: "https://auth.mangadex.dev/realms/mangadex",
}

// realmEndpoints is where a realm of Keycloak has its endpoints, next to each other.
const realmEndpoints = "/protocol/openid-connect/"

// personalClient is the wire of OAuth2.
type personalClient struct {
	id, secret string
	scopes     string
	base       string // of the realm, or the token endpoint where there is no realm
	token      string
	revoke     string
	logout     string
	sender     *sender
}

// newPersonalClient finds the endpoints.
func newPersonalClient(s *settings, server *origin.Server, sender *sender) (*personalClient, error) {
	p := &personalClient{id: s.clientID, secret: s.clientSecret, scopes: strings.Join(s.scopes, " "), sender: sender}
	realm := s.authServer
	if realm == "" {
		realm = realms[server.String()]
	}
	endpoints := ""
	if realm != "" {
		u, err := parseServer("auth server", realm, realms[api.Production])
		if err != nil {
			return nil, err
		}
		p.base = u.String()
		endpoints = p.base + realmEndpoints
	}
	p.token = endpoints + "token"
	if s.tokenURL != "" {
		u, err := parseServer("token endpoint", s.tokenURL, realms[api.Production]+realmEndpoints+"token")
		if err != nil {
			return nil, err
		}
		p.token = u.String()
		if s.authServer == "" {
			p.base = p.token
			endpoints = p.token[:strings.LastIndexByte(p.token, '/')+1]
		}
	}
	if endpoints == "" {
		return nil, fmt.Errorf("authn: WithAPIServer(%q) with a personal client needs WithAuthServer: the address of the realm that belongs to the server", server)
	}
	p.revoke, p.logout = endpoints+"revoke", endpoints+"logout"
	return p, nil
}

func (p *personalClient) client() string   { return p.id }
func (p *personalClient) realm() string    { return p.base }
func (p *personalClient) takesCodes() bool { return true }

func (p *personalClient) loginPath() string {
	u, err := url.Parse(p.token)
	if err != nil {
		return p.token
	}
	return u.Path
}

func (p *personalClient) exchange(ctx context.Context, g grant) (Token, error) {
	form := url.Values{}
	switch g := g.(type) {
	case passwordGrant:
		form.Set("grant_type", "password")
		form.Set("username", g.username)
		form.Set("password", g.password)
		if g.code != "" {
			form.Set("totp", g.code)
		}
		if p.scopes != "" {
			form.Set("scope", p.scopes)
		}
	case refreshGrant:
		form.Set("grant_type", "refresh_token")
		form.Set("refresh_token", g.token)
	default:
		return Token{}, fmt.Errorf("authn: a personal client cannot log in with a %T", g)
	}
	sent := time.Now()
	got, err := p.post(ctx, p.token, form)
	if got == nil {
		return Token{}, noAnswer(g.operation(), nil, err)
	}
	body := members(got.body)
	if code := text(body["error"]); code != "" && err == nil {
		return Token{}, p.refusal(g.operation(), got, code, text(body["error_description"]), g.refused(), g.secrets()...)
	}
	if !got.ok() {
		if err != nil {
			return Token{}, noAnswer(g.operation(), got, err)
		}
		return Token{}, byStatus(g.operation(), got, append(g.secrets(), p.secret)...)
	}
	lifetime, _ := seconds(body["expires_in"])
	t, err := fromAnswer(g, sent, got, err, text(body["access_token"]), text(body["refresh_token"]), lifetime, append(g.secrets(), p.secret)...)
	if left, ok := seconds(body["refresh_expires_in"]); ok && left > 0 && t.RefreshToken != "" { // zero: it has no end
		t.RefreshExpiry = sent.Round(0).Add(left)
	}
	return t, err
}

// refusal is the error for an error of OAuth2.
func (p *personalClient) refusal(operation string, got *reply, code, description string, refused error, secrets ...string) *TokenError {
	secrets = append(secrets, p.secret)
	e := &TokenError{
		Operation:   operation,
		StatusCode:  got.status,
		RetryAfter:  retryAfter(got),
		Code:        shown(code, 60, secrets...),
		Description: shown(description, 200, secrets...),
	}
	switch code {
	case "invalid_grant":
		e.reasons = []error{refused}
		if refused == ErrWrongPassword && isAboutAccount(description) {
			e.reasons = []error{ErrAccount}
		}
	case "invalid_client", "unauthorized_client":
		e.reasons = []error{ErrClientRefused}
	case "invalid_request", "invalid_scope", "unsupported_grant_type", "access_denied":
	case "server_error", "temporarily_unavailable":
		e.Retryable = true
		e.reasons = []error{ErrUnavailable}
	default:
		if answer.Is(got.status, answer.ErrServer) || answer.Is(got.status, answer.ErrRateLimited) {
			e.Retryable = true
			e.reasons = []error{ErrUnavailable}
		}
	}
	return e
}

// isAboutAccount tells from the words of Keycloak, which has no code for it, that the password is
// right and the account cannot be used.
func isAboutAccount(description string) bool {
	description = strings.ToLower(description)
	return strings.Contains(description, "account disabled") || strings.Contains(description, "not fully set up")
}

// end ends the session of the realm and then revokes the refresh token. In the other order the
// realm would not know the token any more by which it finds the session. One of the two will do.
func (p *personalClient) end(ctx context.Context, t Token) error {
	switch {
	case t.RefreshToken != "":
		logoutErr := p.tell(ctx, "logout", p.logout, url.Values{"refresh_token": {t.RefreshToken}}, t.RefreshToken)
		revokeErr := p.tell(ctx, "revoke", p.revoke, url.Values{"token": {t.RefreshToken}, "token_type_hint": {"refresh_token"}}, t.RefreshToken)
		if logoutErr == nil || revokeErr == nil {
			return nil
		}
		return both(logoutErr, revokeErr)
	case t.AccessToken != "":
		return p.tell(ctx, "revoke", p.revoke, url.Values{"token": {t.AccessToken}, "token_type_hint": {"access_token"}}, t.AccessToken)
	}
	return nil
}

// tell sends a form whose answer says nothing but that it went well.
func (p *personalClient) tell(ctx context.Context, operation, endpoint string, form url.Values, secret string) error {
	got, err := p.post(ctx, endpoint, form)
	if err != nil {
		return noAnswer(operation, got, err)
	}
	if got.ok() {
		return nil
	}
	body := members(got.body)
	switch code := text(body["error"]); code {
	case "":
		return byStatus(operation, got, secret, p.secret)
	case "invalid_grant", "invalid_token":
		return nil // it has ended already
	default:
		return p.refusal(operation, got, code, text(body["error_description"]), ErrRefreshTokenRefused, secret)
	}
}

// post sends a form with the id and the secret of the client.
func (p *personalClient) post(ctx context.Context, endpoint string, form url.Values) (*reply, error) {
	form.Set("client_id", p.id)
	form.Set("client_secret", p.secret)
	return p.sender.post(ctx, endpoint, "application/x-www-form-urlencoded", []byte(form.Encode()), "")
}
