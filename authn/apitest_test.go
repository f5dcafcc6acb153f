package authn_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
)

// apitestWorld is the fake MangaDex of the library, which was written without this package.
func apitestWorld(t *testing.T) *world {
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	return worldOf(t, apitest.Start(t, apitest.WithTitles(10), apitest.WithRefresh(apitest.RefreshRotate)), client)
}

// apitestInMemory is the same without a network, for tests with a fake clock.
func apitestInMemory(t *testing.T) *world {
	server := apitest.Start(t, apitest.WithTitles(10), apitest.WithRefresh(apitest.RefreshRotate), apitest.WithoutNetwork())
	return worldOf(t, server, &http.Client{Transport: server.Transport()})
}

func worldOf(t *testing.T, server *apitest.Server, client *http.Client) *world {
	t.Helper()
	has := func(id string) bool {
		return slices.ContainsFunc(api.Operations(), func(op api.Operation) bool { return op.ID == id })
	}
	// The fake has the operations of the document. The session endpoints are tested with the other one, too.
	if legacy := strings.Contains(t.Name(), "session_endpoints") || strings.Contains(t.Name(), "legacy=true"); legacy && !has("LegacyLogin") {
		t.Skip("the document has no operation LegacyLogin")
	}
	c, err := api.New(server.URL, api.WithHTTPClient(client), api.WithoutRateLimit())
	if err != nil {
		t.Fatal(err)
	}
	list, err := c.SearchManga(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	skip := len(server.Requests())
	operations := map[string]string{
		"GET /auth/check":   "CheckAuth",
		"POST /auth/logout": "LegacyLogout",
		"POST " + realm + "/protocol/openid-connect/revoke": "Revoke",
		"POST " + realm + "/protocol/openid-connect/logout": "EndSession",
	}
	return &world{
		client: client, api: server.URL, auth: server.AuthURL,
		id: server.Account.ClientID, secret: server.Account.ClientSecret,
		username: server.Account.Username, password: server.Account.Password, manga: list.Data[0].ID,
		requests: func() []request {
			var list []request
			for _, r := range server.Requests()[skip:] {
				var form url.Values
				if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
					form, _ = url.ParseQuery(string(r.Body))
				}
				list = append(list, request{r.Method, r.URL.Path, r.Header.Get("Authorization"), r.Header.Get("User-Agent"), form})
			}
			return list
		},
		revokeAccess: server.Tokens().RevokeAccess,
		endSessions:  server.Tokens().EndSessions,
		fail: func(endpoint string, status int) {
			server.Fail(apitest.Fault{Operation: operations[endpoint], Status: status})
		},
		reject: func(on bool) {
			server.Heal()
			if on {
				server.Fail(apitest.Fault{Operation: "CheckAuth", Count: apitest.Always, ForgetToken: true})
			}
		},
	}
}
