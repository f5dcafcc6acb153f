package realms

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4"
	"github.com/go-oauth2/oauth2/v4/errors"
	"github.com/go-oauth2/oauth2/v4/manage"
	"github.com/go-oauth2/oauth2/v4/models"
	oauth2server "github.com/go-oauth2/oauth2/v4/server"
	"github.com/go-oauth2/oauth2/v4/store"
)

// newGoOAuth2 rotates refresh tokens, and knows neither revocation nor the end of a session.
func newGoOAuth2(t *testing.T) *server {
	manager := manage.NewDefaultManager()
	manager.MustTokenStorage(store.NewMemoryTokenStore())
	clients := store.NewClientStore()
	if err := clients.Set(clientID, &models.Client{ID: clientID, Secret: clientSecret}); err != nil {
		t.Fatal(err)
	}
	manager.MapClientStorage(clients)
	manager.SetPasswordTokenCfg(&manage.Config{AccessTokenExp: lifetime, RefreshTokenExp: time.Hour, IsGenerateRefresh: true})
	manager.SetRefreshTokenCfg(&manage.RefreshingConfig{
		AccessTokenExp: lifetime, RefreshTokenExp: time.Hour, IsGenerateRefresh: true, IsRemoveAccess: true, IsRemoveRefreshing: true,
	})
	s := oauth2server.NewDefaultServer(manager)
	s.SetAllowedGrantType(oauth2.PasswordCredentials, oauth2.Refreshing)
	s.SetClientInfoHandler(oauth2server.ClientFormHandler)
	s.SetPasswordAuthorizationHandler(func(_ context.Context, client, user, pass string) (string, error) {
		if client != clientID || user != username || pass != password {
			return "", errors.ErrInvalidGrant
		}
		return user, nil
	})
	return &server{
		token: func(w http.ResponseWriter, req *http.Request) { _ = s.HandleTokenRequest(w, req) },
		valid: func(token string) bool {
			_, err := manager.LoadAccessToken(context.Background(), token)
			return err == nil
		},
	}
}
