package apitest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
)

func TestLegacySessions(t *testing.T) {
	t.Parallel()
	needs(t, "LegacyLogin", "LegacyRefresh", "LegacyLogout")
	clock := newClock()
	srv := apitest.Start(t, apitest.WithoutNetwork(), apitest.WithClock(clock.time))
	session := func(path, body string) (status int, token, refresh string) {
		status, text := do(t, srv, "POST", path, body, "Content-Type", "application/json")
		var answer struct {
			Token struct{ Session, Refresh string }
		}
		if err := json.Unmarshal([]byte(text), &answer); status == 200 && err != nil {
			t.Fatal(err)
		}
		return status, answer.Token.Session, answer.Token.Refresh
	}
	who := func(token string) (int, string) {
		return do(t, srv, "GET", "/auth/check", "", "Authorization", "Bearer "+token)
	}
	status, token, refresh := session("/auth/login", fmt.Sprintf(`{"email":%q,"password":%q}`, srv.Account.Email, srv.Account.Password))
	if status != 200 {
		t.Fatalf("login: %d", status)
	}
	if status, text := who(token); status != 200 || !strings.Contains(text, `"isAuthenticated":true`) || !strings.Contains(text, `"ROLE_MEMBER"`) || !strings.Contains(text, `"manga.list"`) {
		t.Errorf("%d %s", status, text)
	}
	if status, text := do(t, srv, "GET", "/auth/check", ""); status != 200 || !strings.Contains(text, `"isAuthenticated":false`) {
		t.Errorf("a guest: %d %s", status, text)
	}
	clock.advance(15 * time.Minute)
	if status, _ := who(token); status != 401 {
		t.Errorf("after a quarter of an hour: %d", status)
	}
	again := func() (int, string, string) { return session("/auth/refresh", fmt.Sprintf(`{"token":%q}`, refresh)) }
	if status, token, refresh = again(); status != 200 {
		t.Fatalf("refresh: %d", status)
	}
	if status, _ := who(token); status != 200 {
		t.Errorf("the new session: %d", status)
	}
	if status, _ := do(t, srv, "POST", "/auth/logout", "", "Authorization", "Bearer "+token); status != 200 {
		t.Errorf("logout: %d", status)
	}
	if status, _ := who(token); status != 401 {
		t.Errorf("after the logout: %d", status)
	}
	if status, _, _ := again(); status != 401 {
		t.Errorf("refresh after the logout: %d", status)
	}
	if n := srv.Tokens().Grants("legacy_login") + srv.Tokens().Grants("legacy_refresh"); n != 2 {
		t.Errorf("%d grants", n)
	}
}

func TestExpiredTokenIsChallenged(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithoutNetwork())
	_, token := login(t, srv, srv.Account.Username)
	srv.Tokens().ExpireAccess()
	r, _ := http.NewRequest("GET", srv.URL+"/user/me", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	resp, _ := send(t, judged(t, srv), r)
	if challenge := resp.Header.Get("WWW-Authenticate"); resp.StatusCode != 401 || !strings.Contains(challenge, "expired") {
		t.Errorf("%d %q", resp.StatusCode, challenge)
	}
}

// An apiClient is the answer about one.
type apiClient struct {
	Data struct {
		ID         uuid.UUID
		Attributes struct {
			Name, State                   string
			Description, ExternalClientID *string
			Version                       int
		}
	}
}

// approvedClient is the id of a new client that may be used; none, if the document has no such thing.
func approvedClient(t testing.TB, srv *apitest.Server, token string) string {
	t.Helper()
	if !has(t, "CreateAPIClient") {
		return ""
	}
	made := mustDo[apiClient](t, srv, token, "POST", "/client", `{"name":"Program","profile":"personal"}`).Data.ID
	if err := srv.State().Approve(made); err != nil {
		t.Fatal(err)
	}
	return made.String()
}

// A client that an account makes can be used when it is approved, with its newest secret.
func TestAPIClients(t *testing.T) {
	t.Parallel()
	needs(t, "CreateAPIClient", "GetAPIClient", "UpdateAPIClient", "DeleteAPIClient", "ListAPIClients", "GetAPIClientSecret", "RegenerateAPIClientSecret")
	srv := apitest.Start(t, apitest.WithoutNetwork())
	_, token := login(t, srv, srv.Account.Username)
	r := newRealm(t, srv)
	made := mustDo[apiClient](t, srv, token, "POST", "/client", `{"name":"My program","profile":"personal","description":"for a test"}`).Data
	if a := made.Attributes; a.State != "requested" || a.ExternalClientID != nil || a.Description == nil || *a.Description != "for a test" {
		t.Errorf("a new client is %+v", a)
	}
	path := "/client/" + made.ID.String()
	if status, text := do(t, srv, "GET", path+"/secret", "", "Authorization", "Bearer "+token); status != 403 {
		t.Errorf("the secret before it is approved: %d %s", status, text)
	}
	if err := srv.State().Approve(made.ID); err != nil {
		t.Fatal(err)
	}
	if err := srv.State().Approve(made.ID); err == nil {
		t.Error("it can be approved twice")
	}
	client := mustDo[apiClient](t, srv, token, "GET", path, "").Data.Attributes
	secret := mustDo[struct{ Data string }](t, srv, token, "GET", path+"/secret", "").Data
	grant := func(secret string) int {
		status, _ := r.token("grant_type", "password", "username", srv.Account.Username, "password", srv.Account.Password, "client_id", *client.ExternalClientID, "client_secret", secret)
		return status
	}
	if client.State != "approved" || grant(secret) != 200 {
		t.Errorf("approved it is %+v, and gets %d", client, grant(secret))
	}
	renewed := mustDo[struct{ Data string }](t, srv, token, "POST", path+"/secret", `{}`).Data
	if grant(secret) != 401 || grant(renewed) != 200 {
		t.Errorf("the old secret gets %d, the new one %d", grant(secret), grant(renewed))
	}
	edited := mustDo[apiClient](t, srv, token, "POST", path, fmt.Sprintf(`{"version":%d,"description":null}`, client.Version)).Data.Attributes
	if edited.Description != nil || edited.Name != "My program" {
		t.Errorf("after the edit it is %+v", edited)
	}
	if list := mustDo[struct{ Total int }](t, srv, token, "GET", "/client?name=program", ""); list.Total != 1 {
		t.Errorf("%d clients of the name", list.Total)
	}
	mustDo[struct{}](t, srv, token, "DELETE", fmt.Sprintf("%s?version=%d", path, edited.Version), "")
	if grant(renewed) != 401 {
		t.Errorf("the deleted client gets %d", grant(renewed))
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithoutNetwork())
	c, _ := login(t, srv, srv.Account.Username)
	ctx := t.Context()
	if s := must[*api.Settings](t)(c.GetSettings(ctx)); string(s.Settings) != "{}" {
		t.Errorf("the settings are %s at first", s.Settings)
	}
	at := *api.Since(time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC))
	must[*api.Settings](t)(c.UpdateSettings(ctx, api.SettingsEdit{Settings: json.RawMessage(`{"theme":"dark"}`), UpdatedAt: at}))
	if s := must[*api.Settings](t)(c.GetSettings(ctx)); string(s.Settings) != `{"theme":"dark"}` || s.UpdatedAt.String() != at.String() || s.Template == uuid.Nil {
		t.Errorf("the settings are %+v", s)
	}
}

func TestUsers(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithoutNetwork())
	c, token := login(t, srv, srv.Account.Username)
	r, ctx := newRealm(t, srv), t.Context()
	if list := must[*api.UserList](t)(c.ListUsers(ctx, &api.ListUsersParams{Username: api.Ptr("READ")})); list.Total != 1 || list.Data[0].ID != srv.Account.ID {
		t.Errorf("the users are %+v", list.Data)
	}
	needs(t, "DeleteUser", "ConfirmUserDeletion")
	if status, text := do(t, srv, "DELETE", "/user/"+srv.Account.ID.String(), "", "Authorization", "Bearer "+token); status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	if r.password()["access_token"] == nil {
		t.Error("the account is gone before the code is sent back")
	}
	code, ok := srv.State().DeletionCode(srv.Account.Username)
	if !ok {
		t.Fatal("there is no code")
	}
	if status, text := do(t, srv, "POST", "/user/delete/"+code.String(), ""); status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	if _, err := c.GetCurrentUser(ctx); !errors.Is(err, api.ErrUnauthorized) {
		t.Errorf("who am I after the account was deleted: %v", err)
	}
	if _, ok := srv.State().Account(srv.Account.Username); ok {
		t.Error("the account is still there")
	}
}
