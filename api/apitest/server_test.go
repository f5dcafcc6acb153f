package apitest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
)

// A failing test notes what would fail it.
type failing struct {
	testing.TB
	mu       sync.Mutex
	messages []string
}

func (f *failing) Errorf(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.messages = append(f.messages, fmt.Sprintf(format, args...))
}

func TestStartFailsTheTest(t *testing.T) {
	t.Parallel()
	account := func(srv *apitest.Server) string { // a token
		access, _, err := srv.Tokens().Issue(srv.Account.Username)
		if err != nil {
			t.Fatal(err)
		}
		return access
	}
	for _, test := range []struct {
		name    string
		options []apitest.Option
		send    func(srv *apitest.Server)
		want    string // in the message; empty for none
	}{
		{"a good request", nil, func(srv *apitest.Server) { do(t, srv, "GET", "/manga?limit=100", "") }, ""},
		{"a limit", nil, func(srv *apitest.Server) { do(t, srv, "GET", "/manga?limit=101", "") }, "limit"},
		{"a parameter", nil, func(srv *apitest.Server) { do(t, srv, "GET", "/manga?titel=x", "") }, "titel"},
		{"an id", nil, func(srv *apitest.Server) { do(t, srv, "GET", "/manga/1", "") }, "id:"},
		{"a body", nil, func(srv *apitest.Server) {
			do(t, srv, "POST", "/legacy/mapping", `{"type":"x","ids":[]}`, "Content-Type", "application/json")
		}, "/type: Does"},
		{"a wrong limit when lenient", []apitest.Option{apitest.Lenient()}, func(srv *apitest.Server) { do(t, srv, "GET", "/manga?limit=101", "") }, ""},
		{"an unknown path", nil, func(srv *apitest.Server) { do(t, srv, "GET", "/mango", "") }, "no such operation"},
		{"an unknown title", nil, func(srv *apitest.Server) { do(t, srv, "GET", "/manga/"+nothing, "") }, ""},
		{"a browser", nil, func(srv *apitest.Server) { do(t, srv, "GET", "/ping", "", "User-Agent", "Mozilla/5.0") }, "User-Agent"},
		{"an operation that is expected", []apitest.Option{apitest.WithOnly("Ping", "GetManga")}, func(srv *apitest.Server) { do(t, srv, "GET", "/ping", "") }, ""},
		{"an operation that is not expected", []apitest.Option{apitest.WithOnly("GetManga")}, func(srv *apitest.Server) { do(t, srv, "GET", "/ping", "") }, "Ping was not expected"},
		{"any operation where none is expected", []apitest.Option{apitest.WithOnly()}, func(srv *apitest.Server) { do(t, srv, "GET", "/ping", "") }, "Ping was not expected"},
		{"a fault of nothing", nil, func(srv *apitest.Server) { srv.Fail(apitest.Fault{Operation: "GetMango"}) }, "GetMango"},
		{"a token for a cover", nil, func(srv *apitest.Server) {
			do(t, srv, "GET", srv.UploadsURL+"/covers/x/y", "", "Authorization", "Bearer "+account(srv))
		}, "Authorization"},
		{"a token for a node", nil, func(srv *apitest.Server) {
			chapter := readable(t, newClient(t, srv))
			server, err := newClient(t, srv).GetAtHomeServer(t.Context(), chapter.ID, nil)
			if err != nil {
				t.Fatal(err)
			}
			do(t, srv, "GET", server.BaseURL+"/data/x/y", "", "Authorization", "Bearer "+account(srv))
		}, "a token was sent to an at-home node"},
	} {
		f := &failing{TB: t}
		srv := apitest.Start(f, test.options...)
		test.send(srv)
		f.mu.Lock()
		messages := strings.Join(f.messages, "\n")
		f.mu.Unlock()
		if (messages == "") != (test.want == "") || !strings.Contains(messages, test.want) {
			t.Errorf("%s: the test is told %q, want %q", test.name, messages, test.want)
		}
		if strings.Contains(messages, account(srv)) {
			t.Errorf("%s: the token is in the message", test.name)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]apitest.Option{
		"titles":        apitest.WithTitles(9),
		"10":            apitest.WithTitles(20_001),
		"tokens":        apitest.WithTokenLife(0, time.Hour),
		"Username":      apitest.WithAccount(apitest.Account{}),
		"reader":        apitest.WithAccount(apitest.Account{Username: "reader"}),
		"GetMango":      apitest.WithOnly("GetMango"),
		"GetMangoFault": apitest.WithFaults(apitest.Fault{Operation: "GetMangoFault"}),
		"listen":        apitest.WithAddr("nowhere:x"),
		"localhost:80":  apitest.WithAddr("localhost"), // as it should be
		"WithClock":     apitest.WithClock(nil),
		"RefreshMode 3": apitest.WithRefresh(3),
		"Status 99":     apitest.WithFaults(apitest.Fault{Status: 99}),
		"Status 1000":   apitest.WithFaults(apitest.Fault{Status: 1000}),
		"-2 requests":   apitest.WithFaults(apitest.Fault{Count: -2}),
		"Probability 2": apitest.WithFaults(apitest.Fault{Probability: 2}),
		"NaN":           apitest.WithFaults(apitest.Fault{Probability: math.NaN()}),
		"Delay of -1ns": apitest.WithFaults(apitest.Fault{Delay: -1}),
		"Slow by -1ns":  apitest.WithFaults(apitest.Fault{Slow: -1}),
		"Node 3":        apitest.WithFaults(apitest.Fault{Operation: "Page", Node: 3}),
		"Node 1":        apitest.WithFaults(apitest.Fault{Operation: "Cover", Node: 1}),
		"after -1":      apitest.WithFaults(apitest.Fault{Skip: -1}),
		"1 to 50000":    apitest.WithLongTitle(-1),
		"a Stall of -1": apitest.WithFaults(apitest.Fault{Stall: -1}),
		"Late by 1s":    apitest.WithFaults(apitest.Fault{Late: time.Second, Drop: true}),
		"with After":    apitest.WithFaults(apitest.Fault{After: true, Truncate: true}),
		"with Reset":    apitest.WithFaults(apitest.Fault{Reset: true, Status: 500}),
		"Clamp -1":      apitest.WithFaults(apitest.Fault{Clamp: -1}),
		`"GetManga" wi`: apitest.WithFaults(apitest.Fault{Operation: "GetManga", Shuffle: true}),
		"a Hold of 1s":  apitest.WithFaults(apitest.Fault{Operation: "UploadPages", Hold: time.Second}),
		"RefusePages 1": apitest.WithFaults(apitest.Fault{Operation: "GetManga", RefusePages: 1}),
	} {
		srv, err := apitest.NewServer(nil, option)
		if err == nil || !strings.HasPrefix(err.Error(), "apitest: ") || !strings.Contains(err.Error(), name) {
			t.Errorf("%v does not tell about %s", err, name)
		}
		if err == nil {
			srv.Close()
		}
	}
}

func TestServersDoNotKnowEachOther(t *testing.T) {
	t.Parallel()
	one, two := apitest.Start(t), apitest.Start(t)
	ctx := t.Context()
	first, token := login(t, one, one.Account.Username)
	second, _ := login(t, two, two.Account.Username)
	id := one.State().Manga()[0].ID
	if id != two.State().Manga()[0].ID {
		t.Fatal("the same seed makes other ids")
	}
	if err := first.FollowManga(ctx, id); err != nil {
		t.Fatal(err)
	}
	list := must[*api.CustomListResponse](t)(first.CreateCustomList(ctx, api.CustomListCreate{Name: "x"}))
	one.Fail(apitest.Fault{Operation: "GetManga", Count: apitest.Always, Status: 500})
	if library, _ := two.State().Library(two.Account.Username); len(library.Manga) != 0 {
		t.Errorf("the follow is known: %v", library.Manga)
	}
	if _, err := second.GetCustomList(ctx, list.Data.ID, nil); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("the list is known: %v", err)
	}
	if _, err := second.GetManga(ctx, id, nil); err != nil {
		t.Errorf("the fault is known: %v", err)
	}
	if status, _ := do(t, two, "GET", "/user/me", "", "Authorization", "Bearer "+token); status != http.StatusUnauthorized {
		t.Errorf("the token gets %d", status)
	}
	for _, r := range two.Requests() {
		if r.Operation == "FollowManga" {
			t.Error("the request is known")
		}
	}
	if other := apitest.Start(t, apitest.WithSeed(2)); other.State().Manga()[0].ID == id {
		t.Error("another seed makes the same ids")
	}
}

func TestRequests(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t)
	c, _ := login(t, srv, srv.Account.Username)
	id := srv.State().Manga()[0].ID
	if err := c.SetRating(t.Context(), id, api.RatingEdit{Rating: 7}); err != nil {
		t.Fatal(err)
	}
	if _, err := newClient(t, srv).GetManga(t.Context(), uuid.New(), nil); err == nil {
		t.Fatal("an unknown title is known")
	}
	fetch(t, http.DefaultClient, srv.UploadsURL+"/covers/x/y?z=1")
	got := srv.Requests()
	if len(got) != 3 {
		t.Fatalf("%d requests", len(got))
	}
	if r := got[0]; r.Operation != "SetRating" || r.Method != "POST" || r.URL.Path != "/rating/"+id.String() || string(r.Body) != `{"rating":7}` || r.Username != srv.Account.Username || r.Status != 200 {
		t.Errorf("the first is %+v", r)
	}
	if r := got[1]; r.Operation != "GetManga" || r.Username != "" || r.Status != 404 {
		t.Errorf("the second is %+v", r)
	}
	if r := got[2]; r.Operation != "Cover" || r.URL.RawQuery != "z=1" || r.Status != 404 {
		t.Errorf("the third is %+v", r)
	}
}

// Many clients at once read and write; in the end everything is there, and after Close nothing is
// left of the server.
func TestManyClients(t *testing.T) {
	const clients, rounds = 64, 4
	before := runtime.NumGoroutine()
	srv, err := apitest.NewServer()
	if err != nil {
		t.Fatal(err)
	}
	titles := srv.State().Manga()
	transport := &http.Transport{MaxIdleConnsPerHost: clients}
	var wg sync.WaitGroup
	for n := range clients {
		wg.Go(func() {
			ctx := t.Context()
			name := fmt.Sprint("client", n)
			if _, err := srv.State().AddAccount(apitest.Account{Username: name}); err != nil {
				t.Error(err)
				return
			}
			access, _, err := srv.Tokens().Issue(name)
			if err != nil {
				t.Error(err)
				return
			}
			c, err := api.New(srv.URL, api.WithHTTPClient(&http.Client{Transport: transport}), api.WithoutRateLimit(), api.WithoutRetry(), bearer(access))
			if err != nil {
				t.Error(err)
				return
			}
			for k := range rounds {
				id := titles[(n+k)%len(titles)].ID
				list, err := c.CreateCustomList(ctx, api.CustomListCreate{Name: name, Manga: []uuid.UUID{id}})
				if err != nil {
					t.Error(err)
					return
				}
				_, errSearch := c.SearchManga(ctx, &api.SearchMangaParams{Limit: api.Ptr(20), Includes: []api.Include{"author", "cover_art"}})
				_, errFeed := c.GetMangaFeed(ctx, id, nil)
				errs := []error{
					errSearch, errFeed, c.FollowManga(ctx, id), c.SetRating(ctx, id, api.RatingEdit{Rating: 1 + n%10}),
					c.SetReadingStatus(ctx, id, api.ReadingStatusEdit{Status: api.Value(api.ReadingStatus("reading"))}), c.DeleteCustomList(ctx, list.Data.ID),
				}
				if err := errors.Join(errs...); err != nil {
					t.Error(err)
				}
			}
			if library, _ := srv.State().Library(name); len(library.Manga) != rounds || len(library.Ratings) != rounds || len(library.Statuses) != rounds {
				t.Errorf("%s keeps %d, %d and %d titles", name, len(library.Manga), len(library.Ratings), len(library.Statuses))
			}
		})
	}
	wg.Wait()
	if n := len(srv.Requests()); n != clients*rounds*7 {
		t.Errorf("%d requests, want %d", n, clients*rounds*7)
	}
	srv.Close()
	srv.Close() // again is nothing
	transport.CloseIdleConnections()
	// The goroutines of the clients' connections need a moment to see that these are closed.
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		if n := runtime.NumGoroutine(); n <= before {
			break
		} else if time.Now().After(deadline) {
			buf := make([]byte, 1<<20)
			t.Fatalf("%d goroutines are left of %d:\n%s", n, before, buf[:runtime.Stack(buf, true)])
		}
	}
	if _, err := http.Get(srv.URL + "/ping"); err == nil {
		t.Error("the server answers after Close")
	}
}

// Close does not wait for what only waits itself.
func TestCloseEndsWaits(t *testing.T) {
	t.Parallel()
	srv, err := apitest.NewServer()
	if err != nil {
		t.Fatal(err)
	}
	srv.Fail(apitest.Fault{Operation: "Ping", Delay: time.Hour}, apitest.Fault{Operation: "ListTags", Slow: time.Hour})
	var wg sync.WaitGroup
	for _, path := range []string{"/ping", "/manga/tag"} {
		wg.Go(func() {
			resp, err := http.Get(srv.URL + path)
			if err != nil {
				return
			}
			defer resp.Body.Close()
			if _, err := io.ReadAll(resp.Body); err == nil {
				t.Errorf("%s came to an end", path)
			}
		})
	}
	for len(srv.Requests()) < 2 {
		time.Sleep(time.Millisecond)
	}
	begun := time.Now()
	srv.Close()
	wg.Wait()
	if took := time.Since(begun); took > time.Minute {
		t.Errorf("Close took %v", took)
	}
}

// Within a bubble of testing/synctest the server goes by the time of the bubble.
func TestSynctest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := apitest.Start(t, apitest.WithoutNetwork(), apitest.WithTokenLife(time.Minute, time.Hour))
		srv.Fail(apitest.Fault{Operation: "Ping", Delay: 70 * time.Second}, apitest.Fault{Operation: "ListTags", Slow: time.Minute})
		c, _ := login(t, srv, srv.Account.Username)
		begun := time.Now()
		if err := c.Ping(t.Context()); err != nil {
			t.Error(err)
		}
		if _, err := c.GetCurrentUser(t.Context()); !errors.Is(err, api.ErrUnauthorized) {
			t.Errorf("when its minute is over, the token gets %v", err)
		}
		if took := time.Since(begun); took != 70*time.Second {
			t.Errorf("the delay took %v", took)
		}
		guest := newClient(t, srv)
		begun = time.Now()
		if _, err := guest.ListTags(t.Context()); err != nil || time.Since(begun) != time.Minute {
			t.Errorf("the slow body took %v, %v", time.Since(begun), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		srv.Fail(apitest.Fault{Operation: "Ping", Delay: time.Hour})
		if err := guest.Ping(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a deadline gives %v", err)
		}
	})
}

func TestTransportKnowsItsServerAlone(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t)
	client := &http.Client{Transport: srv.Transport()}
	if _, err := client.Get("https://api.mangadex.example/ping"); err == nil || !strings.Contains(err.Error(), "not a host of this server") {
		t.Errorf("another host: %v", err)
	}
	if _, err := srv.Transport().RoundTrip(&http.Request{}); err == nil || !strings.Contains(err.Error(), "the request has no URL") {
		t.Errorf("no URL: %v", err)
	}
	if resp, body := fetch(t, client, srv.URL+"/ping"); resp.StatusCode != 200 || string(body) != "pong" {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	srv.Close()
	if _, err := client.Get(srv.URL + "/ping"); err == nil || !strings.Contains(err.Error(), "the server is closed") {
		t.Errorf("a server that is closed: %v", err)
	}
}

// One address serves everything, under the name that the client uses for it.
func TestOneAddress(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithAddr("127.0.0.1:0"))
	for _, u := range []string{srv.AuthURL, srv.UploadsURL, srv.ReportURL} {
		if !strings.HasPrefix(u, srv.URL+"/") {
			t.Errorf("%s is not below %s", u, srv.URL)
		}
	}
	other := strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)
	client, err := api.New(other, api.WithoutRateLimit())
	if err != nil {
		t.Fatal(err)
	}
	server := must[*api.AtHomeServer](t)(client.GetAtHomeServer(t.Context(), readable(t, client).ID, nil))
	if !strings.HasPrefix(server.BaseURL, other+"/") {
		t.Errorf("the base URL %s is not below %s", server.BaseURL, other)
	}
	if resp, _ := fetch(t, http.DefaultClient, server.BaseURL+"/data/"+server.Chapter.Hash+"/"+server.Chapter.Data[0]); resp.StatusCode != 200 {
		t.Errorf("a page gets %d", resp.StatusCode)
	}
	cover := must[*api.CoverList](t)(client.ListCovers(t.Context(), nil)).Data[0]
	manga, _ := cover.Relationships.Manga()
	if resp, _ := fetch(t, http.DefaultClient, srv.UploadsURL+"/covers/"+manga.ID.String()+"/"+cover.Attributes.FileName); resp.StatusCode != 200 {
		t.Errorf("a cover gets %d", resp.StatusCode)
	}
	r := realm{t, srv, http.DefaultClient}
	if status := r.me(r.password()["access_token"]); status != 200 {
		t.Errorf("who am I gets %d", status)
	}
	var discovery struct{ Issuer string }
	r.get(strings.Replace(srv.AuthURL, "127.0.0.1", "localhost", 1)+"/.well-known/openid-configuration", &discovery)
	if !strings.HasPrefix(discovery.Issuer, other+"/") {
		t.Errorf("the issuer is %s", discovery.Issuer)
	}
	report := `{"url":"x","success":true,"cached":false,"bytes":1,"duration":1}`
	if status, text := do(t, srv, "POST", srv.ReportURL, report, "Content-Type", "application/json"); status != 200 {
		t.Errorf("a report on a page gets %d %s", status, text)
	}
	operations := []string{}
	for _, r := range srv.Requests() {
		operations = append(operations, r.Operation)
	}
	for _, want := range []string{"GetAtHomeServer", "Page", "Cover", "Token", "Discovery", "Report"} {
		if !slices.Contains(operations, want) {
			t.Errorf("%s is not among the requests %v", want, operations)
		}
	}
}
