package realms

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/compose"
	"github.com/ory/fosite/storage"
	"golang.org/x/crypto/bcrypt"
)

// newFosite rotates refresh tokens, and ends all of a login when one comes again.
func newFosite(t *testing.T) *server {
	secret, err := bcrypt.GenerateFromPassword([]byte(clientSecret), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	store := storage.NewMemoryStore()
	store.Clients[clientID] = &fosite.DefaultClient{
		ID: clientID, Secret: secret, GrantTypes: []string{"password", "refresh_token"}, Scopes: []string{"offline_access"},
	}
	store.Users[username] = storage.MemoryUserRelation{Username: username, Password: password}
	config := &fosite.Config{
		AccessTokenLifespan: lifetime, RefreshTokenLifespan: time.Hour, RefreshTokenScopes: []string{},
		GlobalSecret: []byte("a secret of the tests, 32 bytes!"), ClientSecretsHasher: &fosite.BCrypt{Config: &fosite.Config{HashCost: bcrypt.MinCost}},
	}
	provider := compose.Compose(config, store, compose.NewOAuth2HMACStrategy(config),
		compose.OAuth2ResourceOwnerPasswordCredentialsFactory, compose.OAuth2RefreshTokenGrantFactory,
		compose.OAuth2TokenRevocationFactory, compose.OAuth2TokenIntrospectionFactory)
	return &server{
		token: func(w http.ResponseWriter, req *http.Request) {
			ctx := req.Context()
			request, err := provider.NewAccessRequest(ctx, req, &fosite.DefaultSession{})
			if err != nil {
				provider.WriteAccessError(ctx, w, request, err)
				return
			}
			for _, scope := range request.GetRequestedScopes() {
				request.GrantScope(scope)
			}
			response, err := provider.NewAccessResponse(ctx, request)
			if err != nil {
				provider.WriteAccessError(ctx, w, request, err)
				return
			}
			provider.WriteAccessResponse(ctx, w, request, response)
		},
		revoke: func(w http.ResponseWriter, req *http.Request) {
			provider.WriteRevocationResponse(req.Context(), w, provider.NewRevocationRequest(req.Context(), req))
		},
		valid: func(token string) bool {
			_, _, err := provider.IntrospectToken(context.Background(), token, fosite.AccessToken, &fosite.DefaultSession{})
			return err == nil
		},
	}
}
