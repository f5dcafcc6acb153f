package apitest_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
)

// What MangaDex is known to do beyond its document, each with the public evidence for it. Where
// there is a single source, or a conclusion, the evidence says so with "one source".

// A fact is a request that another program sends, and what the answer has.
type fact struct {
	evidence string
	op       string // that not every document has
	method   string // GET unless it is given
	target   string // %m is a title with chapters, %l a list, %c a client
	body     string
	status   int      // 200 unless it is given
	has      []string // in the answer; with ! in front, not in it
}

func TestFacts(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithoutNetwork(), apitest.Lenient())
	c, token := login(t, srv, srv.Account.Username)
	ctx := t.Context()
	manga := must[uuid.UUID](t)(srv.State().AddManga(apitest.Manga{Title: "Facts"}))
	for _, ch := range [][3]string{{"2", "1", "en"}, {"1", "9", "en"}, {"1", "10", "fr"}, {"2", "2", "en"}} {
		must[uuid.UUID](t)(srv.State().AddChapter(apitest.Chapter{Manga: manga, Volume: ch[0], Number: ch[1], Language: ch[2], Pages: 1}))
	}
	other := srv.State().Manga()[0].ID
	list := must[*api.CustomListResponse](t)(c.CreateCustomList(ctx, api.CustomListCreate{Name: "Mine", Visibility: api.Ptr(api.ListVisibility("public")), Manga: []uuid.UUID{manga}}))
	related := must[*api.MangaRelationResponse](t)(c.CreateMangaRelation(ctx, manga, api.MangaRelationCreate{TargetManga: other, Relation: "sequel"}))
	ids := strings.NewReplacer("%m", manga.String(), "%l", list.Data.ID.String(), "%c", approvedClient(t, srv, token), "%r", related.Data.ID.String())

	const recordings = "recordings of Hondana's client, 2022 to 2025"
	for _, f := range []fact{
		{evidence: recordings + "; two public programs send includes[]=user", target: "/list/%l?includes[]=manga&includes[]=user", has: []string{`"en":"Facts"`, `"username":"reader"`}},
		{evidence: "ten public programs send indexed arrays, as PHP's http_build_query writes them", target: "/manga/%m/feed?translatedLanguage[0]=fr&translatedLanguage[1]=pt-br", has: []string{`"total":1}`}},
		{evidence: "the same, escaped", target: "/manga/%m/feed?translatedLanguage%5B0%5D=fr", has: []string{`"total":1}`}},
		{evidence: "PHP's manual on arrays in queries: keys need not be in order, and a key that comes again replaces", target: "/manga/%m/feed?translatedLanguage[1]=fr&translatedLanguage[0]=fr&translatedLanguage[1]=pt-br", has: []string{`"total":1}`}},
		{evidence: "PHP's manual on arrays in queries: with keys that are words it is no list", target: "/manga/%m/feed?translatedLanguage[first]=fr", status: 400, has: []string{"/translatedLanguage: Object value found, but an array is required"}},
		{evidence: "PHP's manual on variables of forms: of a name that comes again the last one counts", target: "/manga?limit=100&limit=3", has: []string{`"limit":3,`}},
		{evidence: "a live test of EMACC99/mangadex asks for /author/?ids[]=; ten public programs", target: "/manga/?limit=1", has: []string{`"limit":1,`}},
		{evidence: "the same, of a single entity", target: "/manga/%m/", has: []string{`"en":"Facts"`}},
		{evidence: "the documents 5.10 and 5.13.1 (string or array); Hondana, mangadex-full-api", target: "/chapter?manga=%m&chapter=9", has: []string{`"total":1}`, `"chapter":"9"`}},
		{evidence: "the same", target: "/chapter?manga=%m&volume=2", has: []string{`"total":2}`}},
		{evidence: "the same", target: "/chapter?manga=%m&uploader=" + srv.Account.ID.String(), has: []string{`"total":4}`}},
		{evidence: "the same, as an array", target: "/chapter?manga=%m&volume[]=1&chapter[]=9", has: []string{`"total":1}`}},
		{evidence: "one source: Hondana sends artist, author, cover_art, manga to relations, and its recordings of 2024 and 2025 are expanded", target: "/manga/%m/relation?includes[]=artist&includes[]=author&includes[]=cover_art&includes[]=manga", has: []string{`"type":"manga","related":"sequel","attributes":{`}},
		{evidence: "one source: AsyncDex adds all types that it knows everywhere", target: "/manga?limit=1&includes[]=manga&includes[]=chapter&includes[]=cover_art&includes[]=author&includes[]=artist&includes[]=scanlation_group&includes[]=tag&includes[]=user&includes[]=custom_list", has: []string{`"limit":1,`}},
		{evidence: "the document: the body of a follow is empty; Hondana and mangadex-full-api send none", op: "FollowCustomList", method: "POST", target: "/list/%l/follow", has: []string{`"ok"`}},
		{evidence: "the same", op: "UnfollowCustomList", method: "DELETE", target: "/list/%l/follow", has: []string{`"ok"`}},
		{evidence: "the same of a secret", op: "RegenerateAPIClientSecret", method: "POST", target: "/client/%c/secret", has: []string{`"data":"`}},
		{evidence: "one source: nearly all public programs send the volume first; PHP keeps the order of keys", target: "/manga/%m/feed?order[volume]=asc&order[chapter]=asc", has: []string{`"chapter":"9"…"chapter":"10"…"chapter":"1"…"chapter":"2"`}},
		{evidence: "the same, the other way round", target: "/manga/%m/feed?order[chapter]=asc&order[volume]=asc", has: []string{`"chapter":"1"…"chapter":"2"…"chapter":"9"…"chapter":"10"`}},
		{evidence: "one source: EMACC99/mangadex#30, a live test", target: "/manga/1", status: 404, has: []string{`"not_found_http_exception"`}},
		{evidence: "live tests of EMACC99/mangadex send the id to /chapter/{id} once more", target: "/manga/%m?id=%m", has: []string{`"en":"Facts"`}},
		{evidence: "the tests of EMACC99/mangadex; tonymushah/mangadex-api#24", target: "/manga?chapters=1", status: 400, has: []string{
			`"id":"9c346772-7b14-5982-b4b6-7b5888522762"`, `"detail":"Error validating : The property chapters is not defined and the definition does not allow additional properties"`}},
		{evidence: "dazedcat19/FMD2#650", target: "/manga?contentRating[]=everything", status: 400, has: []string{
			`"detail":"Error validating /contentRating/0: Does not have a value in the enumeration [\"safe\",\"suggestive\",\"erotica\",\"pornographic\"]"`}},
		{evidence: "recorded: one of a single title is 404", target: "/statistics/manga/" + nothing, status: 404, has: []string{`"not_found_http_exception"`}},
		{evidence: "the documentation names this title for trials of uploads", target: "/manga/f9c33607-9180-4ba6-b85c-e4b5faee7192", has: []string{`"state":"published"`}},
		{evidence: "Symfony's routes: a HEAD is a GET without a body", method: "HEAD", target: "/manga/%m"},
	} {
		if f.op != "" && !has(t, f.op) {
			continue
		}
		method, status := f.method, f.status
		if method == "" {
			method = "GET"
		}
		if status == 0 {
			status = 200
		}
		got, text := do(t, srv, method, ids.Replace(f.target), f.body, "Authorization", "Bearer "+token)
		if got != status {
			t.Errorf("%s %s: %d %.300s\n%s", method, f.target, got, text, f.evidence)
		}
		for _, want := range f.has {
			if !inOrder(text, ids.Replace(want)) {
				t.Errorf("%s %s: no %s in %.2000s\n%s", method, f.target, want, text, f.evidence)
			}
		}
	}
}

// inOrder tells whether a text has parts, which are separated by …, one after the other.
func inOrder(text, parts string) bool {
	for part := range strings.SplitSeq(parts, "…") {
		_, rest, ok := strings.Cut(text, part)
		if !ok {
			return false
		}
		text = rest
	}
	return true
}

// A member has the permissions that programs ask for, and a guest has the same. Evidence: a
// recording of AsyncDex, which refuses to search without manga.list.
func TestPermissions(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithoutNetwork(),
		apitest.WithAccount(apitest.Account{Username: "member"}),
		apitest.WithAccount(apitest.Account{Username: "uploader", Roles: []string{"ROLE_MEMBER", "ROLE_POWER_UPLOADER"}}))
	everybody := strings.Fields("author.list author.view chapter.list chapter.view cover.list cover.view manga.list manga.view scanlation_group.list scanlation_group.view user.list")
	check := func(header ...string) (answer struct {
		IsAuthenticated    bool
		Roles, Permissions []string
	}) {
		t.Helper()
		_, text := do(t, srv, "GET", "/auth/check", "", header...)
		if err := json.Unmarshal([]byte(text), &answer); err != nil {
			t.Fatal(err)
		}
		return answer
	}
	if guest := check(); guest.IsAuthenticated || !slices.Equal(guest.Permissions, everybody) {
		t.Errorf("a guest is %+v", guest)
	}
	for name, more := range map[string][]string{"member": nil, "uploader": {"chapter.upload.external", "chapter.upload.unmoderated"}} {
		_, token := login(t, srv, name)
		want := slices.Sorted(slices.Values(slices.Concat(everybody, more)))
		if got := check("Authorization", "Bearer "+token); !got.IsAuthenticated || !slices.Contains(got.Roles, "ROLE_MEMBER") || !slices.Equal(got.Permissions, want) {
			t.Errorf("%s is %+v", name, got)
		}
	}
}

// The tags and the reasons for reports have the ids that programs have built in. Evidence: the
// recorded answers, which are compared where they are at hand.
func TestIDsThatNeverChange(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithoutNetwork())
	client, _ := login(t, srv, srv.Account.Username)
	tags := map[uuid.UUID]string{}
	for _, tag := range must[*api.TagList](t)(client.ListTags(t.Context())).Data {
		tags[tag.ID] = string(tag.Attributes.Group) + " " + tag.Attributes.Name[0].Text
	}
	if len(tags) != 77 || tags[uuid.MustParse("391b0423-d847-456f-aff0-8b0cfc03066b")] != "genre Action" {
		t.Errorf("%d tags: %v", len(tags), tags)
	}
	reasons := map[uuid.UUID]string{}
	for _, reason := range must[*api.ReportReasonList](t)(client.ListReportReasons(t.Context(), "manga")).Data {
		reasons[reason.ID] = fmt.Sprint(reason.Attributes.Reason[0].Text, " ", reason.Attributes.DetailsRequired)
	}
	if len(reasons) != 7 || reasons[uuid.MustParse("8a44e534-d2b1-11eb-a84d-0242ac110002")] != "Troll entry false" {
		t.Errorf("%d reasons: %v", len(reasons), reasons)
	}
	for name, known := range map[string]map[uuid.UUID]string{"get-manga-tag-200-1.json": tags, "get-report-reasons-by-category-200-1.json": reasons} {
		content, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "recorded", name))
		if err != nil {
			t.Logf("not compared with %s: %v", name, err)
			continue
		}
		var recorded struct {
			Data []struct {
				ID         uuid.UUID
				Attributes struct {
					Name, Reason    map[string]string
					Group           string
					DetailsRequired bool
				}
			}
		}
		if err := json.Unmarshal(content, &recorded); err != nil {
			t.Fatal(err)
		}
		for _, r := range recorded.Data {
			want := r.Attributes.Group + " " + r.Attributes.Name["en"]
			if r.Attributes.Reason != nil {
				want = fmt.Sprint(r.Attributes.Reason["en"], " ", r.Attributes.DetailsRequired)
			}
			if known[r.ID] != want {
				t.Errorf("%s is %q, recorded as %q", r.ID, known[r.ID], want)
			}
		}
		if len(recorded.Data) != len(known) {
			t.Errorf("%s: %d are recorded, %d are known", name, len(recorded.Data), len(known))
		}
	}
}

// Default lists have what is read elsewhere and will be published in 2037: they leave out what cannot
// be read yet. Evidence: a recorded feed (18 of 100 chapters), and 464 of the 1,000 newest chapters in
// August 2026 (mdrss-ts#2).
func TestWhatIsReadableIsListed(t *testing.T) {
	t.Parallel()
	clock := newClock()
	srv := apitest.Start(t, apitest.WithoutNetwork(), apitest.WithClock(clock.time))
	c, ctx := newClient(t, srv), t.Context()
	manga := must[uuid.UUID](t)(srv.State().AddManga(apitest.Manga{Title: "Elsewhere"}))
	far := time.Date(2037, 12, 31, 15, 0, 0, 0, time.UTC)
	elsewhere := must[uuid.UUID](t)(srv.State().AddChapter(apitest.Chapter{Manga: manga, Number: "1", ExternalURL: "https://reader.example/1", PublishAt: far}))
	late := must[uuid.UUID](t)(srv.State().AddChapter(apitest.Chapter{Manga: manga, Number: "2", Pages: 1, PublishAt: clock.now.Add(-time.Hour), ReadableAt: clock.now.Add(72 * time.Hour)}))
	found := func() (ids []uuid.UUID) {
		t.Helper()
		feed := must[*api.ChapterList](t)(c.GetMangaFeed(ctx, manga, &api.GetMangaFeedParams{Order: api.ChapterOrder{}.Chapter(api.Asc)})).Data
		for _, ch := range feed {
			ids = append(ids, ch.ID)
		}
		if feed[0].Attributes.PublishAt != far || feed[0].Attributes.ReadableAt != feed[0].Attributes.CreatedAt || feed[0].Attributes.Pages != 0 {
			t.Errorf("what is read elsewhere is %+v", feed[0].Attributes)
		}
		list := must[*api.ChapterList](t)(c.ListChapters(ctx, &api.ListChaptersParams{Manga: &manga, Order: api.ChapterOrder{}.PublishAt(api.Desc)})).Data
		if len(list) != len(feed) || list[0].ID != elsewhere {
			t.Errorf("the newest by publication are %+v", list)
		}
		return ids
	}
	if ids := found(); !slices.Equal(ids, []uuid.UUID{elsewhere}) {
		t.Errorf("listed are %v", ids)
	}
	clock.advance(72 * time.Hour)
	if ids := found(); !slices.Equal(ids, []uuid.UUID{elsewhere, late}) {
		t.Errorf("listed are %v", ids)
	}
}

// The answer to a commit has members that no other answer has. Evidence: mangadex-sharp#6. A chapter
// that is read elsewhere needs a permission. Evidence: the documentation of Hondana.
func TestCommits(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithoutNetwork(), apitest.WithAccount(apitest.Account{Username: "publisher", Permissions: []string{"chapter.upload.external", "chapter.upload.unmoderated"}}))
	ctx, manga := t.Context(), srv.State().Manga()[0].ID
	commit := func(username string, draft string, page bool) (int, string) {
		t.Helper()
		c, token := login(t, srv, username)
		session := must[*api.UploadSessionResponse](t)(c.BeginUpload(ctx, nil, api.UploadSessionCreate{Manga: manga, Groups: []uuid.UUID{}})).Data.ID
		pages := ""
		if page {
			files := must[*api.UploadPagesResponse](t)(c.UploadPages(ctx, session, api.Pages{{Name: "1.png", Content: strings.NewReader(string(picture(t, 3, 4)))}}))
			pages = `"` + files.Data[0].ID.String() + `"`
		}
		status, text := do(t, srv, "POST", "/upload/"+session.String()+"/commit", `{"chapterDraft":`+draft+`,"pageOrder":[`+pages+`],"termsAccepted":true}`,
			"Authorization", "Bearer "+token, "Content-Type", "application/json")
		if status != 200 {
			if err := c.AbandonUpload(ctx, session); err != nil {
				t.Error(err)
			}
		}
		return status, text
	}
	defer func() {
		chapters := srv.State().Chapters(manga)
		if err := srv.State().ReplacePage(chapters[len(chapters)-2].ID, 1); err != nil {
			t.Errorf("an uploaded page cannot be replaced: %v", err)
		}
		server := must[*api.AtHomeServer](t)(newClient(t, srv).GetAtHomeServer(ctx, chapters[len(chapters)-2].ID, nil))
		if len(server.Chapter.Data) != 1 || len(server.Chapter.DataSaver) != 1 {
			t.Errorf("after the replacement of a page: %+v", server.Chapter)
		}
	}()
	const usual, elsewhere = `{"volume":"1","chapter":"2","title":null,"translatedLanguage":"en"}`, `{"volume":null,"chapter":"3","title":null,"translatedLanguage":"en","externalUrl":"https://reader.example/3"}`
	if status, text := commit("reader", usual, true); status != 200 || !strings.Contains(text, `"hash":"","data":[],"dataSaver":[],"externalUrl":null`) || !strings.Contains(text, `"publishAt":null,"readableAt":null,"pages":0,`) {
		t.Errorf("a commit: %d %s", status, text)
	}
	if status, text := commit("reader", elsewhere, false); status != 403 || !strings.Contains(text, "chapter.upload.external") {
		t.Errorf("a commit by a member of what is read elsewhere: %d %s", status, text)
	}
	if status, text := commit("publisher", elsewhere, false); status != 200 || !strings.Contains(text, `"externalUrl":"https://reader.example/3"`) {
		t.Errorf("a commit of what is read elsewhere: %d %s", status, text)
	}
	for _, wrong := range []string{strings.Replace(usual, `"1"`, `""`, 1), strings.Replace(usual, `"2"`, `""`, 1)} {
		s := apitest.Start(t, apitest.WithoutNetwork(), apitest.Lenient())
		c, token := login(t, s, s.Account.Username)
		session := must[*api.UploadSessionResponse](t)(c.BeginUpload(ctx, nil, api.UploadSessionCreate{Manga: manga, Groups: []uuid.UUID{}})).Data.ID
		status, text := do(t, s, "POST", "/upload/"+session.String()+"/commit", `{"chapterDraft":`+wrong+`,"pageOrder":[],"termsAccepted":true}`, "Authorization", "Bearer "+token, "Content-Type", "application/json")
		if status != 400 || !strings.Contains(text, "Does not match the regex pattern") {
			t.Errorf("%s: %d %s", wrong, status, text)
		}
	}
}

// The history has times of another form. Evidence, one source: Hondana parses them with fractions of a
// second and Z.
func TestReadDate(t *testing.T) {
	t.Parallel()
	needs(t, "GetReadingHistory")
	clock := newClock()
	srv := apitest.Start(t, apitest.WithoutNetwork(), apitest.WithClock(clock.time))
	c, token := login(t, srv, srv.Account.Username)
	manga := srv.State().Manga()[0].ID
	chapter := srv.State().Chapters(manga)[0].ID
	err := c.SetMangaReadMarkers(t.Context(), manga, &api.SetMangaReadMarkersParams{UpdateHistory: api.Ptr(true)}, api.ReadMarkersEdit{Read: []uuid.UUID{chapter}})
	if err != nil {
		t.Fatal(err)
	}
	_, text := do(t, srv, "GET", "/user/history", "", "Authorization", "Bearer "+token)
	if want := `"readDate":"` + clock.now.Format("2006-01-02T15:04:05.000000Z") + `"`; !strings.Contains(text, want) {
		t.Errorf("no %s in %s", want, text)
	}
}

// A chapter may be held back until its pages have been looked at. Evidence: the guide to uploads in
// the document 5.5.7.
func TestHold(t *testing.T) {
	t.Parallel()
	clock := newClock()
	srv := apitest.Start(t, apitest.WithoutNetwork(), apitest.WithClock(clock.time), apitest.WithAccount(apitest.Account{Username: "publisher", Permissions: []string{"chapter.upload.external", "chapter.upload.unmoderated"}}))
	c, _ := login(t, srv, "publisher")
	ctx, manga := t.Context(), srv.State().Manga()[4].ID // without chapters
	srv.Fail(apitest.Fault{Operation: "CommitUpload", Hold: time.Minute})
	session := must[*api.UploadSessionResponse](t)(c.BeginUpload(ctx, nil, api.UploadSessionCreate{Manga: manga, Groups: []uuid.UUID{}})).Data.ID
	chapter := must[*api.ChapterResponse](t)(c.CommitUpload(ctx, session, api.UploadSessionCommit{PageOrder: []uuid.UUID{}, TermsAccepted: true, ChapterDraft: api.ChapterDraft{
		Volume: api.Null[string](), Chapter: api.Value("1"), Title: api.Null[string](), TranslatedLanguage: "en", ExternalURL: api.Value("https://reader.example/1")}})).Data.ID
	for _, held := range []bool{true, false} {
		feed := must[*api.ChapterList](t)(c.GetMangaFeed(ctx, manga, &api.GetMangaFeedParams{IncludeExternalURL: api.Ptr(api.Yes)})).Data
		aggregate := must[*api.AggregateResponse](t)(c.GetMangaAggregate(ctx, manga, nil)).Volumes
		_, err := newClient(t, srv).GetChapter(ctx, chapter, nil)
		latest := must[*api.MangaResponse](t)(c.GetManga(ctx, manga, nil)).Data.Attributes.LatestUploadedChapter
		if len(feed) == 0 != held || len(aggregate) == 0 != held || (err != nil) != held || (latest != chapter) != held {
			t.Errorf("held is %t: %v, %v, %v, %v", held, feed, aggregate, err, latest)
		}
		if _, err := c.GetChapter(ctx, chapter, nil); err != nil {
			t.Errorf("held is %t: its uploader gets %v", held, err)
		}
		clock.advance(time.Minute)
	}
}

// Whatever stands in a query is read as PHP reads it, and nothing of it ends the server.
func FuzzQuery(f *testing.F) {
	srv, err := apitest.NewServer(apitest.WithoutNetwork(), apitest.WithTitles(10))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(srv.Close)
	for _, query := range []string{"limit=1", "ids[]=x&ids[0]=y&ids", "order[title]=asc&order[title][]=desc", "a[[]]=%zz&%5b=+", "includes[-1]=manga&includes[99999999999999999999]=x", "status[2]=ongoing&status[]=hiatus"} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		u := &url.URL{Path: "/manga", RawQuery: query}
		if status, text := do(t, srv, "GET", u.String(), ""); status != 200 && status != 400 && status != 414 {
			t.Errorf("%q: %d %s", query, status, text)
		}
	})
}
