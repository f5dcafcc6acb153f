package authn

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"

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
	config oauth2.Config
	revoke string
	logout string
	sender *sender
}

// newPersonalClient finds the endpoints.
func newPersonalClient(s *settings, server *origin.Server, sender *sender) (*personalClient, error) {
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
		endpoints = u.String() + realmEndpoints
	}
	token := endpoints + "token"
	if s.tokenURL != "" {
		u, err := parseServer("token endpoint", s.tokenURL, realms[api.Production]+realmEndpoints+"token")
		if err != nil {
			return nil, err
		}
		token = u.String()
		if s.authServer == "" {
			endpoints = token[:strings.LastIndexByte(token, '/')+1]
		}
	}
	if endpoints == "" {
		return nil, fmt.Errorf("authn: WithAPIServer(%q) with a personal client needs WithAuthServer: the address of the realm that belongs to the server", server)
	}
	return &personalClient{
		config: oauth2.Config{
			ClientID:     s.clientID,
			ClientSecret: s.clientSecret,
			Endpoint:     oauth2.Endpoint{TokenURL: token, AuthStyle: oauth2.AuthStyleInParams},
		},
		revoke: endpoints + "revoke",
		logout: endpoints + "logout",
		sender: sender,
	}, nil
}

func (p *personalClient) client() string { return p.config.ClientID }

func (p *personalClient) loginPath() string {
	u, err := url.Parse(p.config.Endpoint.TokenURL)
	if err != nil {
		return p.config.Endpoint.TokenURL
	}
	return u.Path
}

func (p *personalClient) exchange(ctx context.Context, g grant) (Token, error) {
	r := &recorder{sender: p.sender}
	ctx = context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Transport: r, CheckRedirect: p.sender.client.CheckRedirect})
	sent := time.Now()
	var t *oauth2.Token
	var err error
	switch g := g.(type) {
	case passwordGrant:
		t, err = p.config.PasswordCredentialsToken(ctx, g.username, g.password)
	case refreshGrant:
		t, err = p.config.TokenSource(ctx, &oauth2.Token{RefreshToken: g.token}).Token()
	default:
		return Token{}, fmt.Errorf("authn: a personal client cannot log in with a %T", g)
	}
	if err != nil {
		return Token{}, p.failure(g, r, err)
	}
	if !validHeader(t.AccessToken) {
		return Token{}, byStatus(g.operation(), r.got)
	}
	return Token{AccessToken: t.AccessToken, RefreshToken: t.RefreshToken, Expiry: expiry(sent, t.ExpiresIn, t.AccessToken, r.got.header)}, nil
}

// failure tells by the error of OAuth2 what went wrong, and by the status only where there is none.
func (p *personalClient) failure(g grant, r *recorder, err error) error {
	if r.err != nil {
		err = r.err
	}
	if r.err != nil || r.got == nil {
		return noAnswer(g.operation(), r.got, unwrapURL(err))
	}
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) || refused.ErrorCode == "" {
		return byStatus(g.operation(), r.got, g.secret(), p.config.ClientSecret)
	}
	return p.refusal(g.operation(), r.got, refused.ErrorCode, refused.ErrorDescription, g.refused(), g.secret())
}

// refusal is the error for an error of OAuth2.
func (p *personalClient) refusal(operation string, got *reply, code, description string, refused error, secret string) *TokenError {
	e := &TokenError{
		Operation:   operation,
		StatusCode:  got.status,
		RetryAfter:  retryAfter(got),
		Code:        cut(answer.Scrub(code, secret, p.config.ClientSecret), 60),
		Description: cut(answer.Scrub(description, secret, p.config.ClientSecret), 200),
	}
	switch code {
	case "invalid_grant":
		e.reasons = []error{refused}
	case "invalid_client", "unauthorized_client":
		e.reasons = []error{ErrClientRefused}
	case "invalid_request", "invalid_scope", "unsupported_grant_type", "access_denied":
	case "server_error", "temporarily_unavailable":
		e.Retryable = true
		e.reasons = []error{ErrUnavailable}
	default:
		if got.status >= 500 || got.status == http.StatusTooManyRequests {
			e.Retryable = true
			e.reasons = []error{ErrUnavailable}
		}
	}
	return e
}

// end ends the session of the realm and then revokes the refresh token. In the other order the
// realm would not know the token any more by which it finds the session.
func (p *personalClient) end(ctx context.Context, t Token) error {
	switch {
	case t.RefreshToken != "":
		return both(
			p.post(ctx, "logout", p.logout, url.Values{"refresh_token": {t.RefreshToken}}, t.RefreshToken),
			p.post(ctx, "revoke", p.revoke, url.Values{"token": {t.RefreshToken}, "token_type_hint": {"refresh_token"}}, t.RefreshToken),
		)
	case t.AccessToken != "":
		return p.post(ctx, "revoke", p.revoke, url.Values{"token": {t.AccessToken}, "token_type_hint": {"access_token"}}, t.AccessToken)
	}
	return nil
}

// post sends a form whose answer says nothing but that it went well.
func (p *personalClient) post(ctx context.Context, operation, endpoint string, form url.Values, secret string) error {
	form.Set("client_id", p.config.ClientID)
	form.Set("client_secret", p.config.ClientSecret)
	got, err := p.sender.post(ctx, endpoint, "application/x-www-form-urlencoded", []byte(form.Encode()), "")
	if err != nil {
		return noAnswer(operation, got, unwrapURL(err))
	}
	if got.ok() {
		return nil
	}
	var body struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if json.Unmarshal(got.body, &body) != nil || body.Error == "" {
		return byStatus(operation, got, secret, p.config.ClientSecret)
	}
	if body.Error == "invalid_grant" || body.Error == "invalid_token" {
		return nil // it has ended already
	}
	return p.refusal(operation, got, body.Error, body.Description, ErrRefreshTokenRefused, secret)
}

// A recorder is the transport under package oauth2, whose errors leave out what we need to know.
type recorder struct {
	sender *sender
	got    *reply
	err    error
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	r.got, r.err = r.sender.do(req.Clone(req.Context()))
	if r.err != nil {
		return nil, r.err
	}
	if !r.got.isObject() {
		return nil, ErrNotJSON // package oauth2 would read it as a form
	}
	return &http.Response{
		Status:        http.StatusText(r.got.status),
		StatusCode:    r.got.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        http.Header{"Content-Type": {"application/json"}},
		Body:          io.NopCloser(bytes.NewReader(r.got.body)),
		ContentLength: int64(len(r.got.body)),
		Request:       req,
	}, nil
}

// unwrapURL takes the method and the address off an error of net/http, which a TokenError names
// in its own way.
func unwrapURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
