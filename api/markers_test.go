package api_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
)

// TestMarkChapters marks numbers of chapters on both sides of what one body may hold.
func TestMarkChapters(t *testing.T) {
	t.Parallel()
	for _, n := range []struct{ read, unread, requests int }{{0, 0, 0}, {1, 0, 1}, {0, 2, 1}, {200, 50, 1}, {250, 1, 2}, {251, 0, 2}, {1000, 600, 7}} {
		var edit, got api.ReadMarkersEdit
		for range n.read {
			edit.Read = append(edit.Read, uuid.New())
		}
		for range n.unread {
			edit.Unread = append(edit.Unread, uuid.New())
		}
		requests := 0
		client := newClient(t, func(req *http.Request) (*http.Response, error) {
			requests++
			body := read(t, req.Body)
			if len(body) > 10_000 {
				t.Errorf("%v: a body of %d bytes", n, len(body))
			}
			var part api.ReadMarkersEdit
			if err := json.Unmarshal([]byte(body), &part); err != nil {
				return nil, err
			}
			got.Read, got.Unread = append(got.Read, part.Read...), append(got.Unread, part.Unread...)
			return answer(http.StatusOK, "application/json", `{"result":"ok"}`), nil
		})
		if err := client.MarkChapters(t.Context(), uuid.New(), nil, edit); err != nil {
			t.Errorf("%v: %v", n, err)
		}
		if !slices.Equal(got.Read, edit.Read) || !slices.Equal(got.Unread, edit.Unread) || requests != n.requests {
			t.Errorf("%v: marked %d as read and %d as unread in %d requests", n, len(got.Read), len(got.Unread), requests)
		}
	}
}

// A mirror has the covers below its own address.
func TestCoverURLOfMirror(t *testing.T) {
	t.Parallel()
	manga := uuid.MustParse(idA)
	for server, want := range map[string]string{
		api.Production: api.Uploads, api.Development: api.Uploads, "https://API.mangadex.org:443/": api.Uploads,
		"https://mirror.example/md/": "https://mirror.example/md", "http://127.0.0.1:8080": "http://127.0.0.1:8080",
	} {
		client, err := api.New(server)
		if err != nil {
			t.Fatal(err)
		}
		if got := client.CoverURL(manga, "a b.png", api.CoverSmall); got != want+"/covers/"+idA+"/a%20b.png.256.jpg" {
			t.Errorf("%s: %s", server, got)
		}
	}
}
