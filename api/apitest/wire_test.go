package apitest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
)

// A golden is a request as package api sends it, with every parameter and every field set.
type golden struct {
	method, target string
	header         http.Header
	body           string
}

func readGolden(t *testing.T, name string) golden {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "testdata", "wire", name+".txt"))
	if errors.Is(err, os.ErrNotExist) { // TestWire of package api looks whether it has to be there
		t.Skipf("the operation %s is new: write its request with go test ./api -update", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	head, body, _ := strings.Cut(string(text), "\n\n")
	lines := strings.Split(strings.TrimSpace(head), "\n")
	g := golden{header: http.Header{}, body: strings.TrimSuffix(body, "\n")}
	g.method, g.target, _ = strings.Cut(lines[0], " ")
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		g.header.Set(name, value)
	}
	return g
}

// picture is a file that MangaDex takes.
func picture(t testing.TB, width, height int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewRGBA(image.Rect(0, 0, width, height))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A world is a server with something of everything, all of which belongs to its account.
type world struct {
	srv    *apitest.Server
	client *api.Client // logged in
	access string
	ids    map[string]string // of what there is, by kind
}

func newWorld(t testing.TB, options ...apitest.Option) *world {
	t.Helper()
	account := apitest.Account{Username: "keeper", Roles: []string{"ROLE_MEMBER", "ROLE_STAFF"}}
	srv := apitest.Start(t, append(options, apitest.WithoutNetwork(), apitest.WithAccount(account))...)
	w := &world{srv: srv, ids: map[string]string{}}
	w.client, w.access = login(t, srv, "keeper")
	return w
}

// login is a client of an account.
func login(t testing.TB, srv *apitest.Server, username string) (*api.Client, string) {
	t.Helper()
	access, _, err := srv.Tokens().Issue(username)
	if err != nil {
		t.Fatal(err)
	}
	client, err := api.New(srv.URL, api.WithHTTPClient(judged(t, srv)), api.WithoutRateLimit(), api.WithoutRetry(), bearer(access))
	if err != nil {
		t.Fatal(err)
	}
	return client, access
}

// must is the answer of a call that cannot fail.
func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// fill makes what the requests are about.
func (w *world) fill(t testing.TB) {
	t.Helper()
	ctx, c := t.Context(), w.client
	titles := w.srv.State().Manga()
	w.ids["manga"], w.ids["other manga"] = titles[0].ID.String(), titles[2].ID.String()
	tags := must[*api.TagList](t)(c.ListTags(ctx)).Data
	w.ids["tag"], w.ids["other tag"] = tags[0].ID.String(), tags[1].ID.String()
	must[uuid.UUID](t)(w.srv.State().AddManga(apitest.Manga{Title: "Tagged", ContentRating: "erotica", Tags: []uuid.UUID{tags[0].ID}}))
	draft := must[*api.MangaResponse](t)(c.CreateManga(ctx, api.MangaCreate{
		Title: api.LocalizedString{{Language: "en", Text: "Draft"}}, OriginalLanguage: "ja", Status: "ongoing", ContentRating: "safe",
	}))
	w.ids["draft"] = draft.Data.ID.String()
	for n, id := range []string{w.ids["manga"], w.ids["draft"]} {
		cover := must[*api.CoverResponse](t)(c.UploadCover(ctx, uuid.MustParse(id), api.CoverUpload{File: api.File{Name: "cover.png", Content: bytes.NewReader(picture(t, 64, 96))}}))
		w.ids[[]string{"cover", "cover of the draft"}[n]] = cover.Data.ID.String()
	}
	w.ids["author"] = must[*api.AuthorResponse](t)(c.CreateAuthor(ctx, api.AuthorCreate{Name: "Nobody"})).Data.ID.String()
	w.ids["group"] = must[*api.GroupResponse](t)(c.CreateGroup(ctx, api.GroupCreate{Name: "Nobodies"})).Data.ID.String()
	w.ids["list"] = must[*api.CustomListResponse](t)(c.CreateCustomList(ctx, api.CustomListCreate{Name: "List"})).Data.ID.String()
	w.ids["client"] = approvedClient(t, w.srv, w.access)
	w.ids["relation"] = must[*api.MangaRelationResponse](t)(c.CreateMangaRelation(ctx, titles[0].ID, api.MangaRelationCreate{TargetManga: titles[5].ID, Relation: "spin_off"})).Data.ID.String()
	chapter := must[uuid.UUID](t)(w.srv.State().AddChapter(apitest.Chapter{Manga: titles[0].ID, Number: "99", Pages: 2}))
	w.ids["chapter"], w.ids["other chapter"] = chapter.String(), w.srv.State().Chapters(titles[0].ID)[0].ID.String()
	w.ids["user"] = w.srv.Account.ID.String()
	w.ids["reason"] = must[*api.ReportReasonList](t)(c.ListReportReasons(ctx, "scanlation_group")).Data[0].ID.String()
	template := must[json.RawMessage](t)(c.GetSettingsTemplate(ctx))
	var envelope struct{ Data struct{ ID string } }
	if err := json.Unmarshal(template, &envelope); err != nil {
		t.Fatal(err)
	}
	w.ids["template"] = envelope.Data.ID
}

// openUpload begins a session with two files.
func (w *world) openUpload(t testing.TB) {
	t.Helper()
	session := must[*api.UploadSessionResponse](t)(w.client.BeginUpload(t.Context(), nil, api.UploadSessionCreate{Manga: uuid.MustParse(w.ids["manga"]), Groups: []uuid.UUID{}}))
	w.ids["session"] = session.Data.ID.String()
	pages := must[*api.UploadPagesResponse](t)(w.client.UploadPages(t.Context(), session.Data.ID, api.Pages{
		{Name: "1.png", Content: bytes.NewReader(picture(t, 200, 300))}, {Name: "2.png", Content: bytes.NewReader(picture(t, 210, 300))},
	}))
	w.ids["file"], w.ids["other file"] = pages.Data[0].ID.String(), pages.Data[1].ID.String()
}

// pathIDs names what the places of the paths stand for, where it is not told by the first segment of
// the path.
var pathIDs = map[string][]string{
	"GetMangaDraft": {"draft"}, "CommitMangaDraft": {"draft"}, "UpdateManga": {"draft"}, "UploadCover": {"manga"},
	"DeleteMangaRelation": {"manga", "relation"}, "AddMangaToCustomList": {"manga", "list"}, "RemoveMangaFromCustomList": {"manga", "list"},
	"GetAtHomeServer": {"chapter"}, "BeginChapterEdit": {"chapter"},
	"CheckFollowedManga": {"manga"}, "CheckFollowedGroup": {"group"}, "CheckFollowedCustomList": {"list"}, "CheckFollowedUser": {"user"},
	"GetChapterStatistics": {"chapter"}, "GetGroupStatistics": {"group"}, "GetMangaStatistics": {"manga"},
	"SetRating": {"manga"}, "DeleteRating": {"manga"}, "ConfirmUserDeletion": {"code"}, "GetSettingsTemplateVersion": {"template"},
	"DeleteUploadedPage": {"session", "file"},
}

// fit replaces what cannot be in a request that succeeds: ids of nothing, texts in place of
// languages and addresses. The names of parameters and fields and their number stay.
func (w *world) fit(t *testing.T, op api.Operation, g golden) golden {
	t.Helper()
	target, err := url.Parse(g.target)
	if err != nil {
		t.Fatal(err)
	}
	var path []string
	segments := strings.Split(target.Path, "/")
	place := 0
	for n, part := range strings.Split(op.Path, "/") {
		if !strings.HasPrefix(part, "{") || uuid.Validate(segments[n]) != nil {
			path = append(path, segments[n])
			continue
		}
		kind := segments[1]
		switch kinds := pathIDs[op.ID]; {
		case place < len(kinds):
			kind = kinds[place]
		case kind == "upload":
			kind = "session"
		}
		place++
		id := w.ids[kind]
		if id == "" {
			t.Fatalf("%s: there is no %q for %s", op.ID, kind, part)
		}
		path = append(path, id)
	}
	g.target = strings.Join(path, "/")
	if target.RawQuery != "" {
		values, err := url.ParseQuery(target.RawQuery)
		if err != nil {
			t.Fatal(err)
		}
		for name, list := range values {
			if !known(op.ID, name) {
				values.Del(name) // the document is an older one than that of the golden file
			}
			for n := range list {
				list[n] = w.value(op, strings.TrimSuffix(name, "[]"), list[n], n).(string)
			}
		}
		g.target += "?" + values.Encode()
	}
	switch {
	case strings.HasPrefix(g.header.Get("Content-Type"), "multipart/"):
		g.body = strings.NewReplacer("content 6", string(picture(t, 130, 200)), "content 7", string(picture(t, 130, 200)), "content 9", string(picture(t, 140, 200)), `a b&c=d/é№+%"#8`, "ja", `a b&c=d/é№+%"#9`, "3").Replace(g.body)
		g.body = strings.ReplaceAll(g.body, "\n--BOUNDARY", "\r\n--BOUNDARY")
		g.body = strings.ReplaceAll(g.body, "name=\"volume\"\n", "name=\"volume\"\r\n")
	case g.body != "":
		var body any
		if err := json.Unmarshal([]byte(g.body), &body); err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(w.fitJSON(op, "", body, 0))
		if err != nil {
			t.Fatal(err)
		}
		g.body = string(text)
	}
	return g
}

func (w *world) fitJSON(op api.Operation, name string, v any, n int) any {
	switch v := v.(type) {
	case map[string]any:
		if op.ID == "UpdateSettings" && name == "settings" || op.ID == "CreateSettingsTemplate" {
			return v
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			v[key] = w.fitJSON(op, key, v[key], n)
		}
		return v
	case []any:
		for n := range v {
			v[n] = w.fitJSON(op, name, v[n], n)
		}
		return v
	case float64:
		if name == "version" {
			return version(op)
		}
		return v
	case string:
		return w.value(op, name, v, n)
	}
	return v
}

// version is the newest one of what an operation edits: approving a client was an edit.
func version(op api.Operation) int {
	if strings.HasSuffix(op.ID, "APIClient") {
		return 2
	}
	return 1
}

// value is one that fits in place of a text.
func (w *world) value(op api.Operation, name, old string, n int) any {
	if _, err := uuid.Parse(old); err == nil {
		kinds := map[string]string{
			"includedTags": "tag", "excludedTags": "other tag", "tags": "tag", "artists": "author", "authors": "author", "authorOrArtist": "author",
			"groups": "group", "excludedGroups": "group", "uploader": "user", "uploaders": "user", "excludedUploaders": "user", "leader": "user", "members": "user",
			"primaryCover": "cover of the draft", "targetManga": "other manga", "chapterIdsRead": "chapter", "chapterIdsUnread": "other chapter",
			"objectId": "group", "reason": "reason", "pageOrder": "file", "reasonId": "reason", "group": "group", "chapter": "chapter", "manga": "manga",
			"": "file", "id": "manga", "ids": "manga",
		}
		kind := kinds[name]
		if n == 1 && (name == "pageOrder" || name == "") {
			kind = "other file"
		}
		if op.ID == "CreateForumThread" {
			kind = "group"
		}
		if id := w.ids[kind]; id != "" {
			return id
		}
		return old
	}
	if name == "version" {
		return strconv.Itoa(version(op))
	}
	if !strings.HasPrefix(old, "a b&c") {
		return old
	}
	switch name {
	case "originalLanguage", "excludedOriginalLanguage", "translatedLanguage", "availableTranslatedLanguage", "locales", "locale":
		return []string{"ja", "ko"}[n%2]
	case "focusedLanguages", "focusedLanguage":
		return []string{"en", "de"}[n%2]
	case "externalUrl", "excludeExternalUrl":
		return "reader.example"
	case "year":
		return "2001"
	case "volume", "chapter":
		return fmt.Sprint(3 + n)
	case "booth", "fanBox", "fantia", "melonBook", "naver", "nicoVideo", "pixiv", "skeb", "tumblr", "twitter", "website", "weibo", "youtube", "mangaUpdates", "namicomi":
		return "https://example.test/" + name
	case "username", "email":
		if op.ID == "LegacyLogin" {
			return w.ids[name]
		}
	case "password":
		return w.ids["password"]
	case "token":
		return w.ids["refresh"]
	case "name":
		return "Name of " + op.ID
	}
	return old
}

// Every operation answers the request of its golden file with a success that fits the
// specification, given a state in which there is what the request is about.
func TestGoldensSucceed(t *testing.T) {
	t.Parallel()
	for _, op := range api.Operations() {
		t.Run(op.ID, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.fill(t)
			w.prepare(t, op)
			g := w.fit(t, op, readGolden(t, op.ID))
			header := []string{"Authorization", "Bearer " + w.access}
			if op.Auth == api.AuthNone {
				header = nil
			}
			for name := range g.header {
				header = append(header, name, g.header.Get(name))
			}
			status, body := do(t, w.srv, g.method, g.target, g.body, header...)
			if status < 200 || status > 299 {
				t.Errorf("%s %s\n%.400s\nanswered %d %s", g.method, g.target, g.body, status, body)
			}
		})
	}
}

// prepare makes what only one operation needs.
func (w *world) prepare(t *testing.T, op api.Operation) {
	t.Helper()
	ctx := t.Context()
	account, _ := w.srv.State().Account("keeper")
	w.ids["username"], w.ids["email"], w.ids["password"] = account.Username, account.Email, account.Password
	id := func(kind string) uuid.UUID { return uuid.MustParse(w.ids[kind]) }
	switch op.ID {
	case "GetUploadSession", "UploadPages", "DeleteUploadedPage", "DeleteUploadedPages", "CommitUpload", "AbandonUpload":
		w.openUpload(t)
	case "CheckFollowedManga", "CheckFollowedGroup", "CheckFollowedUser", "CheckFollowedCustomList":
		library := apitest.Library{Manga: []uuid.UUID{id("manga")}, Groups: []uuid.UUID{id("group")}, Users: []uuid.UUID{id("user")}, Lists: []uuid.UUID{id("list")}}
		if err := w.srv.State().SetLibrary("keeper", library); err != nil {
			t.Fatal(err)
		}
	case "LegacyRefresh":
		_, text := do(t, w.srv, "POST", "/auth/login", fmt.Sprintf(`{"username":%q,"password":%q}`, account.Username, account.Password), "Content-Type", "application/json")
		var answer struct{ Token struct{ Refresh string } }
		if err := json.Unmarshal([]byte(text), &answer); err != nil {
			t.Fatal(err)
		}
		w.ids["refresh"] = answer.Token.Refresh
	case "ConfirmUserDeletion":
		keeper := must[*api.UserResponse](t)(w.client.GetCurrentUser(ctx))
		if status, text := do(t, w.srv, "DELETE", "/user/"+keeper.Data.ID.String(), "", "Authorization", "Bearer "+w.access); status != 200 {
			t.Fatalf("%d %s", status, text)
		}
		code, _ := w.srv.State().DeletionCode("keeper")
		w.ids["code"] = code.String()
	}
}
