package apitest_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
)

// Statistics show the thread of the forums that is begun.
func TestForumThreads(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if status, text := do(t, w.srv, "GET", "/statistics/manga?manga[]="+nothing, ""); status != 200 || !strings.Contains(text, `"statistics":[]`) {
		t.Errorf("statistics of nothing: %d %s", status, text)
	}
	needs(t, "CreateForumThread", "GetChapterStatistics", "GetGroupStatistics")
	w.fill(t)
	type statistics struct {
		Statistics map[string]struct{ Comments *struct{ ThreadID int64 } }
	}
	threads := map[int64]bool{}
	for _, kind := range []string{"chapter", "group"} {
		begin := func() int64 {
			return mustDo[struct{ Data struct{ ID int64 } }](t, w.srv, w.access, "POST", "/forums/thread", fmt.Sprintf(`{"type":%q,"id":%q}`, kind, w.ids[kind])).Data.ID
		}
		thread := begin()
		if again := begin(); thread != again {
			t.Errorf("%s has the threads %d and %d", kind, thread, again)
		}
		threads[thread] = true
		comments := mustDo[statistics](t, w.srv, w.access, "GET", "/statistics/"+kind+"/"+w.ids[kind], "").Statistics[w.ids[kind]].Comments
		if comments == nil || comments.ThreadID != thread {
			t.Errorf("the comments of the %s are %+v, the thread is %d", kind, comments, thread)
		}
	}
	if len(threads) != 2 {
		t.Errorf("the threads are %v", threads)
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
	if list := must[*api.CustomListResponse](t)(w.client.GetCustomList(ctx, uuid.MustParse(w.ids["list"]), nil)); len(list.Data.Relationships.AllManga()) != 0 {
		t.Error("it is still in the list")
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
