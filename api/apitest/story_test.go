package apitest_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
)

// A title is created, published, followed, rated and put into a list; a chapter is uploaded to it,
// read and marked as read. What one account does shows in what another one and a guest see.
func TestStory(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithAccount(apitest.Account{Username: "second"}))
	ctx := t.Context()
	c, token := login(t, srv, srv.Account.Username)
	second, _ := login(t, srv, "second")
	guest := newClient(t, srv)

	author := must[*api.AuthorResponse](t)(c.CreateAuthor(ctx, api.AuthorCreate{Name: "Somebody Invented"}))
	tags := must[*api.TagList](t)(c.ListTags(ctx))
	draft := must[*api.MangaResponse](t)(c.CreateManga(ctx, api.MangaCreate{
		Title:            api.LocalizedString{{Language: "en", Text: "A Story of One Test"}},
		OriginalLanguage: "ja", Status: "ongoing", ContentRating: "safe", Year: api.Value(2020),
		Authors: []uuid.UUID{author.Data.ID}, Artists: []uuid.UUID{author.Data.ID}, Tags: []uuid.UUID{tags.Data[3].ID},
	}))
	id := draft.Data.ID
	if _, err := guest.GetManga(ctx, id, nil); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("a guest sees the draft: %v", err)
	}
	if _, err := second.GetManga(ctx, id, nil); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("another account sees the draft: %v", err)
	}
	drafts := must[*api.MangaList](t)(c.ListMangaDrafts(ctx, nil))
	if len(drafts.Data) != 1 || drafts.Data[0].ID != id {
		t.Errorf("the drafts are %v", drafts.Data)
	}
	cover := must[*api.CoverResponse](t)(c.UploadCover(ctx, id, api.CoverUpload{File: api.File{Name: "c.png", Content: bytes.NewReader(picture(t, 300, 400))}, Volume: "1"}))
	edited := must[*api.MangaResponse](t)(c.UpdateManga(ctx, id, api.MangaEdit{Version: draft.Data.Attributes.Version, LastChapter: api.Value("12"), Year: api.Null[int]()}))
	if a := edited.Data.Attributes; a.Version != 2 || a.LastChapter == nil || *a.LastChapter != "12" || a.Year != nil || a.Title.String() != "A Story of One Test" {
		t.Errorf("after the edit the title is %+v", a)
	}
	submitted := must[*api.MangaResponse](t)(c.CommitMangaDraft(ctx, id, api.DraftCommit{Version: 2}))
	if submitted.Data.Attributes.State != "submitted" {
		t.Errorf("the state is %s", submitted.Data.Attributes.State)
	}
	if err := srv.State().Approve(id); err != nil {
		t.Fatal(err)
	}

	found := must[*api.MangaList](t)(guest.SearchManga(ctx, &api.SearchMangaParams{Title: api.Ptr("story of ONE"), Includes: []api.Include{"author", "cover_art"}}))
	if len(found.Data) != 1 || found.Data[0].ID != id || found.Data[0].Relationships.Authors()[0].Attributes.Name != "Somebody Invented" {
		t.Fatalf("the search finds %v", found.Data)
	}
	if main, _ := found.Data[0].Relationships.Cover(); main.ID != cover.Data.ID {
		t.Errorf("the cover is %v", main)
	}
	if resp, body := fetch(t, http.DefaultClient, srv.UploadsURL+"/covers/"+id.String()+"/"+cover.Data.Attributes.FileName); resp.StatusCode != 200 || !bytes.Equal(body, picture(t, 300, 400)) {
		t.Errorf("the cover comes back as %d, %d bytes", resp.StatusCode, len(body))
	}

	for _, err := range []error{
		c.FollowManga(ctx, id), c.FollowManga(ctx, id), second.FollowManga(ctx, id),
		c.SetReadingStatus(ctx, id, api.ReadingStatusEdit{Status: api.Value(api.ReadingStatus("reading"))}),
		c.SetRating(ctx, id, api.RatingEdit{Rating: 9}), c.SetRating(ctx, id, api.RatingEdit{Rating: 8}), second.SetRating(ctx, id, api.RatingEdit{Rating: 5}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	statistics := must[*api.MangaStatisticsResponse](t)(guest.GetMangaStatistics(ctx, id)).Statistics[id]
	if statistics.Follows != 2 || statistics.Rating.Average == nil || *statistics.Rating.Average != 6.5 || statistics.Rating.Distribution[8] != 1 || statistics.Rating.Distribution[9] != 0 {
		t.Errorf("the statistics are %+v", statistics)
	}
	if err := second.UnfollowManga(ctx, id); err != nil {
		t.Fatal(err)
	}
	if n := must[*api.MangaStatisticsResponse](t)(guest.GetMangaStatistics(ctx, id)).Statistics[id].Follows; n != 1 {
		t.Errorf("%d follow, want 1", n)
	}
	if status := must[*api.ReadingStatusResponse](t)(c.GetReadingStatus(ctx, id)); status.Status != "reading" {
		t.Errorf("the status is %q", status.Status)
	}
	if status := must[*api.ReadingStatusResponse](t)(second.GetReadingStatus(ctx, id)); status.Status != "" {
		t.Errorf("the status of another account is %q", status.Status)
	}

	list := must[*api.CustomListResponse](t)(c.CreateCustomList(ctx, api.CustomListCreate{Name: "Mine", Manga: []uuid.UUID{id}}))
	if _, err := guest.GetCustomList(ctx, list.Data.ID, nil); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("a guest sees the private list: %v", err)
	}
	public := api.ListVisibility("public")
	must[*api.CustomListResponse](t)(c.UpdateCustomList(ctx, list.Data.ID, api.CustomListEdit{Version: list.Data.Attributes.Version, Visibility: &public}))
	seen := must[*api.CustomListResponse](t)(guest.GetCustomList(ctx, list.Data.ID, nil))
	if titles := seen.Data.Relationships.AllManga(); len(titles) != 1 || titles[0].ID != id || seen.Data.Attributes.Name != "Mine" {
		t.Errorf("the list is %+v", seen.Data)
	}

	// A chapter of twelve pages, in the wrong order and with one that is taken out again.
	group := must[*api.GroupResponse](t)(c.CreateGroup(ctx, api.GroupCreate{Name: "Story Tellers"}))
	session := must[*api.UploadSessionResponse](t)(c.BeginUpload(ctx, nil, api.UploadSessionCreate{Manga: id, Groups: []uuid.UUID{group.Data.ID}}))
	contents := map[string][]byte{}
	ids := map[string]uuid.UUID{}
	for batch := range 2 {
		var pages api.Pages
		for n := range 7 {
			name := fmt.Sprintf("page %d.png", 13-(batch*7+n))
			contents[name] = picture(t, 200+n, 300+batch)
			pages = append(pages, api.File{Name: name, Content: bytes.NewReader(contents[name])})
		}
		answer := must[*api.UploadPagesResponse](t)(c.UploadPages(ctx, session.Data.ID, pages))
		for _, f := range answer.Data {
			ids[f.Attributes.OriginalFileName] = f.ID
		}
	}
	if err := c.DeleteUploadedPage(ctx, session.Data.ID, ids["page 0.png"]); err != nil {
		t.Fatal(err)
	}
	if err := c.DeleteUploadedPages(ctx, session.Data.ID, []uuid.UUID{ids["page 13.png"]}); err != nil {
		t.Fatal(err)
	}
	resumed := must[*api.UploadSessionResponse](t)(c.GetUploadSession(ctx, &api.GetUploadSessionParams{Includes: []api.Include{"upload_session_file"}}))
	if files := resumed.Data.Relationships.Files(); len(files) != 12 || files[0].Attributes == nil || files[0].Attributes.MimeType != "image/png" {
		t.Errorf("the session has %d files", len(files))
	}
	if open := srv.State().Uploads(); len(open) != 1 || open[0].ID != session.Data.ID || open[0].Manga != id || len(open[0].Files) != 12 || !slices.Contains(open[0].Files, "page 1.png") {
		t.Errorf("the open sessions are %+v", open)
	}
	var order []uuid.UUID
	for n := 1; n <= 12; n++ {
		order = append(order, ids[fmt.Sprintf("page %d.png", n)])
	}
	committed := must[*api.ChapterResponse](t)(c.CommitUpload(ctx, session.Data.ID, api.UploadSessionCommit{
		ChapterDraft: api.ChapterDraft{Volume: api.Value("1"), Chapter: api.Value("1"), Title: api.Null[string](), TranslatedLanguage: "en"},
		PageOrder:    order, TermsAccepted: true,
	}))
	if _, err := c.GetUploadSession(ctx, nil); !errors.Is(err, api.ErrNotFound) || len(srv.State().Uploads()) > 0 {
		t.Errorf("the session is still open: %v", err)
	}

	feed := must[*api.ChapterList](t)(guest.GetMangaFeed(ctx, id, &api.GetMangaFeedParams{Includes: []api.Include{"scanlation_group", "user"}}))
	if len(feed.Data) != 1 || feed.Data[0].ID != committed.Data.ID || feed.Data[0].Attributes.Pages != 12 || feed.Data[0].Attributes.PublishAt.IsZero() {
		t.Fatalf("the feed is %+v", feed.Data)
	}
	if groups := feed.Data[0].Relationships.Groups(); len(groups) != 1 || groups[0].Attributes.Name != "Story Tellers" {
		t.Errorf("the groups are %v", groups)
	}
	if uploader, _ := feed.Data[0].Relationships.Uploader(); uploader.Attributes == nil || uploader.Attributes.Username != srv.Account.Username {
		t.Errorf("the uploader is %v", uploader)
	}
	mangaNow := must[*api.MangaResponse](t)(guest.GetManga(ctx, id, nil)).Data.Attributes
	if mangaNow.LatestUploadedChapter != committed.Data.ID || !slices.Equal(mangaNow.AvailableTranslatedLanguages, api.Languages{"en"}) {
		t.Errorf("the title has the latest chapter %v in %v", mangaNow.LatestUploadedChapter, mangaNow.AvailableTranslatedLanguages)
	}
	server := must[*api.AtHomeServer](t)(guest.GetAtHomeServer(ctx, committed.Data.ID, nil))
	for n, name := range server.Chapter.Data {
		_, body := fetch(t, http.DefaultClient, server.BaseURL+"/data/"+server.Chapter.Hash+"/"+name)
		if want := contents[fmt.Sprintf("page %d.png", n+1)]; !bytes.Equal(body, want) {
			t.Errorf("page %d does not come back as it was uploaded", n+1)
		}
	}
	if len(server.Chapter.Data) != 12 || len(server.Chapter.DataSaver) != 12 {
		t.Errorf("%d and %d pages", len(server.Chapter.Data), len(server.Chapter.DataSaver))
	}

	history := api.Ptr(true)
	if err := c.SetMangaReadMarkers(ctx, id, &api.SetMangaReadMarkersParams{UpdateHistory: history}, api.ReadMarkersEdit{Read: []uuid.UUID{committed.Data.ID}}); err != nil {
		t.Fatal(err)
	}
	if read := must[*api.ReadMarkersResponse](t)(c.GetMangaReadMarkers(ctx, id)); !slices.Equal(read.Data.Chapters, []uuid.UUID{committed.Data.ID}) {
		t.Errorf("read are %v", read.Data)
	}
	if has(t, "GetReadingHistory") {
		type read struct{ ChapterID uuid.UUID }
		history := mustDo[struct{ Data []read }](t, srv, token, "GET", "/user/history", "").Data
		if len(history) != 1 || history[0].ChapterID != committed.Data.ID {
			t.Errorf("the history is %v", history)
		}
	}
	if feed := must[*api.ChapterList](t)(c.GetFollowedMangaFeed(ctx, nil)); len(feed.Data) != 1 {
		t.Errorf("the feed of what is followed has %d chapters", len(feed.Data))
	}

	// The chapter is edited: other pages, another number.
	edit := must[*api.UploadSessionResponse](t)(c.BeginChapterEdit(ctx, committed.Data.ID, &api.BeginChapterEditParams{Includes: []api.Include{"upload_session_file"}}, api.UploadSessionEdit{Version: 1}))
	files := edit.Data.Relationships.Files()
	if len(files) != 12 || files[0].Attributes.Source != "remote" {
		t.Fatalf("the session of the edit has %d files", len(files))
	}
	if open := srv.State().Uploads(); len(open) != 1 || open[0].Chapter != committed.Data.ID {
		t.Errorf("the open sessions are %+v", open)
	}
	must[*api.ChapterResponse](t)(c.CommitUpload(ctx, edit.Data.ID, api.UploadSessionCommit{
		ChapterDraft: api.ChapterDraft{Volume: api.Null[string](), Chapter: api.Value("1.5"), Title: api.Null[string](), TranslatedLanguage: "en"},
		PageOrder:    []uuid.UUID{files[1].ID}, TermsAccepted: true,
	}))
	after := must[*api.ChapterResponse](t)(guest.GetChapter(ctx, committed.Data.ID, nil)).Data.Attributes
	if after.Version != 2 || after.Pages != 1 || *after.Chapter != "1.5" || after.Volume != nil {
		t.Errorf("after the edit the chapter is %+v", after)
	}

	library, _ := srv.State().Library(srv.Account.Username)
	if !slices.Equal(library.Manga, []uuid.UUID{id}) || library.Statuses[id] != "reading" || library.Ratings[id] != 8 || !slices.Equal(library.Read, []uuid.UUID{committed.Data.ID}) {
		t.Errorf("the library is %+v", library)
	}
	if err := c.DeleteChapter(ctx, committed.Data.ID); err != nil {
		t.Fatal(err)
	}
	if feed := must[*api.ChapterList](t)(guest.GetMangaFeed(ctx, id, nil)); len(feed.Data) != 0 {
		t.Error("the chapter is there after it was deleted")
	}
}
