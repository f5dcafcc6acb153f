package apitest_test

import (
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
)

func TestCustomLists(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithoutNetwork(), apitest.WithAccount(apitest.Account{Username: "other"}))
	c, token := login(t, srv, srv.Account.Username)
	_, otherToken := login(t, srv, "other")
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
	if known("AddMangaToCustomList", "order") {
		shelve("POST", ids[0], "?order=0", token, 200)
		if text := must[*api.CustomListResponse](t)(guest.GetCustomList(ctx, list, nil)).Data.Relationships.AllManga(); text[0].ID != ids[0] {
			t.Errorf("the first title is %v", text[0])
		}
		shelve("DELETE", ids[0], "", token, 200)
	}
	var got []uuid.UUID
	for _, m := range must[*api.CustomListResponse](t)(guest.GetCustomList(ctx, list, nil)).Data.Relationships.AllManga() {
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
	private := api.ListVisibility("private")
	version := must[*api.CustomListResponse](t)(c.GetCustomList(ctx, list, nil)).Data.Attributes.Version
	must[*api.CustomListResponse](t)(c.UpdateCustomList(ctx, list, api.CustomListEdit{Version: version, Visibility: &private, Manga: []uuid.UUID{}}))
	if lists := must[*api.CustomListList](t)(guest.ListUserCustomLists(ctx, srv.Account.ID, nil)); lists.Total != 0 {
		t.Errorf("a guest sees %d lists of the account", lists.Total)
	}
	if lists := must[*api.CustomListList](t)(c.ListOwnCustomLists(ctx, nil)); lists.Total != 1 || len(lists.Data[0].Relationships.AllManga()) != 0 {
		t.Errorf("the account has %+v", lists.Data)
	}
	if err := c.DeleteCustomList(ctx, list); err != nil {
		t.Error(err)
	}
}

// Who follows a list sees it as long as everybody may.
func TestFollowedCustomLists(t *testing.T) {
	t.Parallel()
	needs(t, "FollowCustomList", "ListFollowedCustomLists")
	srv := apitest.Start(t, apitest.WithoutNetwork(), apitest.WithAccount(apitest.Account{Username: "other"}))
	c, _ := login(t, srv, srv.Account.Username)
	_, other := login(t, srv, "other")
	public, private := api.ListVisibility("public"), api.ListVisibility("private")
	list := must[*api.CustomListResponse](t)(c.CreateCustomList(t.Context(), api.CustomListCreate{Name: "One", Visibility: &public})).Data
	mustDo[struct{}](t, srv, other, "POST", "/list/"+list.ID.String()+"/follow", "")
	followed := func() int { return mustDo[struct{ Total int }](t, srv, other, "GET", "/user/follows/list", "").Total }
	if n := followed(); n != 1 {
		t.Errorf("%d lists are followed", n)
	}
	must[*api.CustomListResponse](t)(c.UpdateCustomList(t.Context(), list.ID, api.CustomListEdit{Version: list.Attributes.Version, Visibility: &private}))
	if n := followed(); n != 0 {
		t.Errorf("%d lists are followed that cannot be seen", n)
	}
}
