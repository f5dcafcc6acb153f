package apitest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api/apitest"
)

// What is empty is a list where MangaDex writes it as one, and only there.
func TestHabitsOfPHP(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithoutNetwork())
	manga := must[uuid.UUID](t)(srv.State().AddManga(apitest.Manga{Title: "Bare", ContentRating: "pornographic"}))
	_, token := login(t, srv, srv.Account.Username)
	for target, want := range map[string]string{
		"/manga/random?contentRating[]=pornographic":       `"description":[]`,
		"/manga/" + manga.String():                         `"description":{}`,
		"/manga/status":                                    `"statuses":[]`,
		"/rating?manga[]=" + manga.String():                `"ratings":[]`,
		"/manga/read?grouped=true&ids[]=" + manga.String(): `"data":[]`,
		"/manga/" + manga.String() + "/status":             `"status":null`,
		"/user/history":                                    `"limit":0,`,
		"/group?limit=1":                                   `"publishDelay":null`,
	} {
		if target == "/user/history" && !has(t, "GetReadingHistory") {
			continue
		}
		header := []string{"Authorization", "Bearer " + token}
		if strings.HasPrefix(target, "/manga/random") {
			header = nil
		}
		if status, text := do(t, srv, "GET", target, "", header...); status != 200 || !strings.Contains(text, want) {
			t.Errorf("%s: %d without %s: %.300s", target, status, want, text)
		}
	}
	_, text := do(t, srv, "GET", "/manga/"+manga.String(), "")
	for _, want := range []string{`"latestUploadedChapter":null`, `"officialLinks":null`, `+00:00"`} {
		if !strings.Contains(text, want) {
			t.Errorf("a bare title lacks %s: %s", want, text)
		}
	}
}

// Caches may keep what guests see, and nothing else.
func TestCacheHeaders(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithoutNetwork())
	_, token := login(t, srv, srv.Account.Username)
	id := srv.State().Manga()[0].ID.String()
	for _, test := range []struct{ target, token, cache, control string }{
		{"/manga/" + id, "", "MISS", "max-age=15, public, s-maxage=2592000"},
		{"/manga/" + id + "/feed", "", "MISS", "max-age=15, public, s-maxage=60"},
		{"/statistics/manga/" + id, "", "MISS", "max-age=15, public, s-maxage=600"},
		{"/manga/" + id, token, "PASS", ""},
		{"/user/me", token, "PASS", ""},
		{"/manga/" + nothing, "", "", ""},
		{"/manga/random", "", "", ""},
	} {
		r, _ := http.NewRequest("GET", srv.URL+test.target, nil)
		if test.token != "" {
			r.Header.Set("Authorization", "Bearer "+test.token)
		}
		resp, _ := send(t, judged(t, srv), r)
		if cache, control := resp.Header.Get("X-Cache"), resp.Header.Get("Cache-Control"); cache != test.cache || control != test.control {
			t.Errorf("%s: X-Cache %q, Cache-Control %q", test.target, cache, control)
		}
	}
}
