package api_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jarcoal/httpmock"

	"github.com/mangadex-go/mangadex/api"
)

var update = flag.Bool("update", false, "write the golden files in testdata/wire anew")

var errCaptured = errors.New("captured")

// capture carries out a call and returns the request that it makes.
func capture(t testing.TB, call func(*api.Client) error) *http.Request {
	t.Helper()
	var got *http.Request
	client := newClient(t, func(req *http.Request) (*http.Response, error) {
		got = req
		return nil, errCaptured
	})
	if err := call(client); !errors.Is(err, errCaptured) {
		t.Fatalf("the call returned %v", err)
	}
	return got
}

// wire writes a request down: method and target, headers, body. The boundary of a multipart body
// is replaced, after a check that the parts can be read with it.
func wire(t *testing.T, req *http.Request) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", req.Method, req.URL.RequestURI())
	body := []byte{}
	if req.Body != nil {
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			t.Fatal(err)
		}
		if req.ContentLength != int64(len(body)) {
			t.Errorf("%s %s: the length is %d, the body has %d bytes", req.Method, req.URL.Path, req.ContentLength, len(body))
		}
	}
	boundary := ""
	if mediaType, params, err := mime.ParseMediaType(req.Header.Get("Content-Type")); err == nil && strings.HasPrefix(mediaType, "multipart/") {
		boundary = params["boundary"]
		if _, err := multipart.NewReader(bytes.NewReader(body), boundary).ReadForm(1 << 20); err != nil {
			t.Errorf("%s %s: the form cannot be read: %v", req.Method, req.URL.Path, err)
		}
	}
	names := []string{}
	for name := range req.Header {
		if name != "User-Agent" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range req.Header[name] {
			fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
	}
	if len(body) > 0 {
		fmt.Fprintf(&b, "\n%s\n", body)
	}
	if boundary != "" {
		return strings.ReplaceAll(strings.ReplaceAll(b.String(), boundary, "BOUNDARY"), "\r\n", "\n")
	}
	return b.String()
}

// TestWire makes one request of each operation with everything set, and compares it byte for byte.
func TestWire(t *testing.T) {
	t.Parallel()
	known, inTable := map[string]bool{}, map[string]bool{}
	ops := documentedOperations(t)
	for _, row := range table(t) {
		inTable[shape(row.method, row.path)] = true
		if _, has := ops[shape(row.method, row.path)]; !has {
			known[row.name+".txt"] = true
			t.Logf("the document has no %s %s: testdata/wire/%s.txt waits for it", row.method, row.path, row.name)
		}
	}
	for _, op := range api.Operations() {
		known[op.ID+".txt"] = true
		t.Run(op.ID, func(t *testing.T) {
			t.Parallel()
			got := wire(t, capture(t, func(c *api.Client) error {
				_, err := invoke(t, c, op.ID, &filler{t: t})
				return err
			}))
			path := filepath.Join("testdata", "wire", op.ID+".txt")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(path)
			if errors.Is(err, os.ErrNotExist) && !inTable[shape(op.Method, op.Path)] {
				t.Skipf("%s %s is new: write its request with -update and read it before committing", op.Method, op.Path)
			}
			if err != nil {
				t.Fatalf("%v; write it with -update and read it before committing", err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				changes, err := ops[shape(op.Method, op.Path)].changedWith(string(want), got)
				if err != nil {
					t.Fatalf("%v; the request has changed (-want +got):\n%s", err, diff)
				}
				t.Logf("the document has changed: %s; write the request anew with -update", strings.Join(changes, ", "))
			}
		})
	}
	files, err := os.ReadDir(filepath.Join("testdata", "wire"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !known[file.Name()] {
			t.Errorf("testdata/wire/%s belongs to no operation", file.Name())
		}
	}
}

func read(t testing.TB, r io.Reader) string {
	t.Helper()
	if r == nil || r == io.Reader(http.NoBody) {
		return ""
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestWireUnset checks that what is not set is not sent, however it is not set.
func TestWireUnset(t *testing.T) {
	t.Parallel()
	for _, op := range api.Operations() {
		client := reflect.TypeFor[*api.Client]()
		method, _ := client.MethodByName(op.ID)
		at := -1
		for i := range method.Type.NumIn() {
			if p := method.Type.In(i); p.Kind() == reflect.Pointer && p.Elem().Name() == op.ID+"Params" {
				at = i - 1
			}
		}
		if at < 0 {
			continue
		}
		t.Run(op.ID, func(t *testing.T) {
			t.Parallel()
			params := method.Type.In(at + 1).Elem()
			empty := reflect.New(params) // with empty slices
			for i := range params.NumField() {
				if f := empty.Elem().Field(i); f.Kind() == reflect.Slice {
					f.Set(reflect.MakeSlice(f.Type(), 0, 1))
				}
			}
			for name, value := range map[string]reflect.Value{
				"nil": reflect.Zero(method.Type.In(at + 1)), "zero": reflect.New(params), "empty": empty,
			} {
				req := capture(t, func(c *api.Client) error {
					m := reflect.ValueOf(c).MethodByName(op.ID)
					fill := &filler{t: t}
					args := []reflect.Value{}
					for i := range m.Type().NumIn() - 1 {
						if i == at {
							args = append(args, value)
						} else {
							args = append(args, fill.value(m.Type().In(i), ""))
						}
					}
					results := m.Call(args)
					err, _ := results[len(results)-1].Interface().(error)
					return err
				})
				if req.URL.RawQuery != "" || req.URL.ForceQuery || strings.Contains(req.URL.RequestURI(), "?") {
					t.Errorf("%s parameters send %q", name, req.URL.RequestURI())
				}
			}
		})
	}
}

// TestWireContentType checks that a request has a Content-Type if and only if it has a body.
func TestWireContentType(t *testing.T) {
	t.Parallel()
	bodies := 0
	for _, op := range api.Operations() {
		req := capture(t, func(c *api.Client) error {
			_, err := invoke(t, c, op.ID, &filler{t: t})
			return err
		})
		body := read(t, req.Body)
		_, has := req.Header["Content-Type"]
		if has != (body != "") {
			t.Errorf("%s: Content-Type %q, body %q", op.ID, req.Header["Content-Type"], body)
		}
		if body == "" && (req.Body != nil || req.ContentLength != 0) {
			t.Errorf("%s: a request without a body has the length %d", op.ID, req.ContentLength)
		}
		if body != "" {
			bodies++
			if req.GetBody == nil {
				t.Errorf("%s: the body cannot be sent again", op.ID)
			} else if again, err := req.GetBody(); err != nil || read(t, again) != body {
				t.Errorf("%s: the body is another one when it is sent again: %v", op.ID, err)
			}
		}
		if got := req.Header.Get("Accept"); got != "application/json" {
			t.Errorf("%s: Accept is %q", op.ID, got)
		}
	}
	if bodies == 0 {
		t.Error("no operation has a body")
	}
}

// TestQuery spells the forms of query parameters out.
func TestQuery(t *testing.T) {
	t.Parallel()
	a, b := uuid.MustParse("00000000-0000-4000-8000-00000000000a"), uuid.MustParse("00000000-0000-4000-8000-00000000000b")
	ctx := t.Context()
	for _, test := range []struct {
		name string
		call func(*api.Client) error
		want string
	}{
		{"list", func(c *api.Client) error {
			_, err := c.GetManga(ctx, a, &api.GetMangaParams{Includes: []api.Include{api.IncludeAuthor, api.IncludeCoverArt}})
			return err
		}, "includes%5B%5D=author&includes%5B%5D=cover_art"},
		{"order", func(c *api.Client) error {
			_, err := c.SearchManga(ctx, &api.SearchMangaParams{Order: api.MangaOrder{}.Title(api.Asc).Year(api.Desc)})
			return err
		}, "order[title]=asc&order[year]=desc"},
		{"order the other way round", func(c *api.Client) error {
			_, err := c.SearchManga(ctx, &api.SearchMangaParams{Order: api.MangaOrder{}.Year(api.Desc).Title(api.Asc)})
			return err
		}, "order[year]=desc&order[title]=asc"},
		{"order of volumes, then chapters", func(c *api.Client) error {
			_, err := c.GetMangaFeed(ctx, a, &api.GetMangaFeedParams{Order: api.ChapterOrder{}.Volume(api.Asc).Chapter(api.Asc)})
			return err
		}, "order[volume]=asc&order[chapter]=asc"},
		{"order with a key twice, and one without a direction", func(c *api.Client) error {
			_, err := c.SearchManga(ctx, &api.SearchMangaParams{Order: api.MangaOrder{}.Year(api.Desc).Title(api.Asc).Relevance("").Year(api.Asc)})
			return err
		}, "order[year]=asc&order[title]=asc"},
		{"order without a key", func(c *api.Client) error {
			_, err := c.SearchManga(ctx, &api.SearchMangaParams{Order: api.MangaOrder{}.Year(""), Limit: api.Ptr(1)})
			return err
		}, "limit=1"},
		{"statistics", func(c *api.Client) error {
			_, err := c.ListMangaStatistics(ctx, &api.ListMangaStatisticsParams{Manga: []uuid.UUID{a, b}})
			return err
		}, "manga%5B%5D=" + a.String() + "&manga%5B%5D=" + b.String()},
		{"statistics of chapters", func(c *api.Client) error {
			_, err := c.ListChapterStatistics(ctx, &api.ListChapterStatisticsParams{Chapter: []uuid.UUID{a}})
			return err
		}, "chapter%5B%5D=" + a.String()},
		{"statistics of groups", func(c *api.Client) error {
			_, err := c.ListGroupStatistics(ctx, &api.ListGroupStatisticsParams{Group: []uuid.UUID{a}})
			return err
		}, "group%5B%5D=" + a.String()},
		{"ratings", func(c *api.Client) error {
			_, err := c.ListRatings(ctx, &api.ListRatingsParams{Manga: []uuid.UUID{a, b}})
			return err
		}, "manga%5B%5D=" + a.String() + "&manga%5B%5D=" + b.String()},
		{"lists without brackets upstream", func(c *api.Client) error {
			_, err := c.ListChapters(ctx, &api.ListChaptersParams{
				Includes: []api.Include{api.IncludeUser}, Uploader: []uuid.UUID{a}, Volume: []string{"1", "none"}, Chapter: []string{"0"}})
			return err
		}, "uploader%5B%5D=" + a.String() + "&volume%5B%5D=1&volume%5B%5D=none&chapter%5B%5D=0&includes%5B%5D=user"},
		{"zero", func(c *api.Client) error {
			_, err := c.SearchManga(ctx, &api.SearchMangaParams{Limit: api.Ptr(0), Offset: api.Ptr(0), Title: api.Ptr("")})
			return err
		}, "limit=0&offset=0&title="},
		{"false", func(c *api.Client) error {
			_, err := c.GetAtHomeServer(ctx, a, &api.GetAtHomeServerParams{ForcePort443: api.Ptr(false)})
			return err
		}, "forcePort443=false"},
		{"flags", func(c *api.Client) error {
			_, err := c.GetMangaFeed(ctx, a, &api.GetMangaFeedParams{IncludeEmptyPages: api.Ptr(api.No), IncludeFutureUpdates: api.Ptr(api.Yes)})
			return err
		}, "includeFutureUpdates=1&includeEmptyPages=0"},
		{"time without a zone", func(c *api.Client) error {
			since := time.Date(2021, 2, 3, 4, 5, 6, 7, time.FixedZone("", -3*60*60))
			_, err := c.SearchManga(ctx, &api.SearchMangaParams{CreatedAtSince: api.Since(since)})
			return err
		}, "createdAtSince=2021-02-03T07%3A05%3A06"},
		{"year", func(c *api.Client) error {
			_, err := c.SearchManga(ctx, &api.SearchMangaParams{Year: api.Ptr("none"), IncludedTagsMode: api.Ptr(api.TagModeOr), PublicationDemographic: []api.DemographicFilter{api.DemographicFilterNone}})
			return err
		}, "year=none&includedTagsMode=OR&publicationDemographic%5B%5D=none"},
		{"escaping", func(c *api.Client) error {
			_, err := c.SearchManga(ctx, &api.SearchMangaParams{Title: api.Ptr("a b+c&d=é/?#%[]~")})
			return err
		}, "title=a+b%2Bc%26d%3D%C3%A9%2F%3F%23%25%5B%5D~"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := capture(t, test.call).URL.RawQuery; got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// TestWirePath checks the path of a request: base paths, and values that need escaping.
func TestWirePath(t *testing.T) {
	t.Parallel()
	id := uuid.MustParse("00000000-0000-4000-8000-00000000000a")
	for _, test := range []struct{ server, want string }{
		{"https://api.example.test", "https://api.example.test/manga/" + id.String()},
		{"https://api.example.test/", "https://api.example.test/manga/" + id.String()},
		{"http://localhost:8080/a/b", "http://localhost:8080/a/b/manga/" + id.String()},
		{"http://localhost:8080/a%20b/", "http://localhost:8080/a%20b/manga/" + id.String()},
		{"http://localhost:8080/a%2Fb", "http://localhost:8080/a%2Fb/manga/" + id.String()},
	} {
		var got string
		client, err := api.New(test.server, api.WithHTTPClient(api.DoerFunc(func(req *http.Request) (*http.Response, error) {
			got = req.URL.String()
			return nil, errCaptured
		})), api.WithoutRateLimit(), api.WithoutRetry())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.GetManga(t.Context(), id, nil); !errors.Is(err, errCaptured) {
			t.Fatal(err)
		}
		if got != test.want {
			t.Errorf("%s: %s, want %s", test.server, got, test.want)
		}
	}
	for _, category := range []api.ReportCategory{"a/b", "é ?", "..x", "%2e"} {
		req := capture(t, func(c *api.Client) error { _, err := c.ListReportReasons(t.Context(), category); return err })
		if !strings.HasPrefix(req.URL.EscapedPath(), "/report/reasons/") || req.URL.Path != "/report/reasons/"+string(category) || strings.Count(req.URL.EscapedPath(), "/") != 3 {
			t.Errorf("%q becomes %s", category, req.URL.EscapedPath())
		}
	}
	for _, category := range []api.ReportCategory{"", ".", ".."} {
		client := newClient(t, func(*http.Request) (*http.Response, error) {
			t.Errorf("%q is sent", category)
			return nil, errCaptured
		})
		if _, err := client.ListReportReasons(t.Context(), category); err == nil || !strings.Contains(err.Error(), "ListReportReasons") {
			t.Errorf("%q: %v", category, err)
		}
	}
}

// A nil editor is a forgotten argument, and does nothing.
func TestNilEditor(t *testing.T) {
	t.Parallel()
	mock := httpmock.NewMockTransport()
	mock.RegisterResponder(http.MethodGet, "https://api.mangadex.org/ping", httpmock.NewStringResponder(http.StatusOK, "pong"))
	client, err := api.New(api.Production, api.WithHTTPClient(&http.Client{Transport: mock}))
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Ping(t.Context(), nil); err != nil {
		t.Error(err)
	}
}
