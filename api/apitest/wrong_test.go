package apitest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
)

// A misuse is a request that is wrong, and the answer to it.
type misuse struct {
	name, method, target, body string
	status                     int
	title                      string // of the error
	detail                     string // a part of that of the error
}

func checkMisuses(t *testing.T, w *world, access string, tests []misuse) {
	t.Helper()
	for _, test := range tests {
		header := []string{"Content-Type", "application/json"}
		if test.body == "" {
			header = nil
		}
		if access != "" {
			header = append(header, "Authorization", "Bearer "+access)
		}
		status, text := do(t, w.srv, test.method, test.target, test.body, header...)
		optional := func(prefix string) bool { return strings.HasPrefix(test.target, prefix) }
		if r, err := http.NewRequest(test.method, test.target, nil); err == nil && slices.ContainsFunc([]string{"/auth/", "/client/", "/forums/"}, optional) && status == http.StatusNotFound {
			if _, has := api.OperationOf(r); !has {
				t.Logf("%s: the document has no %s %s", test.name, test.method, test.target)
				continue
			}
		}
		var answer struct {
			Result string
			Errors []struct {
				ID, Title, Detail string
				Status            int
			}
		}
		if err := json.Unmarshal([]byte(text), &answer); err != nil {
			t.Errorf("%s: %v in %s", test.name, err, text)
			continue
		}
		if status != test.status || answer.Result != "error" || len(answer.Errors) != 1 {
			t.Errorf("%s: %d %s, want %d", test.name, status, text, test.status)
			continue
		}
		if e := answer.Errors[0]; e.Status != test.status || e.Title != test.title || !strings.Contains(e.Detail, test.detail) || uuid.Validate(e.ID) != nil {
			t.Errorf("%s: %+v, want %s with %q", test.name, e, test.title, test.detail)
		}
	}
}

const (
	nothing    = "00000000-0000-4000-8000-000000000000"
	invalid    = "validation_exception"
	missing    = "not_found_http_exception"
	forbidden  = "access_denied_http_exception"
	conflicted = "conflict_http_exception"
)

func TestWrongRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t, apitest.Lenient())
	w.fill(t)
	manga := w.ids["manga"]
	checkMisuses(t, w, "", []misuse{
		{"unknown title", "GET", "/manga/" + nothing, "", 404, missing, nothing},
		{"unknown chapter", "GET", "/chapter/" + nothing, "", 404, missing, nothing},
		{"unknown author", "GET", "/author/" + nothing, "", 404, missing, nothing},
		{"unknown group", "GET", "/group/" + nothing, "", 404, missing, nothing},
		{"unknown cover", "GET", "/cover/" + nothing, "", 404, missing, nothing},
		{"unknown list", "GET", "/list/" + nothing, "", 404, missing, nothing},
		{"unknown user", "GET", "/user/" + nothing, "", 404, missing, nothing},
		{"unknown statistics", "GET", "/statistics/manga/" + nothing, "", 404, missing, nothing},
		{"at-home of an unknown chapter", "GET", "/at-home/server/" + nothing, "", 404, missing, nothing},
		{"bad uuid", "GET", "/manga/12345", "", 404, missing, "No route found"},
		{"limit above the maximum", "GET", "/manga?limit=101", "", 400, invalid, "Error validating /limit: Must have a maximum value of 100"},
		{"limit of a feed above the maximum", "GET", "/manga/" + manga + "/feed?limit=501", "", 400, invalid, "limit"},
		{"limit that is no number", "GET", "/manga?limit=ten", "", 400, invalid, "limit"},
		{"negative offset", "GET", "/manga?offset=-1", "", 400, invalid, "offset"},
		{"offset and limit above 10,000", "GET", "/manga?limit=100&offset=9901", "", 400, invalid, "offset"},
		{"offset and limit of chapters", "GET", "/chapter?limit=1&offset=10000", "", 400, invalid, "offset"},
		{"too many ids", "GET", "/manga?" + strings.Repeat("ids[]="+nothing+"&", 101), "", 400, invalid, "/ids: There must be a maximum of 100 items in the array"},
		{"unknown parameter", "GET", "/manga?name=x", "", 400, invalid, "Error validating : The property name is not defined and the definition does not allow additional properties"},
		{"array without brackets", "GET", "/manga?ids=" + nothing, "", 400, invalid, "/ids: String value found, but an array is required"},
		{"unknown enum value", "GET", "/manga?status[]=paused", "", 400, invalid, `/status/0: Does not have a value in the enumeration ["ongoing","completed","hiatus","cancelled"]`},
		{"unknown order", "GET", "/manga?order[name]=asc", "", 400, invalid, "/order: The property name is not defined"},
		{"order that is no array", "GET", "/manga?order=relevance", "", 400, invalid, "/order: String value found, but an object is required"},
		{"unknown direction", "GET", "/manga?order[title]=up", "", 400, invalid, "/order/title"},
		{"time with a zone", "GET", "/manga?createdAtSince=2020-01-02T03:04:05Z", "", 400, invalid, "createdAtSince"},
		{"wrong flag", "GET", "/chapter?includeEmptyPages=2", "", 400, invalid, "includeEmptyPages"},
		{"wrong word for a flag", "GET", "/chapter?includeFutureUpdates=true", "", 400, invalid, `/includeFutureUpdates: Does not have a value in the enumeration ["0","1"]`},
		{"missing parameter", "GET", "/statistics/manga", "", 400, invalid, "/manga: The property manga is required"},
		{"expansion that is no array", "GET", "/manga/" + manga + "?includes=chapter", "", 400, invalid, "/includes"},
		{"unknown path", "GET", "/mangas", "", 404, missing, "/mangas"},
		{"base path", "GET", "/v5/manga", "", 404, missing, "/v5/manga"},
		{"wrong method", "PATCH", "/manga/" + manga, "", 405, "method_not_allowed_http_exception", "PATCH"},
		{"missing token", "GET", "/user/me", "", 401, "http_exception", "authentication"},
		{"missing token of a write", "POST", "/manga/" + manga + "/follow", "", 401, "http_exception", "authentication"},
		{"no user", "POST", "/auth/login", `{"username":"nobody","password":"12345678"}`, 401, "unauthorized_http_exception", "User not found"},
		{"wrong password", "POST", "/auth/login", fmt.Sprintf(`{"username":%q,"password":"12345678"}`, w.srv.Account.Username), 401, "unauthorized_http_exception", "does not match"},
		{"neither name nor mail", "POST", "/auth/login", `{"password":"12345678"}`, 400, invalid, "username"},
		{"short password", "POST", "/auth/login", `{"username":"nobody","password":"1"}`, 400, invalid, "/password"},
		{"wrong refresh token", "POST", "/auth/refresh", `{"token":"x"}`, 401, "unauthorized_http_exception", "refresh"},
		{"malformed JSON", "POST", "/legacy/mapping", `{`, 400, invalid, "Syntax error"},
		{"something after the body", "POST", "/legacy/mapping", `{"type":"manga","ids":[1]} junk`, 400, invalid, "Syntax error"},
		{"unknown member", "POST", "/legacy/mapping", `{"type":"manga","ids":[1],"more":1}`, 400, invalid, "more"},
		{"missing member", "POST", "/legacy/mapping", `{"type":"manga"}`, 400, invalid, "/ids: The property ids is required"},
	})
	checkMisuses(t, w, "wrong", []misuse{{"wrong token", "GET", "/manga", "", 401, "http_exception", "authentication"}})

	member, _, err := w.srv.Tokens().Issue(w.srv.Account.Username)
	if err != nil {
		t.Fatal(err)
	}
	checkMisuses(t, w, member, []misuse{
		{"deleting an author as a member", "DELETE", "/author/" + w.ids["author"], "", 403, forbidden, "author.delete"},
		{"deleting a group as a member", "DELETE", "/group/" + w.ids["group"], "", 403, forbidden, "scanlation_group.delete"},
		{"deleting a title as a member", "DELETE", "/manga/" + manga, "", 403, forbidden, "manga.delete"},
		{"deleting the cover of somebody else", "DELETE", "/cover/" + w.ids["cover"], "", 403, forbidden, "cover.delete"},
		{"editing the group of others", "PUT", "/group/" + w.ids["group"], `{"version":1}`, 403, forbidden, "members"},
		{"editing the chapter of others", "PUT", "/chapter/" + w.ids["other chapter"], `{"version":1}`, 403, forbidden, "chapter.edit.any"},
		{"the private list of somebody else", "PUT", "/list/" + w.ids["list"], `{"version":1}`, 404, missing, w.ids["list"]},
		{"the draft of somebody else", "GET", "/manga/draft/" + w.ids["draft"], "", 404, missing, w.ids["draft"]},
		{"the client of somebody else", "GET", "/client/" + w.ids["client"], "", 404, missing, w.ids["client"]},
		{"the settings template", "POST", "/settings/template", `{}`, 403, forbidden, "settings_template.create"},
		{"no open session", "GET", "/upload", "", 404, missing, "session"},
		{"editing the pages of others", "POST", "/upload/begin/" + w.ids["other chapter"], `{"version":1}`, 401, "unauthorized_http_exception", "edit"},
	})
	checkMisuses(t, w, w.access, []misuse{
		{"stale title", "PUT", "/manga/" + manga, `{"version":7}`, 409, conflicted, "version"},
		{"stale chapter", "PUT", "/chapter/" + w.ids["chapter"], `{"version":7}`, 409, conflicted, "version"},
		{"stale author", "PUT", "/author/" + w.ids["author"], `{"version":7}`, 409, conflicted, "version"},
		{"stale group", "PUT", "/group/" + w.ids["group"], `{"version":7}`, 409, conflicted, "version"},
		{"stale cover", "PUT", "/cover/" + w.ids["cover"], `{"version":7,"volume":null}`, 409, conflicted, "version"},
		{"stale list", "PUT", "/list/" + w.ids["list"], `{"version":7}`, 409, conflicted, "version"},
		{"stale client", "POST", "/client/" + w.ids["client"], `{"version":7}`, 409, conflicted, "version"},
		{"stale client to delete", "DELETE", "/client/" + w.ids["client"] + "?version=7", "", 409, conflicted, "version"},
		{"stale draft", "POST", "/manga/draft/" + w.ids["draft"] + "/commit", `{"version":7}`, 409, conflicted, "version"},
		{"stale chapter to edit", "POST", "/upload/begin/" + w.ids["chapter"], `{"version":7}`, 409, conflicted, "version"},
		{"rating above ten", "POST", "/rating/" + manga, `{"rating":11}`, 400, invalid, "/rating"},
		{"unknown status", "POST", "/manga/" + manga + "/status", `{"status":"paused"}`, 400, invalid, "/status"},
		{"relation to itself", "POST", "/manga/" + manga + "/relation", fmt.Sprintf(`{"targetManga":%q,"relation":"sequel"}`, manga), 400, invalid, "targetManga"},
		{"unknown tag", "PUT", "/manga/" + manga, fmt.Sprintf(`{"version":1,"tags":[%q]}`, nothing), 404, missing, "Tag"},
		{"group of the same name", "POST", "/group", `{"name":"nobodies"}`, 409, conflicted, "name"},
		{"report without details", "POST", "/report", fmt.Sprintf(`{"category":"scanlation_group","reason":%q,"objectId":%q,"details":" "}`, w.ids["reason"], w.ids["group"]), 400, invalid, "/details"},
		{"report with the reason of something else", "POST", "/report", fmt.Sprintf(`{"category":"manga","reason":%q,"objectId":%q,"details":"x"}`, w.ids["reason"], manga), 404, missing, "reason"},
		{"report on nothing", "POST", "/report", fmt.Sprintf(`{"category":"scanlation_group","reason":%q,"objectId":%q,"details":"x"}`, w.ids["reason"], nothing), 404, missing, nothing},
		{"forum thread of nothing", "POST", "/forums/thread", fmt.Sprintf(`{"type":"manga","id":%q}`, nothing), 404, missing, nothing},
		{"list with an unknown title", "POST", "/list", fmt.Sprintf(`{"name":"x","manga":[%q]}`, nothing), 404, missing, nothing},
		{"read markers of 15.6 kB", "POST", "/manga/" + manga + "/read", `{"chapterIdsRead":["` + strings.Repeat(nothing+`","`, 400) + nothing + `"]}`, 413, "payload_too_large_http_exception", "10 kB"},
	})
	if status, text := do(t, w.srv, "GET", "/user/follows/manga/"+manga, "", "Authorization", "Bearer "+w.access); status != 404 || text != `{"result":"ko"}` {
		t.Errorf("a check of a follow that is not: %d %s", status, text)
	}
	for _, agent := range []string{"", "Mozilla/5.0 (X11)"} {
		r, _ := http.NewRequest("GET", w.srv.URL+"/manga", nil)
		r.Header.Set("User-Agent", agent)
		resp, body := send(t, judged(t, w.srv), r)
		if resp.StatusCode != 400 || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain") || !strings.Contains(body, "User-Agent") {
			t.Errorf("User-Agent %q: %d %s", agent, resp.StatusCode, body)
		}
	}
	if status, text := do(t, w.srv, "GET", "/statistics/manga?"+strings.Repeat("manga[]="+nothing+"&", 200), ""); status != 414 || !strings.HasPrefix(text, "<html>") {
		t.Errorf("a long target: %d %.80s", status, text)
	}
	if status, _ := do(t, w.srv, "GET", "/manga", "", "Via", "1.1 proxy"); status != 400 {
		t.Errorf("through a proxy: %d", status)
	}
	if status, text := do(t, w.srv, "GET", "/manga/"+nothing+"/feed", ""); status != 200 || !strings.Contains(text, `"total":0`) {
		t.Errorf("the feed of an unknown title: %d %s", status, text)
	}
	if status, text := do(t, w.srv, "GET", "/manga/"+nothing+"/aggregate", ""); status != 200 || !strings.Contains(text, `"volumes":[]`) {
		t.Errorf("the aggregate of an unknown title: %d %s", status, text)
	}
}

// form is a multipart body with files, all of which are the same.
func form(content []byte, fields ...string) string {
	var b strings.Builder
	for _, field := range fields {
		fmt.Fprintf(&b, "--b\r\nContent-Disposition: form-data; name=%q; filename=%q\r\n\r\n%s\r\n", field, field+".png", content)
	}
	return b.String() + "--b--\r\n"
}

func TestWrongUploads(t *testing.T) {
	t.Parallel()
	w := newWorld(t, apitest.Lenient())
	w.fill(t)
	w.openUpload(t)
	session := "/upload/" + w.ids["session"]
	commit := func(change string) string {
		body := fmt.Sprintf(`{"chapterDraft":{"volume":null,"chapter":"1","title":null,"translatedLanguage":"en"},"pageOrder":[%q,%q],"termsAccepted":true}`, w.ids["file"], w.ids["other file"])
		from, to, _ := strings.Cut(change, "=>")
		return strings.Replace(body, from, to, 1)
	}
	checkMisuses(t, w, w.access, []misuse{
		{"second session", "POST", "/upload/begin", fmt.Sprintf(`{"manga":%q,"groups":[]}`, w.ids["manga"]), 409, conflicted, "open upload session"},
		{"commit without the terms", "POST", session + "/commit", commit(`"termsAccepted":true=>"termsAccepted":false`), 400, invalid, "termsAccepted"},
		{"commit that does not mention the terms", "POST", session + "/commit", commit(`,"termsAccepted":true=>`), 400, invalid, "termsAccepted"},
		{"commit of an unknown page", "POST", session + "/commit", commit(w.ids["file"] + "=>" + nothing), 400, invalid, "pageOrder"},
		{"commit of a page twice", "POST", session + "/commit", commit(w.ids["file"] + "=>" + w.ids["other file"]), 400, invalid, "pageOrder"},
		{"commit without pages", "POST", session + "/commit", commit(fmt.Sprintf("%q,%q=>", w.ids["file"], w.ids["other file"])), 400, invalid, "pageOrder"},
		{"commit of a wrong number", "POST", session + "/commit", commit(`"chapter":"1"=>"chapter":"one"`), 400, invalid, "chapter"},
		{"unknown session", "DELETE", "/upload/" + nothing, "", 404, missing, nothing},
		{"unknown file", "DELETE", session + "/" + nothing, "", 404, missing, nothing},
		{"approval for an unknown title", "POST", "/upload/check-approval-required", fmt.Sprintf(`{"manga":%q,"locale":"en"}`, nothing), 404, missing, nothing},
	})
	upload := func(body string) (int, string) {
		return do(t, w.srv, "POST", session, body, "Authorization", "Bearer "+w.access, "Content-Type", "multipart/form-data; boundary=b")
	}
	good := picture(t, 10, 10)
	var eleven []string
	for n := range 11 {
		eleven = append(eleven, fmt.Sprintf("file%d", n))
	}
	if status, text := upload(form(good, eleven...)); status != 400 || !strings.Contains(text, "at most 10 files") {
		t.Errorf("eleven files: %d %s", status, text)
	}
	if status, text := upload(form(good, eleven[:10]...)); status != 200 || strings.Count(text, `"upload_session_file"`) != 10 {
		t.Errorf("ten files: %d %s", status, text)
	}
	if status, text := upload("--b--\r\n"); status != 400 {
		t.Errorf("no file: %d %s", status, text)
	}
	if status, text := upload("nonsense"); status != 400 {
		t.Errorf("no form: %d %s", status, text)
	}
	half := strings.TrimSuffix(form(good, "a"), "--b--\r\n") + form([]byte("no picture at all"), "b")
	if status, text := upload(half); status != 200 || !strings.Contains(text, `"result":"ok"`) || strings.Count(text, `"upload_session_file"`) != 1 || !strings.Contains(text, "not a JPEG, PNG or GIF") {
		t.Errorf("a picture and nonsense: %d %s", status, text)
	}
	if status, text := upload(form(good[:len(good)-20], "cut")); status != 200 || !strings.Contains(text, `"result":"error"`) {
		t.Errorf("a picture that is cut off: %d %s", status, text)
	}
	if status, text := upload(form(picture(t, 10_000, 1), "wide")); !strings.Contains(text, "10000 pixels") {
		t.Errorf("a picture that is too wide: %d %s", status, text)
	}
	if status, text := upload(form(good, "same", "same")); status != 200 || strings.Count(text, `"upload_session_file"`) != 1 {
		t.Errorf("two files in one field: %d %s; the last one counts", status, text)
	}
}
