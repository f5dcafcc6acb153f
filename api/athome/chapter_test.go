package athome_test

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/athome"
)

func TestOpen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3, 100)
	w.names[2] = "x3.png" // carries no hash
	chapter := w.open(t)
	want := []athome.Page{
		{Index: 0, Name: w.names[0], SHA256: sum(w.pages[0]), URL: "https://node1.example.test:8443/key1/data/" + w.hash + "/" + w.names[0]},
		{Index: 1, Name: w.names[1], SHA256: sum(w.pages[1]), URL: "https://node1.example.test:8443/key1/data/" + w.hash + "/" + w.names[1]},
		{Index: 2, Name: "x3.png", URL: "https://node1.example.test:8443/key1/data/" + w.hash + "/x3.png"},
	}
	if diff := cmp.Diff(want, chapter.Pages()); diff != "" {
		t.Errorf("Pages (-want +got):\n%s", diff)
	}
	if details := chapter.Details(); details.ID != chapterID || details.Attributes.Pages != 3 {
		t.Errorf("Details: %+v", details)
	}
	for i, page := range chapter.Pages() {
		image, err := chapter.Fetch(t.Context(), page)
		must(t, err)
		if !bytes.Equal(image.Data, w.pages[i]) || image.ContentType != "image/png" || image.Ext() != ".png" || image.Page != page {
			t.Errorf("page %d is not what was fetched: %d bytes of %s, %+v", i, len(image.Data), image.ContentType, image.Page)
		}
	}
	if diff := cmp.Diff(map[string]int{"GetChapter": 1, "GetAtHomeServer": 1, "Page": 3}, w.calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if w.forced != "" {
		t.Errorf("forcePort443=%s was sent without being asked for", w.forced)
	}
}

func TestOpenOptions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2, 100)
	details := api.Chapter{ID: chapterID, Attributes: api.ChapterAttributes{Pages: 2}}
	chapter := w.open(t, athome.WithDataSaver(), athome.WithPort443(), athome.WithDetails(details), nil)
	if w.called("GetChapter") != 0 {
		t.Error("the chapter was asked for although its details were given")
	}
	if w.forced != "true" {
		t.Errorf("forcePort443=%s", w.forced)
	}
	for i, page := range chapter.Pages() {
		image, err := chapter.Fetch(t.Context(), page)
		must(t, err)
		if !bytes.Equal(image.Data, w.saver[i]) || image.Ext() != ".jpg" || !strings.Contains(image.Page.URL, "/data-saver/") {
			t.Errorf("page %d is not the smaller version: %s, %s", i, image.ContentType, image.Page.URL)
		}
	}
}

func TestOpenWithoutPages(t *testing.T) {
	t.Parallel()
	const link = "https://publisher.example/7"
	for name, test := range map[string]struct {
		details map[string]any
		empty   bool // the node has no pages
		saver   bool
		want    error
		text    string
		atHome  int // calls that it may cost
	}{
		"external":               {details: map[string]any{"pages": 0, "externalUrl": link}, want: athome.ErrExternal, text: "read it at " + link},
		"external by its node":   {details: map[string]any{"pages": 3, "externalUrl": link}, empty: true, want: athome.ErrExternal, text: "read it at " + link, atHome: 1},
		"unavailable":            {details: map[string]any{"pages": 3, "isUnavailable": true}, want: athome.ErrTakenDown, text: "taken down"},
		"unavailable, external":  {details: map[string]any{"pages": 0, "isUnavailable": true, "externalUrl": link}, want: athome.ErrTakenDown},
		"no pages":               {details: map[string]any{"pages": 0}, want: athome.ErrNoPages, text: "has no pages"},
		"no pages, empty link":   {details: map[string]any{"pages": 0, "externalUrl": ""}, want: athome.ErrNoPages},
		"no pages by its node":   {details: map[string]any{"pages": 3}, empty: true, want: athome.ErrNoPages, atHome: 1},
		"no data-saver versions": {details: map[string]any{"pages": 3}, empty: true, saver: true, want: athome.ErrNoPages, atHome: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 1, 100)
			w.details = test.details
			var options []athome.Option
			switch {
			case test.saver:
				w.savers = nil
				options = append(options, athome.WithDataSaver())
			case test.empty:
				w.show()
			}
			_, err := w.tryOpen(t, options...)
			if !errors.Is(err, test.want) {
				t.Fatalf("got %v, want %v", err, test.want)
			}
			if !strings.Contains(err.Error(), test.text) || !strings.Contains(err.Error(), chapterID.String()) {
				t.Errorf("the error does not say %q and which chapter: %v", test.text, err)
			}
			var external *athome.ExternalError
			if is := errors.As(err, &external); is != (test.want == athome.ErrExternal) {
				t.Errorf("ExternalError: %v", is)
			} else if is && (external.URL != link || external.Chapter != chapterID) {
				t.Errorf("the link is lost: %+v", external)
			}
			if got := w.called("GetAtHomeServer"); got != test.atHome {
				t.Errorf("%d at-home calls, want %d", got, test.atHome)
			}
		})
	}
}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	other := uuid.MustParse("00000000-0000-4000-8000-0000000000c2")
	for name, test := range map[string]struct {
		change  func(*world)
		options []athome.Option
		want    string
	}{
		"other details": {
			options: []athome.Option{athome.WithDetails(api.Chapter{ID: other})},
			want:    "WithDetails: these are the details of chapter " + other.String() + ", not of " + chapterID.String(),
		},
		"parallel":         {options: []athome.Option{athome.WithParallel(0)}, want: "WithParallel(0): give a number from 1 to 64"},
		"too parallel":     {options: []athome.Option{athome.WithParallel(65)}, want: "WithParallel(65): give a number from 1 to 64"},
		"memory":           {options: []athome.Option{athome.WithMemory(0)}, want: "WithMemory(0): give a number of bytes above zero"},
		"page size":        {options: []athome.Option{athome.WithMaxPageSize(-1)}, want: "WithMaxPageSize(-1): give a number of bytes above zero"},
		"large page size":  {options: []athome.Option{athome.WithMaxPageSize(math.MaxInt64)}, want: "WithMaxPageSize(9223372036854775807): give a number of bytes above zero, and at most 1073741824"},
		"timeout":          {options: []athome.Option{athome.WithStallTimeout(0)}, want: "WithStallTimeout(0s): give a duration above zero"},
		"client":           {options: []athome.Option{athome.WithHTTPClient(nil)}, want: "WithHTTPClient: the client is nil; leave the option out"},
		"agent":            {options: []athome.Option{athome.WithUserAgent("Mozilla/5.0")}, want: "looks like that of a browser"},
		"report URL":       {options: []athome.Option{athome.WithReportURL("reports.example")}, want: `WithReportURL: the address "reports.example" needs a scheme, https or http, and a host`},
		"report password":  {options: []athome.Option{athome.WithReportURL("https://me:hunter2@reports.example")}, want: "WithReportURL: the address must not hold a user name or a password"},
		"for covers":       {options: []athome.Option{athome.WithUploadsServer("https://uploads.example")}, want: "WithUploadsServer: it is for NewCovers; Open has no use for it"},
		"report not a URL": {options: []athome.Option{athome.WithReportURL("https://me:hunter2@%%")}, want: "WithReportURL: the address is not a URL"},
		"no such chapter": {
			change: func(w *world) {
				w.atHome = func(int) fault { return status(404) }
			},
			want: "athome: chapter " + chapterID.String() + ": api: GetAtHomeServer",
		},
		"node without host": {change: func(w *world) { w.base = func(int) string { return "/pages" } }, want: "the server names a node by a text that is not the address of a host"},
		"node of files":     {change: func(w *world) { w.base = func(int) string { return "file:///etc" } }, want: "the server names a node by a text that is not the address of a host"},
		"page name empty":   {change: func(w *world) { w.say = naming(1, "") }, want: `the server calls page 2 "", which cannot be in an address`},
		"page name dots":    {change: func(w *world) { w.say = naming(0, "..") }, want: `the server calls page 1 "..", which cannot be in an address`},
		"hash dots":         {change: func(w *world) { w.say = hashing("..") }, want: `the hash "..", which cannot be in an address`},
		"hash empty":        {change: func(w *world) { w.say = hashing("") }, want: `the hash "", which cannot be in an address`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 2, 100)
			if test.change != nil {
				test.change(w)
			}
			_, err := w.tryOpen(t, test.options...)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "athome: ") {
				t.Fatalf("got %v\nwant %s", err, test.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the password is in the error: %v", err)
			}
		})
	}

	if _, err := athome.Open(t.Context(), newWorld(t, 1, 100).client(t), uuid.Nil); err == nil || err.Error() != "athome: Open: the id of the chapter is empty; give that of a chapter" {
		t.Errorf("no id: %v", err)
	}
	if _, err := athome.Open(t.Context(), nil, chapterID); err == nil || !strings.Contains(err.Error(), "the client is nil; make one with api.New") {
		t.Errorf("without a client: %v", err)
	}
	w := newWorld(t, 2, 100)
	w.atHome = func(int) fault { return status(404) }
	if _, err := w.tryOpen(t); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("the error of the API is hidden: %v", err)
	}
}

// naming has a page called something else, and hashing the chapter.
func naming(page int, name string) func(map[string]any) {
	return func(listing map[string]any) { listing["chapter"].(map[string]any)["data"].([]any)[page] = name }
}

func hashing(hash string) func(map[string]any) {
	return func(listing map[string]any) { listing["chapter"].(map[string]any)["hash"] = hash }
}

func TestFetchOtherPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2, 100)
	chapter := w.open(t)
	for _, page := range []athome.Page{{Index: -1}, {Index: 2}, {Index: 0, Name: "x.png"}} {
		_, err := chapter.Fetch(t.Context(), page)
		if err == nil || !strings.Contains(err.Error(), "is not one of this chapter; use those of Pages") {
			t.Errorf("%+v: %v", page, err)
		}
	}
	if w.tally().queries != 0 {
		t.Errorf("%d requests for pages that are none", w.tally().queries)
	}
}

// TestNames has names that are not fit for a path, and makes sure that they do not become one.
func TestNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0, 0)
	for i, name := range []string{"../../evil.png", "/etc/passwd", `..\..\evil.png`, "CON", "nul.png", "aux.jpg", "C:evil.png", "a/b/../../../c.png", ".page-1.part", "name with spaces?.png#x", "%2e%2e%2fevil.png", "x\x00y.png", "..."} {
		w.names = append(w.names, name)
		w.pages = append(w.pages, picture(i, 100))
	}
	chapter := w.open(t)
	dir := t.TempDir()
	inner := dir + "/a/b"
	must(t, chapter.Save(t.Context(), inner))
	checkFolder(t, inner, w.pages, ".png")
	checkTree(t, dir, len(w.pages))
}

// TestNoToken makes sure that what the API client adds to requests reaches neither node nor
// network.
func TestNoToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3, 100)
	chapter := w.open(t, athome.WithReportURL("https://network.example.test/report"), athome.WithUserAgent("shelf/1.2 (+https://shelf.example)"))
	must(t, chapter.Save(t.Context(), t.TempDir()))
	chapter.Close()
	if len(w.requests) != 6 {
		t.Fatalf("%d requests to nodes and network, want 6", len(w.requests))
	}
	for _, r := range w.requests {
		for name, values := range r.Header {
			if strings.Contains(strings.Join(values, " "), w.token) || name == "Authorization" || name == "Cookie" {
				t.Errorf("%s %s got the header %s", r.Method, r.Host, name)
			}
		}
		if agent := r.Header.Get("User-Agent"); !strings.HasPrefix(agent, "mangadex-go/") || !strings.HasSuffix(agent, " shelf/1.2 (+https://shelf.example)") {
			t.Errorf("%s %s: User-Agent %q", r.Method, r.Host, agent)
		}
	}
}
