package apitest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
)

func TestLegacySessions(t *testing.T) {
	t.Parallel()
	clock := newClock()
	srv := apitest.Start(t, apitest.WithoutNetwork(), apitest.WithClock(clock.time))
	guest, ctx := newClient(t, srv), t.Context()
	who := func(token string) (int, string) {
		return do(t, srv, "GET", "/auth/check", "", "Authorization", "Bearer "+token)
	}
	answer := must[*api.LoginResponse](t)(guest.Login(ctx, api.LoginRequest{Email: &srv.Account.Email, Password: srv.Account.Password}))
	if status, text := who(answer.Token.Session); status != 200 || !strings.Contains(text, `"isAuthenticated":true`) || !strings.Contains(text, `"ROLE_MEMBER"`) || !strings.Contains(text, `"manga.create"`) {
		t.Errorf("%d %s", status, text)
	}
	if status, text := do(t, srv, "GET", "/auth/check", ""); status != 200 || !strings.Contains(text, `"isAuthenticated":false`) {
		t.Errorf("a guest: %d %s", status, text)
	}
	clock.advance(15 * time.Minute)
	if status, _ := who(answer.Token.Session); status != 401 {
		t.Errorf("after a quarter of an hour: %d", status)
	}
	again := must[*api.RefreshSessionResponse](t)(guest.RefreshSession(ctx, api.RefreshSessionRequest{Token: answer.Token.Refresh}))
	if status, _ := who(again.Token.Session); status != 200 {
		t.Errorf("the new session: %d", status)
	}
	if status, _ := do(t, srv, "POST", "/auth/logout", "", "Authorization", "Bearer "+again.Token.Session); status != 200 {
		t.Errorf("logout: %d", status)
	}
	if status, _ := who(again.Token.Session); status != 401 {
		t.Errorf("after the logout: %d", status)
	}
	if _, err := guest.RefreshSession(ctx, api.RefreshSessionRequest{Token: again.Token.Refresh}); !errors.Is(err, api.ErrUnauthorized) {
		t.Errorf("refresh after the logout: %v", err)
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

// A client that an account makes can be used when it is approved, with its newest secret.
func TestAPIClients(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithoutNetwork())
	c, _ := login(t, srv, srv.Account.Username)
	r, ctx := newRealm(t, srv), t.Context()
	made := must[*api.APIClientResponse](t)(c.CreateAPIClient(ctx, api.APIClientCreate{Name: "My program", Profile: "personal", Description: api.Value("for a test")}))
	if a := made.Data.Attributes; a.State != "requested" || a.ExternalClientID != nil {
		t.Errorf("a new client is %+v", a)
	}
	if _, err := c.GetAPIClientSecret(ctx, made.Data.ID); !errors.Is(err, api.ErrForbidden) {
		t.Errorf("the secret before it is approved: %v", err)
	}
	if err := srv.State().Approve(made.Data.ID); err != nil {
		t.Fatal(err)
	}
	if err := srv.State().Approve(made.Data.ID); err == nil {
		t.Error("it can be approved twice")
	}
	client := must[*api.APIClientResponse](t)(c.GetAPIClient(ctx, made.Data.ID, nil)).Data
	secret := must[*api.APIClientSecret](t)(c.GetAPIClientSecret(ctx, made.Data.ID)).Data
	grant := func(secret string) int {
		status, _ := r.token("grant_type", "password", "username", srv.Account.Username, "password", srv.Account.Password, "client_id", *client.Attributes.ExternalClientID, "client_secret", secret)
		return status
	}
	if client.Attributes.State != "approved" || grant(secret) != 200 {
		t.Errorf("approved it is %+v, and gets %d", client.Attributes, grant(secret))
	}
	renewed := must[*api.APIClientSecret](t)(c.RegenerateAPIClientSecret(ctx, made.Data.ID)).Data
	if grant(secret) != 401 || grant(renewed) != 200 {
		t.Errorf("the old secret gets %d, the new one %d", grant(secret), grant(renewed))
	}
	edited := must[*api.APIClientResponse](t)(c.UpdateAPIClient(ctx, made.Data.ID, api.APIClientEdit{Version: client.Attributes.Version, Description: api.Null[string]()}))
	if edited.Data.Attributes.Description != nil || edited.Data.Attributes.Name != "My program" {
		t.Errorf("after the edit it is %+v", edited.Data.Attributes)
	}
	if list := must[*api.APIClientList](t)(c.ListAPIClients(ctx, &api.ListAPIClientsParams{Name: api.Ptr("program")})); list.Total != 1 {
		t.Errorf("%d clients of the name", list.Total)
	}
	if err := c.DeleteAPIClient(ctx, made.Data.ID, &api.DeleteAPIClientParams{Version: &edited.Data.Attributes.Version}); err != nil {
		t.Error(err)
	}
	if grant(renewed) != 401 {
		t.Errorf("the deleted client gets %d", grant(renewed))
	}
}

// What an account without a group uploads waits for a moderator.
func TestModeration(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithoutNetwork(), apitest.WithAccount(apitest.Account{Username: "newcomer"}))
	c, _ := login(t, srv, "newcomer")
	guest, ctx := newClient(t, srv), t.Context()
	manga := srv.State().Manga()[4].ID // has no chapters
	if !must[*api.UploadApproval](t)(c.CheckUploadApproval(ctx, api.UploadApprovalCheck{Manga: manga, Locale: "en"})).RequiresApproval {
		t.Error("no approval is required")
	}
	session := must[*api.UploadSessionResponse](t)(c.BeginUpload(ctx, nil, api.UploadSessionCreate{Manga: manga, Groups: []uuid.UUID{}}))
	chapter := must[*api.ChapterResponse](t)(c.CommitUpload(ctx, session.Data.ID, api.UploadSessionCommit{
		ChapterDraft: api.ChapterDraft{Volume: api.Null[string](), Chapter: api.Value("1"), Title: api.Null[string](), TranslatedLanguage: "en", ExternalURL: api.Value("https://reader.example/1")},
		PageOrder:    []uuid.UUID{}, TermsAccepted: true,
	}))
	if _, err := guest.GetChapter(ctx, chapter.Data.ID, nil); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("a guest sees the chapter before it is approved: %v", err)
	}
	if _, err := c.GetChapter(ctx, chapter.Data.ID, nil); err != nil {
		t.Errorf("the uploader does not see the chapter: %v", err)
	}
	if err := srv.State().Approve(chapter.Data.ID); err != nil {
		t.Fatal(err)
	}
	server := must[*api.AtHomeServer](t)(guest.GetAtHomeServer(ctx, chapter.Data.ID, nil))
	if server.Chapter.Hash != "" || len(server.Chapter.Data) != 0 {
		t.Errorf("a chapter that is read elsewhere has the pages %+v", server.Chapter)
	}
	// An account that is banned may read, no more.
	must[apitest.Account](t)(srv.State().AddAccount(apitest.Account{Username: "banned", Roles: []string{"ROLE_MEMBER", "ROLE_BANNED"}}))
	banned, _ := login(t, srv, "banned")
	if _, err := banned.CreateAuthor(ctx, api.AuthorCreate{Name: "x"}); !errors.Is(err, api.ErrForbidden) {
		t.Errorf("a banned account creates: %v", err)
	}
	must[apitest.Account](t)(srv.State().AddAccount(apitest.Account{Username: "deputy", Permissions: []string{"author.delete"}}))
	deputy, _ := login(t, srv, "deputy")
	author := must[*api.AuthorResponse](t)(c.CreateAuthor(ctx, api.AuthorCreate{Name: "y"})).Data.ID
	if err := deputy.DeleteAuthor(ctx, author); err != nil {
		t.Errorf("a permission of its own does not count: %v", err)
	}
	if _, err := guest.GetAuthor(ctx, author, nil); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("the author is still there: %v", err)
	}
}

func TestReports(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithoutNetwork(), apitest.WithAccount(apitest.Account{Username: "other"}))
	c, _ := login(t, srv, srv.Account.Username)
	other, _ := login(t, srv, "other")
	ctx, manga := t.Context(), srv.State().Manga()[0].ID
	reasons := must[*api.ReportReasonList](t)(c.ListReportReasons(ctx, "manga")).Data
	if len(reasons) == 0 || reasons[0].Attributes.Category != "manga" {
		t.Fatalf("the reasons are %v", reasons)
	}
	if err := c.CreateReport(ctx, api.ReportCreate{Category: "manga", Reason: reasons[0].ID, ObjectID: manga, Details: "It is invented."}); err != nil {
		t.Fatal(err)
	}
	list := must[*api.ReportList](t)(c.ListReports(ctx, &api.ListReportsParams{ObjectID: &manga, Includes: []api.ReportInclude{"reason", "user"}}))
	if len(list.Data) != 1 || list.Data[0].Attributes.Details != "It is invented." || list.Data[0].Attributes.Status != "waiting" {
		t.Fatalf("the reports are %+v", list.Data)
	}
	if reason, _ := list.Data[0].Relationships.Reason(); reason.ID != reasons[0].ID || reason.Attributes == nil {
		t.Errorf("the reason is %+v", reason)
	}
	if list := must[*api.ReportList](t)(other.ListReports(ctx, nil)); list.Total != 0 {
		t.Errorf("another account sees %d reports", list.Total)
	}
}

// Statistics show the thread of the forums that is begun.
func TestForumThreads(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(t)
	ctx := t.Context()
	id := func(kind string) uuid.UUID { return uuid.MustParse(w.ids[kind]) }
	threads := map[int64]bool{}
	for _, kind := range []string{"chapter", "group"} {
		thread := must[*api.ForumThreadResponse](t)(w.client.CreateForumThread(ctx, api.ForumThreadCreate{Type: api.ForumThreadType(kind), ID: id(kind)})).Data
		again := must[*api.ForumThreadResponse](t)(w.client.CreateForumThread(ctx, api.ForumThreadCreate{Type: api.ForumThreadType(kind), ID: id(kind)})).Data
		if thread.ID != again.ID {
			t.Errorf("%s has the threads %d and %d", kind, thread.ID, again.ID)
		}
		threads[thread.ID] = true
		var statistics api.ThreadStatistics
		if kind == "chapter" {
			statistics = must[*api.ThreadStatisticsResponse](t)(w.client.GetChapterStatistics(ctx, id(kind))).Statistics[id(kind)]
		} else {
			statistics = must[*api.ThreadStatisticsResponse](t)(w.client.GetGroupStatistics(ctx, id(kind))).Statistics[id(kind)]
		}
		if statistics.Comments == nil || statistics.Comments.ThreadID != thread.ID {
			t.Errorf("the statistics of the %s are %+v, the thread is %d", kind, statistics, thread.ID)
		}
	}
	if len(threads) != 2 {
		t.Errorf("the threads are %v", threads)
	}
	if status, text := do(t, w.srv, "GET", "/statistics/manga?manga[]="+nothing, ""); status != 200 || !strings.Contains(text, `"statistics":[]`) {
		t.Errorf("statistics of nothing: %d %s", status, text)
	}
}

func TestCustomLists(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithoutNetwork(), apitest.WithAccount(apitest.Account{Username: "other"}))
	c, token := login(t, srv, srv.Account.Username)
	other, otherToken := login(t, srv, "other")
	guest, ctx := newClient(t, srv), t.Context()
	var ids []uuid.UUID
	for _, m := range srv.State().Manga()[:3] {
		ids = append(ids, m.ID)
	}
	list := must[*api.CustomListResponse](t)(c.CreateCustomList(ctx, api.CustomListCreate{Name: "One", Manga: ids[:1], Visibility: api.Ptr(api.ListVisibility("public"))})).Data.ID
	shelve := func(method string, id uuid.UUID, query, token string, want int) {
		t.Helper()
		if status, text := do(t, srv, method, "/manga/"+id.String()+"/list/"+list.String()+query, "", "Authorization", "Bearer "+token); status != want {
			t.Errorf("%s: %d %s, want %d", method, status, text, want)
		}
	}
	for _, id := range []uuid.UUID{ids[2], ids[1], ids[1]} {
		shelve("POST", id, "", token, 200)
	}
	shelve("DELETE", ids[0], "", token, 200)
	shelve("POST", ids[0], "", otherToken, 403)
	if err := other.FollowCustomList(ctx, list); err != nil {
		t.Fatal(err)
	}
	if known("AddMangaToCustomList", "order") {
		shelve("POST", ids[0], "?order=0", token, 200)
		if text := must[*api.CustomListResponse](t)(guest.GetCustomList(ctx, list)).Data.Relationships.AllManga(); text[0].ID != ids[0] {
			t.Errorf("the first title is %v", text[0])
		}
		shelve("DELETE", ids[0], "", token, 200)
	}
	var got []uuid.UUID
	for _, m := range must[*api.CustomListResponse](t)(guest.GetCustomList(ctx, list)).Data.Relationships.AllManga() {
		got = append(got, m.ID)
	}
	if want := []uuid.UUID{ids[2], ids[1]}; !slices.Equal(got, want) {
		t.Errorf("the list holds %v, want %v", got, want)
	}
	feed := must[*api.ChapterList](t)(guest.GetCustomListFeed(ctx, list, nil))
	for _, ch := range feed.Data {
		if manga, _ := ch.Relationships.Manga(); !slices.Contains(got, manga.ID) {
			t.Errorf("the feed has a chapter of %v", manga.ID)
		}
	}
	if feed.Total == 0 {
		t.Error("the feed is empty")
	}
	if followed := must[*api.CustomListList](t)(other.ListFollowedCustomLists(ctx, nil)); followed.Total != 1 {
		t.Errorf("%d lists are followed", followed.Total)
	}
	private := api.ListVisibility("private")
	version := must[*api.CustomListResponse](t)(c.GetCustomList(ctx, list)).Data.Attributes.Version
	must[*api.CustomListResponse](t)(c.UpdateCustomList(ctx, list, api.CustomListEdit{Version: version, Visibility: &private, Manga: []uuid.UUID{}}))
	if lists := must[*api.CustomListList](t)(guest.ListUserCustomLists(ctx, srv.Account.ID, nil)); lists.Total != 0 {
		t.Errorf("a guest sees %d lists of the account", lists.Total)
	}
	if lists := must[*api.CustomListList](t)(c.ListOwnCustomLists(ctx, nil)); lists.Total != 1 || len(lists.Data[0].Relationships.AllManga()) != 0 {
		t.Errorf("the account has %+v", lists.Data)
	}
	if followed := must[*api.CustomListList](t)(other.ListFollowedCustomLists(ctx, nil)); followed.Total != 0 {
		t.Errorf("%d lists are followed that cannot be seen", followed.Total)
	}
	if err := c.DeleteCustomList(ctx, list); err != nil {
		t.Error(err)
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
	c, _ := login(t, srv, srv.Account.Username)
	r, ctx := newRealm(t, srv), t.Context()
	if list := must[*api.UserList](t)(c.ListUsers(ctx, &api.ListUsersParams{Username: api.Ptr("READ")})); list.Total != 1 || list.Data[0].ID != srv.Account.ID {
		t.Errorf("the users are %+v", list.Data)
	}
	if err := c.DeleteUser(ctx, srv.Account.ID); err != nil {
		t.Fatal(err)
	}
	if r.password()["access_token"] == nil {
		t.Error("the account is gone before the code is sent back")
	}
	code, ok := srv.State().DeletionCode(srv.Account.Username)
	if !ok {
		t.Fatal("there is no code")
	}
	if err := newClient(t, srv).ConfirmUserDeletion(ctx, code); err != nil {
		t.Fatal(err)
	}
	if _, err := c.GetCurrentUser(ctx); !errors.Is(err, api.ErrUnauthorized) {
		t.Errorf("who am I after the account was deleted: %v", err)
	}
	if _, ok := srv.State().Account(srv.Account.Username); ok {
		t.Error("the account is still there")
	}
}

func TestLegacyIDs(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithoutNetwork())
	titles := srv.State().Manga()
	list := must[*api.LegacyMappingList](t)(newClient(t, srv).MapLegacyIDs(t.Context(), api.LegacyMappingRequest{Type: "manga", IDs: []int{1, 3, 99_999, 0}}))
	if len(list.Data) != 2 || list.Data[0].Attributes.NewID != titles[0].ID || list.Data[1].Attributes.NewID != titles[2].ID || list.Data[1].Attributes.LegacyID != 3 {
		t.Errorf("the mapping is %+v", list.Data)
	}
}

func TestRecommendationsAndRelations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(t)
	ctx, manga := t.Context(), uuid.MustParse(w.ids["manga"])
	if known("ListMangaRecommendations", "includes[]") {
		w.checkRecommendations(t, manga)
	}
	relations := must[*api.MangaRelationList](t)(w.client.ListMangaRelations(ctx, manga, nil)).Data
	if len(relations) != 1 || relations[0].Attributes.Relation != "spin_off" {
		t.Fatalf("the relations are %+v", relations)
	}
	target, _ := relations[0].Relationships.Manga()
	back := must[*api.MangaResponse](t)(w.client.GetManga(ctx, target.ID, nil)).Data.Relationships
	if !slices.ContainsFunc(back, func(r api.Relationship) bool { return r.ID == manga && r.Related == "main_story" }) {
		t.Errorf("the other title has the relationships %+v", back)
	}
	if err := w.client.DeleteMangaRelation(ctx, manga, relations[0].ID); err != nil {
		t.Fatal(err)
	}
	for _, id := range []uuid.UUID{manga, target.ID} {
		for _, r := range must[*api.MangaRelationList](t)(w.client.ListMangaRelations(ctx, id, nil)).Data {
			if r.Attributes.Relation != "prequel" && r.Attributes.Relation != "sequel" {
				t.Errorf("%s still has %+v", id, r)
			}
		}
	}
}

// checkRecommendations does without the typed method: not every document has the operation.
func (w *world) checkRecommendations(t *testing.T, manga uuid.UUID) {
	t.Helper()
	_, text := do(t, w.srv, "GET", "/manga/"+manga.String()+"/recommendation?includes[]=manga", "")
	var list struct {
		Data []struct {
			ID         string
			Attributes struct{ Score float64 }
		}
	}
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Data) == 0 || len(list.Data) > 20 {
		t.Fatalf("%d recommendations", len(list.Data))
	}
	for n, r := range list.Data {
		from, to, _ := strings.Cut(r.ID, "_")
		if from != manga.String() || uuid.Validate(to) != nil || n > 0 && r.Attributes.Score > list.Data[n-1].Attributes.Score {
			t.Errorf("recommendation %d is %s with %v", n, r.ID, r.Attributes.Score)
		}
	}
}

// What is deleted takes along what hangs on it.
func TestDeletingATitle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(t)
	ctx, id := t.Context(), uuid.MustParse(w.ids["manga"])
	if err := w.client.FollowManga(ctx, id); err != nil {
		t.Fatal(err)
	}
	if status, text := do(t, w.srv, "POST", "/manga/"+w.ids["manga"]+"/list/"+w.ids["list"], "", "Authorization", "Bearer "+w.access); status != 200 {
		t.Fatal(text)
	}
	if err := w.client.DeleteManga(ctx, id); err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{"/manga/" + id.String(), "/chapter/" + w.ids["chapter"], "/cover/" + w.ids["cover"]} {
		if status, _ := do(t, w.srv, "GET", target, ""); status != 404 {
			t.Errorf("%s: %d", target, status)
		}
	}
	if list := must[*api.MangaList](t)(w.client.ListFollowedManga(ctx, nil)); list.Total != 0 {
		t.Errorf("%d titles are followed", list.Total)
	}
	if list := must[*api.CustomListResponse](t)(w.client.GetCustomList(ctx, uuid.MustParse(w.ids["list"]))); len(list.Data.Relationships.AllManga()) != 0 {
		t.Error("it is still in the list")
	}
}

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

// A set of the library can be put in place, and shows in the statistics.
func TestSetLibrary(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithoutNetwork())
	c, _ := login(t, srv, srv.Account.Username)
	ctx, id := t.Context(), srv.State().Manga()[1].ID
	statistics := func() api.MangaStatistics {
		return must[*api.MangaStatisticsResponse](t)(c.GetMangaStatistics(ctx, id)).Statistics[id]
	}
	before := statistics()
	library := apitest.Library{Manga: []uuid.UUID{id}, Ratings: map[uuid.UUID]int{id: 10}, Statuses: map[uuid.UUID]string{id: "dropped"}}
	for range 2 { // the second time changes nothing
		if err := srv.State().SetLibrary(srv.Account.Username, library); err != nil {
			t.Fatal(err)
		}
		if after := statistics(); after.Follows != before.Follows+1 || after.Rating.Distribution[10] != before.Rating.Distribution[10]+1 {
			t.Errorf("the statistics are %+v after %+v", after, before)
		}
	}
	if status := must[*api.ReadingStatusesResponse](t)(c.ListReadingStatuses(ctx, nil)); status.Statuses[id] != "dropped" {
		t.Errorf("the statuses are %v", status.Statuses)
	}
	if err := srv.State().SetLibrary(srv.Account.Username, apitest.Library{}); err != nil {
		t.Fatal(err)
	}
	if after := statistics(); after.Follows != before.Follows || after.Rating.Distribution[10] != before.Rating.Distribution[10] {
		t.Errorf("the statistics are %+v after %+v", after, before)
	}
	for name, err := range map[string]error{
		"an unknown account": srv.State().SetLibrary("nobody", library),
		"an unknown title":   srv.State().SetLibrary(srv.Account.Username, apitest.Library{Manga: []uuid.UUID{uuid.New()}}),
		"a rating of 11":     srv.State().SetLibrary(srv.Account.Username, apitest.Library{Ratings: map[uuid.UUID]int{id: 11}}),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "apitest: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An edit of a cover with all its nullable fields, and the thumbnail of one that was uploaded.
func TestCoverEdits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(t)
	ctx, id := t.Context(), uuid.MustParse(w.ids["cover"])
	edited := must[*api.CoverResponse](t)(w.client.UpdateCover(ctx, id, api.CoverEdit{Version: 1, Volume: api.Value("2"), Description: api.Value("front"), Locale: api.Null[string]()}))
	if a := edited.Data.Attributes; *a.Volume != "2" || *a.Description != "front" || a.Locale != nil || a.Version != 2 {
		t.Errorf("the cover is %+v", a)
	}
	client := &http.Client{Transport: w.srv.Transport()}
	resp, body := fetch(t, client, w.srv.UploadsURL+"/covers/"+w.ids["manga"]+"/"+edited.Data.Attributes.FileName+".256.jpg")
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "image/jpeg" || !bytes.HasPrefix(body, []byte("\xff\xd8")) {
		t.Errorf("the thumbnail: %d %s", resp.StatusCode, resp.Header.Get("Content-Type"))
	}
	if err := w.client.DeleteCover(ctx, id); err != nil {
		t.Fatal(err)
	}
	if main, ok := must[*api.MangaResponse](t)(w.client.GetManga(ctx, uuid.MustParse(w.ids["manga"]), nil)).Data.Relationships.Cover(); !ok || main.ID == id {
		t.Errorf("the cover of the title is %v", main)
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

// Things of a test's own have the ids that it chooses, once.
func TestAddedThings(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithoutNetwork())
	state := srv.State()
	id := uuid.New()
	if got := must[uuid.UUID](t)(state.AddManga(apitest.Manga{ID: id, Title: "Mine", Year: 2020, Status: "hiatus"})); got != id {
		t.Errorf("the title has the id %s", got)
	}
	chapter := must[uuid.UUID](t)(state.AddChapter(apitest.Chapter{ID: uuid.New(), Manga: id, Number: "1", Pages: 1}))
	m := must[*api.MangaResponse](t)(newClient(t, srv).GetManga(t.Context(), id, nil)).Data.Attributes
	if *m.Year != 2020 || m.Status != "hiatus" || m.ContentRating != "safe" || m.LatestUploadedChapter != chapter {
		t.Errorf("the title is %+v", m)
	}
	for name, add := range map[string]func() error{
		"a title of an id in use":   func() error { _, err := state.AddManga(apitest.Manga{ID: id}); return err },
		"a chapter of an id in use": func() error { _, err := state.AddChapter(apitest.Chapter{ID: chapter, Manga: id}); return err },
		"a title of an unknown tag": func() error { _, err := state.AddManga(apitest.Manga{Tags: []uuid.UUID{id}}); return err },
		"a chapter of no title":     func() error { _, err := state.AddChapter(apitest.Chapter{}); return err },
		"a chapter of no such group": func() error {
			_, err := state.AddChapter(apitest.Chapter{Manga: id, Groups: []uuid.UUID{id}})
			return err
		},
		"an account without a name": func() error { _, err := state.AddAccount(apitest.Account{}); return err },
		"an approval of nothing":    func() error { return state.Approve(id) },
	} {
		if err := add(); err == nil || !strings.HasPrefix(err.Error(), "apitest: ") || strings.Contains(err.Error(), "exception") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
