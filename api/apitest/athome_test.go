package apitest_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"image"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
)

// fetch gets a picture from wherever.
func fetch(t testing.TB, client *http.Client, target string) (*http.Response, []byte) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, body := send(t, client, r)
	return resp, []byte(body)
}

// readable is a chapter with pages.
func readable(t testing.TB, client *api.Client) api.Chapter {
	t.Helper()
	list, err := client.ListChapters(t.Context(), &api.ListChaptersParams{Limit: api.Ptr(1), IncludeEmptyPages: api.Ptr(api.No), IncludeFuturePublishAt: api.Ptr(api.No)})
	if err != nil {
		t.Fatal(err)
	}
	return list.Data[0]
}

func TestPages(t *testing.T) {
	t.Parallel()
	clock := newClock()
	srv := apitest.Start(t, apitest.WithClock(clock.time))
	client := newClient(t, srv)
	chapter := readable(t, client)
	server, err := client.GetAtHomeServer(t.Context(), chapter.ID, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := chapter.Attributes.Pages; n == 0 || len(server.Chapter.Data) != n || len(server.Chapter.DataSaver) != n {
		t.Fatalf("%d and %d pages, want %d", len(server.Chapter.Data), len(server.Chapter.DataSaver), n)
	}
	formats := map[string]bool{}
	for quality, names := range map[string][]string{"data": server.Chapter.Data, "data-saver": server.Chapter.DataSaver} {
		for _, name := range names {
			target := server.BaseURL + "/" + quality + "/" + server.Chapter.Hash + "/" + name
			resp, body := fetch(t, http.DefaultClient, target)
			sum := sha256.Sum256(body)
			if resp.StatusCode != http.StatusOK || !strings.Contains(name, "-"+hex.EncodeToString(sum[:])+".") {
				t.Errorf("%s: %d, or its name is not its checksum", name, resp.StatusCode)
			}
			picture, format, err := image.Decode(bytes.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			formats[quality+" "+format] = true
			want := map[string]int{"data": 320, "data-saver": 160}[quality]
			if width := picture.Bounds().Dx(); width != want {
				t.Errorf("%s is %d wide, want %d", quality, width, want)
			}
			if resp.Header.Get("X-Cache") != "MISS" {
				t.Errorf("X-Cache of the first time is %q", resp.Header.Get("X-Cache"))
			}
			if resp, _ := fetch(t, http.DefaultClient, target); resp.Header.Get("X-Cache") != "HIT" {
				t.Errorf("X-Cache of the second time is %q", resp.Header.Get("X-Cache"))
			}
		}
	}
	if !formats["data png"] || !formats["data-saver jpeg"] {
		t.Errorf("the formats are %v", formats)
	}

	page := server.BaseURL + "/data/" + server.Chapter.Hash + "/" + server.Chapter.Data[0]
	for _, wrong := range []string{page + "x", strings.Replace(page, server.Chapter.Hash, uuid.NewString(), 1), server.BaseURL + "/data"} {
		if resp, _ := fetch(t, http.DefaultClient, wrong); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", wrong, resp.StatusCode)
		}
	}
	clock.advance(15 * time.Minute)
	if resp, _ := fetch(t, http.DefaultClient, page); resp.StatusCode != http.StatusForbidden {
		t.Errorf("after a quarter of an hour the base URL still gets %d", resp.StatusCode)
	}
	again, err := client.GetAtHomeServer(t.Context(), chapter.ID, nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp, _ := fetch(t, http.DefaultClient, again.BaseURL+"/data/"+again.Chapter.Hash+"/"+again.Chapter.Data[0]); resp.StatusCode != http.StatusOK {
		t.Errorf("the new base URL gets %d", resp.StatusCode)
	}
	if strings.Split(again.BaseURL, "/")[2] == strings.Split(server.BaseURL, "/")[2] {
		t.Error("the second answer names the same node as the first")
	}
}

func TestDeliveries(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.Lenient())
	report := `{"url":"https://node.example/x.png","success":true,"cached":false,"bytes":12,"duration":3}`
	for _, test := range []struct {
		contentType, body string
		status            int
	}{
		{"application/json", report, 200},
		{"application/json; charset=utf-8", report, 400},
		{"application/json", `{"URL":"x"}`, 400},
		{"application/json", `[]`, 400},
	} {
		if status, text := do(t, srv, http.MethodPost, srv.ReportURL, test.body, "Content-Type", test.contentType); status != test.status {
			t.Errorf("%s %s: %d %s", test.contentType, test.body, status, text)
		}
	}
	want := apitest.Delivery{URL: "https://node.example/x.png", Success: true, Bytes: 12, Duration: 3}
	if got := srv.State().Deliveries(); len(got) != 1 || got[0] != want {
		t.Errorf("the deliveries are %+v", got)
	}
}

// A chapter has the pages that a test sets, as they are, under the names that it wants.
func TestSetPages(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t)
	client := newClient(t, srv)
	chapter := readable(t, client)
	pages := []apitest.Page{{Data: []byte("no picture"), Saver: []byte("small")}, {Name: "../a b?.png", Data: []byte("\x89PNG\r\n\x1a\n")}}
	if err := srv.State().SetPages(chapter.ID, pages...); err != nil {
		t.Fatal(err)
	}
	server, err := client.GetAtHomeServer(t.Context(), chapter.ID, nil)
	if err != nil {
		t.Fatal(err)
	}
	if names := server.Chapter.Data; len(names) != 2 || len(server.Chapter.DataSaver) != 1 || names[1] != pages[1].Name {
		t.Fatalf("%q and %q", names, server.Chapter.DataSaver)
	}
	for n, name := range server.Chapter.Data {
		resp, body := fetch(t, http.DefaultClient, server.BaseURL+"/data/"+server.Chapter.Hash+"/"+url.PathEscape(name))
		if resp.StatusCode != http.StatusOK || !bytes.Equal(body, pages[n].Data) {
			t.Errorf("%s: %d %q", name, resp.StatusCode, body)
		}
	}
	if _, body := fetch(t, http.DefaultClient, server.BaseURL+"/data-saver/"+server.Chapter.Hash+"/"+server.Chapter.DataSaver[0]); string(body) != "small" {
		t.Errorf("the smaller version is %q", body)
	}
	if err := srv.State().ReplacePage(chapter.ID, 2); err != nil {
		t.Fatal(err)
	}
	if server, err := client.GetAtHomeServer(t.Context(), chapter.ID, nil); err != nil || server.Chapter.Data[1] == pages[1].Name || len(server.Chapter.DataSaver) != 2 {
		t.Errorf("after ReplacePage: %q, %v", server.Chapter, err)
	}
	if err := srv.State().SetPages(uuid.New()); err == nil {
		t.Error("a chapter that is not there has pages")
	}
}
