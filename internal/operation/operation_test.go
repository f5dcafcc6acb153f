package operation_test

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/mangadex-go/mangadex/internal/operation"
)

// TestTable checks what other packages count on: ids that are unique, an order, whole limits.
func TestTable(t *testing.T) {
	t.Parallel()
	ids := map[string]bool{}
	for i, op := range operation.Table {
		if ids[op.ID] || op.ID == "" {
			t.Errorf("the id %q is not the only one", op.ID)
		}
		ids[op.ID] = true
		if i > 0 && operation.Table[i-1].Path > op.Path {
			t.Errorf("%s comes after %s", op.Path, operation.Table[i-1].Path)
		}
		if l := op.Limit; (l == operation.Limit{}) != (l.Bucket == "") || l.Requests < 0 || (l.Requests > 0) != (l.Per > 0) {
			t.Errorf("%s: the limit is %+v", op.ID, l)
		}
	}
}

func TestOf(t *testing.T) {
	t.Parallel()
	request := func(method, path string) *http.Request {
		address, err := url.Parse(path)
		if err != nil {
			t.Fatal(err)
		}
		return &http.Request{Method: method, URL: address}
	}
	for _, test := range []struct{ method, path, want string }{
		{"GET", "/ping", "Ping"}, {"", "/ping", "Ping"}, {"HEAD", "/ping", "Ping"}, {"POST", "/ping", ""},
		{"GET", "/base/ping", "Ping"}, {"GET", "/ping/", ""}, {"GET", "ping", ""}, {"GET", "/pings", ""},
		{"GET", "/manga/random", "GetRandomManga"}, {"GET", "/manga/x", "GetManga"}, {"GET", "/manga/draft/x", "GetMangaDraft"},
		{"DELETE", "/upload/x/batch", "DeleteUploadedPages"}, {"DELETE", "/upload/x/y", "DeleteUploadedPage"},
		{"GET", "/manga/x%2Fy", "GetManga"}, {"GET", "/base/manga/x%2Fy/feed", "GetMangaFeed"}, {"GET", "/manga%2Frandom", "GetRandomManga"},
	} {
		got := ""
		if op := operation.Of(request(test.method, test.path)); op != nil {
			got = op.ID
		}
		if got != test.want {
			t.Errorf("%s %s: %q, want %q", test.method, test.path, got, test.want)
		}
	}
	// A mark counts, whatever the path has become.
	at := slices.IndexFunc(operation.Table[:], func(op operation.Operation) bool { return op.ID == "Ping" })
	marked := request("GET", "/elsewhere").WithContext(operation.NewContext(context.Background(), &operation.Table[at]))
	if op := operation.Of(marked); op == nil || op.ID != "Ping" {
		t.Errorf("a marked request is taken for %v", op)
	}
}
