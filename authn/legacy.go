package authn

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/internal/answer"
	"github.com/mangadex-go/mangadex/internal/origin"
)

// sessionEndpoints is the wire of /auth/login, /auth/refresh and /auth/logout. MangaDex has
// deprecated them and may take them out of its document, so that the generated calls would vanish;
// nothing of them is used here.
type sessionEndpoints struct {
	server *origin.Server
	sender *sender
}

func (w *sessionEndpoints) client() string { return "" }

func (w *sessionEndpoints) realm() string { return "" }

func (w *sessionEndpoints) takesCodes() bool { return false }

func (w *sessionEndpoints) loginPath() string { return "/auth/login" }

func (w *sessionEndpoints) exchange(ctx context.Context, g grant) (Token, error) {
	var path string
	var body any
	switch g := g.(type) {
	case passwordGrant:
		path, body = "/auth/login", struct {
			Username string `json:"username"`
			Password string `json:"password"`
		}{g.username, g.password}
	case refreshGrant:
		path, body = "/auth/refresh", struct {
			Token string `json:"token"`
		}{g.token}
	default:
		return Token{}, fmt.Errorf("authn: the session endpoints cannot log in with a %T", g)
	}
	data, err := json.Marshal(body)
	if err != nil {
		return Token{}, err
	}
	sent := time.Now()
	got, err := w.sender.post(ctx, w.server.String()+path, "application/json", data, "")
	switch {
	case got == nil, err != nil && !got.ok():
		return Token{}, noAnswer(g.operation(), got, err)
	case !got.ok():
		return Token{}, w.failure(g, got)
	}
	t := members(members(got.body)["token"])
	return fromAnswer(g, sent, got, err, text(t["session"]), text(t["refresh"]), 0, g.secrets()...)
}

// failure takes a 401 for a refusal, unless it is the page of a proxy.
func (w *sessionEndpoints) failure(g grant, got *reply) error {
	e := byStatus(g.operation(), got, g.secrets()...)
	switch {
	case answer.Is(got.status, answer.ErrUnauthorized) && (len(got.body) == 0 || got.isObject()):
		e.reasons = []error{g.refused()}
	case answer.MayWantCaptcha(got.status):
		if key := answer.SiteKey(got.header); key != "" {
			e.Err = &api.CaptchaError{SiteKey: key}
		}
	}
	return e
}

// end needs a session token, and gets one if there is only a refresh token.
func (w *sessionEndpoints) end(ctx context.Context, t Token) error {
	if t.AccessToken == "" || !time.Now().Before(t.Expiry) {
		if t.RefreshToken == "" {
			return nil
		}
		var err error
		if t, err = w.exchange(ctx, refreshGrant{t.RefreshToken}); err != nil {
			return ignoreRefusal(err)
		}
	}
	got, err := w.sender.post(ctx, w.server.String()+"/auth/logout", "", nil, "Bearer "+t.AccessToken)
	switch {
	case err != nil:
		return noAnswer("logout", got, err)
	case got.ok(), answer.Is(got.status, answer.ErrUnauthorized):
		return nil
	}
	return byStatus("logout", got)
}
