package apitest_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
)

// What the client is told and what the server has done are two things: over the network, and
// without it in the same way.
func TestFaultsAfterTheFact(t *testing.T) {
	t.Parallel()
	reset := error(syscall.ECONNRESET)
	if runtime.GOOS == "windows" {
		reset = syscall.Errno(10054) // WSAECONNRESET
	}
	for _, test := range []struct {
		name   string
		fault  apitest.Fault
		done   bool
		status int    // of the answer; 0 for none
		body   string // as far as it is read
		err    error  // of the answer or of the body; nil for none
	}{
		{"a drop", apitest.Fault{Drop: true}, false, 0, "", io.EOF},
		{"a reset", apitest.Fault{Drop: true, Reset: true}, false, 0, "", reset},
		{"a status", apitest.Fault{Status: 502, HTML: true}, false, 502, "<html>", nil},
		{"a drop afterwards", apitest.Fault{Drop: true, After: true}, true, 0, "", io.EOF},
		{"a reset afterwards", apitest.Fault{Drop: true, Reset: true, After: true}, true, 0, "", reset},
		{"a status afterwards", apitest.Fault{Status: 502, After: true}, true, 502, `{"errors":`, nil},
		{"a proxy's page afterwards", apitest.Fault{Status: 504, HTML: true, After: true}, true, 504, "<html>", nil},
		{"a page in place of a success", apitest.Fault{HTML: true}, true, 200, "<html>", nil},
		{"a drop after the header", apitest.Fault{DropBody: true}, true, 200, "", io.ErrUnexpectedEOF},
		{"a reset after the header", apitest.Fault{DropBody: true, Reset: true}, true, 200, "", reset},
		{"half an answer", apitest.Fault{Truncate: true}, true, 200, `{"resul`, io.ErrUnexpectedEOF},
		{"half an answer and a reset", apitest.Fault{Truncate: true, Reset: true}, true, 200, "", reset},
		{"an empty object", apitest.Fault{Empty: true}, true, 200, "{}", nil},
		{"another body", apitest.Fault{Rewrite: func(b []byte) []byte { return append(b, '!') }}, true, 200, `{"result":"ok"}!`, nil},
	} {
		for name, options := range map[string][]apitest.Option{"network": nil, "transport": {apitest.WithoutNetwork()}} {
			srv := apitest.Start(t, options...)
			var transport http.RoundTripper = &http.Transport{DisableKeepAlives: true} // nothing is sent again by itself
			if options != nil {
				transport = srv.Transport()
			}
			access, _, err := srv.Tokens().Issue(srv.Account.Username)
			if err != nil {
				t.Fatal(err)
			}
			id := srv.State().Manga()[0].ID
			fault := test.fault
			fault.Operation = "FollowManga"
			srv.Fail(fault)
			r, _ := http.NewRequest(http.MethodPost, srv.URL+"/manga/"+id.String()+"/follow", nil)
			r.Header.Set("Authorization", "Bearer "+access)
			resp, err := transport.RoundTrip(r)
			status, body := 0, []byte(nil)
			if err == nil {
				status = resp.StatusCode
				body, err = io.ReadAll(resp.Body)
				resp.Body.Close()
			}
			if runtime.GOOS == "windows" && status != 0 && test.err == reset && errors.Is(err, io.ErrUnexpectedEOF) {
				err = reset // Wine, at least, sometimes tells a reset after a part of the answer as an end
			}
			if status != test.status || !strings.HasPrefix(string(body), test.body) || !errors.Is(err, test.err) || test.err == nil && err != nil {
				t.Errorf("%s, %s: %d %s, %v; want %d %s, %v", test.name, name, status, body, err, test.status, test.body, test.err)
			}
			library, _ := srv.State().Library(srv.Account.Username)
			if done := slices.Contains(library.Manga, id); done != test.done {
				t.Errorf("%s, %s: done is %t", test.name, name, done)
			}
		}
	}
}

// A proxy gives up while the server behind it goes on: what was asked for is done later.
func TestLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := apitest.Start(t, apitest.WithoutNetwork(), apitest.WithLimits())
		c, token := login(t, srv, srv.Account.Username)
		id := srv.State().Manga()[0].ID
		follows := func() bool {
			library, _ := srv.State().Library(srv.Account.Username)
			return slices.Contains(library.Manga, id)
		}
		srv.Fail(apitest.Fault{Operation: "FollowManga", Late: time.Minute, HTML: true})
		status, body := do(t, srv, "POST", "/manga/"+id.String()+"/follow", "", "Authorization", "Bearer "+token)
		if status != http.StatusGatewayTimeout || !strings.HasPrefix(body, "<html>") || follows() {
			t.Errorf("%d %s, and it is done: %t", status, body, follows())
		}
		time.Sleep(59 * time.Second)
		synctest.Wait()
		if follows() {
			t.Error("it is done too early")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if !follows() {
			t.Error("it is never done")
		}
		if n := len(srv.Requests()); n != 1 {
			t.Errorf("%d requests", n)
		}
		// What is on its way when the server closes is never done, and nothing is left of it.
		srv.Fail(apitest.Fault{Operation: "UnfollowManga", Late: time.Hour, Status: 502})
		if err := c.UnfollowManga(t.Context(), id); !errors.Is(err, api.ErrServer) {
			t.Error(err)
		}
		srv.Close()
		if !follows() {
			t.Error("it was done in a hurry")
		}
	})
}

// A body that stalls waits where it is read, not before the answer.
func TestStall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := apitest.Start(t, apitest.WithoutNetwork())
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for _, stall := range []time.Duration{30 * time.Second, time.Hour} {
			srv.Fail(apitest.Fault{Operation: "ListTags", Stall: stall})
			begun := time.Now()
			r, _ := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL+"/manga/tag", nil)
			resp, err := srv.Transport().RoundTrip(r)
			if err != nil || time.Since(begun) != 0 {
				t.Fatalf("the header took %v, %v", time.Since(begun), err)
			}
			half := make([]byte, resp.ContentLength/2)
			if n, err := io.ReadFull(resp.Body, half); err != nil || time.Since(begun) != 0 {
				t.Errorf("half of the body: %d bytes after %v, %v", n, time.Since(begun), err)
			}
			rest, err := io.ReadAll(resp.Body)
			if stall < time.Minute && (err != nil || time.Since(begun) != stall || int64(len(half)+len(rest)) != resp.ContentLength) {
				t.Errorf("the rest: %d bytes after %v, %v", len(rest), time.Since(begun), err)
			}
			if stall > time.Minute && !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("a stall without an end gives %v", err)
			}
			resp.Body.Close()
		}
	})
	srv := apitest.Start(t)
	srv.Fail(apitest.Fault{Operation: "ListTags", Stall: 50 * time.Millisecond})
	begun := time.Now()
	if _, body, err := exchange(t, srv.URL+"/manga/tag"); err != nil || !strings.HasSuffix(body, "}") || time.Since(begun) < 45*time.Millisecond {
		t.Errorf("over the network: %v after %v", err, time.Since(begun))
	}
}

// numbers are those of the chapters of a page, and what it says of itself.
func numbers(t *testing.T, srv *apitest.Server, target string) (list []string, limit, total int) {
	t.Helper()
	_, text := do(t, srv, "GET", target, "")
	var answer struct {
		Data []struct {
			Attributes struct{ Chapter string }
		}
		Limit, Total int
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		t.Fatal(err)
	}
	for _, ch := range answer.Data {
		list = append(list, ch.Attributes.Chapter)
	}
	return list, answer.Limit, answer.Total
}

func TestFaultsOfLists(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name         string
		fault        apitest.Fault
		want, second string
		limit, total int // of the second page
	}{
		{"none", apitest.Fault{Operation: "Ping"}, "1 2 3 4", "5 6 7 8", 4, 9},
		{"a clamp", apitest.Fault{Clamp: 3, Count: 2}, "1 2 3", "5 6 7", 3, 9},
		{"short pages", apitest.Fault{Short: 1, Count: 2}, "1 2 3", "5 6 7", 4, 9},
		{"a short page", apitest.Fault{Short: 9, Skip: 1}, "1 2 3 4", "", 4, 9},
		{"a repeated entry", apitest.Fault{Repeat: 1, Count: 2}, "1 2 3 4", "4 5 6 7", 4, 10},
		{"a deletion between the pages", apitest.Fault{Delete: 2}, "1 2 3 4", "7 8 9", 4, 7},
	} {
		for _, path := range []string{"/manga/%/feed?", "/chapter?manga=%&"} {
			srv := apitest.Start(t, apitest.WithoutNetwork())
			manga := must[uuid.UUID](t)(srv.State().AddManga(apitest.Manga{Title: "Pages"}))
			for _, number := range strings.Fields("1 2 3 4 5 6 7 8 9") {
				must[uuid.UUID](t)(srv.State().AddChapter(apitest.Chapter{Manga: manga, Number: number}))
			}
			srv.Fail(test.fault)
			target := strings.ReplaceAll(path, "%", manga.String()) + "order[chapter]=asc&limit=4&offset="
			first, _, _ := numbers(t, srv, target+"0")
			second, limit, total := numbers(t, srv, target+"4")
			if strings.Join(first, " ") != test.want || strings.Join(second, " ") != test.second || limit != test.limit || total != test.total {
				t.Errorf("%s, %s: %v, %v of %d with a limit of %d", test.name, path, first, second, total, limit)
			}
		}
	}
}

// Entries that are equal by the order come in another order each time, all others as before.
func TestShuffle(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithoutNetwork())
	manga := must[uuid.UUID](t)(srv.State().AddManga(apitest.Manga{Title: "Ties"}))
	for n := range 20 {
		volume := []string{"1", "2"}[n/10]
		must[uuid.UUID](t)(srv.State().AddChapter(apitest.Chapter{Manga: manga, Volume: volume, Number: volume + string(rune('0'+n%10))}))
	}
	for _, target := range []string{"/manga/" + manga.String() + "/feed?limit=20&order[volume]=asc", "/chapter?limit=20&order[volume]=asc&manga=" + manga.String()} {
		srv.Heal()
		usual, _, _ := numbers(t, srv, target)
		srv.Fail(apitest.Fault{Shuffle: true, Count: apitest.Always})
		one, _, _ := numbers(t, srv, target)
		two, _, _ := numbers(t, srv, target)
		if slices.Equal(one, two) || slices.Equal(one, usual) {
			t.Errorf("the ties are as they were: %v, %v", one, two)
		}
		for _, list := range [][]string{one, two} {
			slices.Sort(list[:10])
			slices.Sort(list[10:])
			if !slices.Equal(list, usual) {
				t.Errorf("the order does not hold: %v", list)
			}
		}
	}
}

// Whatever else is to change between two requests is changed by the test.
func TestThen(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithoutNetwork())
	id := srv.State().Manga()[0].ID
	srv.Fail(apitest.Fault{Operation: "GetManga", Skip: 1, Then: func() {
		if err := srv.State().DeleteManga(id); err != nil {
			t.Error(err)
		}
	}})
	for n, want := range []int{200, 200, 404} {
		if status, _ := do(t, srv, "GET", "/manga/"+id.String(), ""); status != want {
			t.Errorf("request %d gets %d", n+1, status)
		}
	}
}

// One node is slow, the other one is not.
func TestFaultOfOneNode(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t)
	client := newClient(t, srv)
	chapter := readable(t, client)
	srv.Fail(apitest.Fault{Operation: "Page", Node: 2, Count: apitest.Always, Status: 503})
	statuses := map[int]bool{}
	hosts := map[string]bool{}
	for range 2 {
		server := must[*api.AtHomeServer](t)(client.GetAtHomeServer(t.Context(), chapter.ID, nil))
		resp, _, _ := exchange(t, server.BaseURL+"/data/"+server.Chapter.Hash+"/"+server.Chapter.Data[0])
		statuses[resp.StatusCode] = true
		hosts[server.BaseURL[:strings.LastIndex(server.BaseURL, "/")]] = true
	}
	if !statuses[200] || !statuses[503] || len(hosts) != 2 {
		t.Errorf("the nodes %v answer %v", hosts, statuses)
	}
}

// Titles and chapters change while clients look at them; pages stay what they are unless they are
// replaced.
func TestEdits(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithoutNetwork())
	state, client, ctx := srv.State(), newClient(t, srv), t.Context()
	manga := must[uuid.UUID](t)(state.AddManga(apitest.Manga{Title: "Before"}))
	other := must[uuid.UUID](t)(state.AddManga(apitest.Manga{Title: "Other"}))
	id := must[uuid.UUID](t)(state.AddChapter(apitest.Chapter{Manga: manga, Number: "1", Pages: 3}))
	group := must[uuid.UUID](t)(state.AddGroup(apitest.Group{Name: "Others"}))
	author := must[uuid.UUID](t)(state.AddAuthor(apitest.Author{Name: "Somebody"}))
	pages := func() []string {
		t.Helper()
		server := must[*api.AtHomeServer](t)(client.GetAtHomeServer(ctx, id, nil))
		for _, name := range server.Chapter.Data {
			if resp, _ := fetch(t, &http.Client{Transport: srv.Transport()}, server.BaseURL+"/data/"+server.Chapter.Hash+"/"+name); resp.StatusCode != 200 {
				t.Errorf("%s: %d", name, resp.StatusCode)
			}
		}
		return server.Chapter.Data
	}
	before := pages()
	if err := state.EditManga(manga, func(m *apitest.Manga) { m.Title, m.Authors = "After", []uuid.UUID{author} }); err != nil {
		t.Fatal(err)
	}
	m := must[*api.MangaResponse](t)(client.GetManga(ctx, manga, nil)).Data
	if m.Attributes.Title[0].Text != "After" || m.Attributes.Version != 2 || len(m.Relationships.Authors()) != 1 || m.Relationships.Authors()[0].ID != author {
		t.Errorf("the title is %+v", m)
	}
	if err := state.EditChapter(id, func(ch *apitest.Chapter) {
		ch.Manga, ch.Number, ch.Volume, ch.Groups = other, "2.5", "3", []uuid.UUID{group}
	}); err != nil {
		t.Fatal(err)
	}
	feed := must[*api.ChapterList](t)(client.GetMangaFeed(ctx, other, nil)).Data
	if len(feed) != 1 || *feed[0].Attributes.Chapter != "2.5" || *feed[0].Attributes.Volume != "3" || feed[0].Relationships.Groups()[0].ID != group || feed[0].Attributes.Version != 2 {
		t.Errorf("the chapter is %+v", feed)
	}
	if left := must[*api.ChapterList](t)(client.GetMangaFeed(ctx, manga, nil)).Data; len(left) != 0 {
		t.Errorf("it is where it was, too: %+v", left)
	}
	if after := pages(); !slices.Equal(after, before) {
		t.Errorf("the pages are %v, not %v", after, before)
	}
	if err := state.ReplacePage(id, 2); err != nil {
		t.Fatal(err)
	}
	if after := pages(); after[0] != before[0] || after[1] == before[1] || after[2] != before[2] {
		t.Errorf("the pages are %v after %v", after, before)
	}
	if err := state.DeleteChapter(id); err != nil {
		t.Fatal(err)
	}
	if _, err := client.GetChapter(ctx, id, nil); !errors.Is(err, api.ErrNotFound) {
		t.Error(err)
	}
	for name, err := range map[string]error{
		"no title":   state.EditManga(id, func(*apitest.Manga) {}),
		"no chapter": state.EditChapter(manga, func(*apitest.Chapter) {}),
		"no group":   state.EditChapter(state.Chapters(state.Manga()[0].ID)[0].ID, func(ch *apitest.Chapter) { ch.Groups = []uuid.UUID{id} }),
		"no author":  state.EditManga(manga, func(m *apitest.Manga) { m.Authors = []uuid.UUID{id} }),
		"no page":    state.ReplacePage(id, 1),
		"deleted":    state.DeleteChapter(id),
		"never":      state.DeleteManga(id),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "apitest: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Titles and chapters are renamed, renumbered and moved behind the answer that shows them.
func TestAlterations(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithoutNetwork())
	state, client, ctx := srv.State(), newClient(t, srv), t.Context()
	manga := must[uuid.UUID](t)(state.AddManga(apitest.Manga{Title: "Before"}))
	group := must[uuid.UUID](t)(state.AddGroup(apitest.Group{Name: "Those"}))
	chapter := must[uuid.UUID](t)(state.AddChapter(apitest.Chapter{Manga: manga, Volume: "3", Number: "10", Groups: []uuid.UUID{group}, Pages: 2}))
	srv.Fail(
		apitest.Fault{Operation: "GetManga", Rename: 1}, apitest.Fault{Operation: "GetMangaFeed", Renumber: 1, Revolume: 1},
		apitest.Fault{Operation: "GetChapter", Regroup: 1}, apitest.Fault{Operation: "GetAtHomeServer", Replace: 1},
	)
	for _, want := range []string{"Before", "Before (renamed)", "Before (renamed)"} {
		if got := must[*api.MangaResponse](t)(client.GetManga(ctx, manga, nil)).Data.Attributes.Title.String(); got != want {
			t.Errorf("the title is %q, want %q", got, want)
		}
	}
	for _, want := range []string{"3 10", "4 11", "4 11"} {
		a := must[*api.ChapterList](t)(client.GetMangaFeed(ctx, manga, nil)).Data[0].Attributes
		if got := *a.Volume + " " + *a.Chapter; got != want {
			t.Errorf("the chapter is %q, want %q", got, want)
		}
	}
	var groups []uuid.UUID
	for range 3 {
		groups = append(groups, must[*api.ChapterResponse](t)(client.GetChapter(ctx, chapter, nil)).Data.Relationships.Groups()[0].ID)
	}
	if groups[0] != group || groups[1] == group || groups[2] != groups[1] {
		t.Errorf("the groups are %v", groups)
	}
	before := must[*api.AtHomeServer](t)(client.GetAtHomeServer(ctx, chapter, nil)).Chapter.Data
	after := must[*api.AtHomeServer](t)(client.GetAtHomeServer(ctx, chapter, nil)).Chapter.Data
	if before[0] == after[0] || before[1] != after[1] {
		t.Errorf("the pages were %v and are %v", before, after)
	}
	for _, fault := range []apitest.Fault{{Operation: "GetManga", Rename: -1}, {Operation: "Ping", Renumber: 1}} {
		if _, err := apitest.NewServer(apitest.WithFaults(fault), apitest.WithTitles(10)); err == nil {
			t.Errorf("the fault %+v passes", fault)
		}
	}
}
