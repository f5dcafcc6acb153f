package athome_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/athome"
)

// cover adds a cover to the title of the chapter, and returns the name of its file.
func (w *world) cover(t testing.TB) string {
	t.Helper()
	var b bytes.Buffer
	must(t, png.Encode(&b, image.NewGray(image.Rect(0, 0, 600, 2))))
	made, err := w.client(t).UploadCover(t.Context(), mangaID, api.CoverUpload{File: api.File{Name: "1.png", Content: &b}, Locale: "ja"})
	must(t, err)
	return made.Data.Attributes.FileName
}

func newCovers(t *testing.T, w *world, options ...athome.Option) *athome.Covers {
	t.Helper()
	covers, err := athome.NewCovers(append([]athome.Option{athome.WithHTTPClient(w.http())}, options...)...)
	must(t, err)
	t.Cleanup(func() { covers.Close() })
	return covers
}

func TestCovers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0, 0)
	cover := w.cover(t)
	sizes := map[api.CoverSize][]byte{api.CoverOriginal: nil, api.CoverMedium: nil, api.CoverSmall: nil}
	for size := range sizes {
		resp, err := (&http.Client{Transport: w.srv.Transport()}).Get(w.srv.UploadsURL + "/covers/" + mangaID.String() + "/" + cover + string(size))
		must(t, err)
		sizes[size], err = io.ReadAll(resp.Body)
		must(t, err)
	}
	for name, options := range map[string][]athome.Option{
		"uploads.mangadex.org":    nil,
		"uploads.example.test:81": {athome.WithUploadsServer("http://uploads.example.test:81/")},
	} {
		covers := newCovers(t, w, options...)
		for size, want := range sizes {
			image, err := covers.Fetch(t.Context(), mangaID, cover, size)
			must(t, err)
			ext := map[bool]string{true: ".png", false: ".jpg"}[size == api.CoverOriginal]
			if !bytes.Equal(image.Data, want) || image.Ext() != ext {
				t.Errorf("size %q is not as it is: %d bytes of %s", size, len(image.Data), image.ContentType)
			}
			path := filepath.Join(t.TempDir(), "new", "cover"+ext)
			must(t, covers.Save(t.Context(), mangaID, cover, size, path))
			if data, err := os.ReadFile(path); err != nil || !bytes.Equal(data, want) {
				t.Errorf("the file of size %q is not as it is: %v", size, err)
			}
			checkTree(t, filepath.Dir(path), 1)
		}
		if r := w.requests[len(w.requests)-1]; r.URL.Host != name || !strings.HasPrefix(r.UserAgent(), "mangadex-go/") || r.Header.Get("Authorization") != "" {
			t.Errorf("%s got %v", r.URL.Host, r.Header)
		}
	}
}

// TestCoversRetry has faults that pass, and makes sure that others are not tried again.
func TestCoversRetry(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		faults   []fault
		options  []athome.Option
		is       error
		want     string
		requests int
	}{
		"passes":      {[]fault{{Status: 500}, cut, none}, nil, nil, "", 3},
		"stays":       {[]fault{{Status: 500}, {Status: 502}, {Status: 503}}, nil, api.ErrServer, "status 503 Service Unavailable", 3},
		"missing":     {[]fault{{Status: 404}}, nil, api.ErrNotFound, "status 404 Not Found", 1},
		"refused":     {[]fault{{Status: 403}}, nil, api.ErrForbidden, "status 403 Forbidden", 1},
		"too large":   {[]fault{none}, []athome.Option{athome.WithMaxPageSize(9)}, athome.ErrTooLarge, "raise WithMaxPageSize", 1},
		"HTML":        {[]fault{html, html, html}, nil, nil, "not a picture", 3},
		"shortened":   {[]fault{cut, cut, cut}, nil, nil, "it broke off after ", 3},
		"out of time": {[]fault{{Status: 500}, {Status: 500}, silent}, nil, context.DeadlineExceeded, "", 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 0, 0)
				cover := w.cover(t)
				w.fault = func(q query) fault { return test.faults[q.Try-1] }
				covers := newCovers(t, w, test.options...)
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				path := filepath.Join(t.TempDir(), "cover.png")
				err := covers.Save(ctx, mangaID, cover, api.CoverOriginal, path)
				if (err == nil) != (test.is == nil && test.want == "") || test.is != nil && !errors.Is(err, test.is) {
					t.Errorf("got %v, want %v", err, test.is)
				}
				prefix := `athome: cover "` + cover + `" of title ` + mangaID.String() + ": "
				if err != nil && (!strings.HasPrefix(err.Error(), prefix) || !strings.Contains(err.Error(), test.want)) {
					t.Errorf("got %v, want %s…%s", err, prefix, test.want)
				}
				if got := w.tally().queries; got != test.requests {
					t.Errorf("%d requests, want %d", got, test.requests)
				}
				checkTree(t, filepath.Dir(path), map[bool]int{true: 1, false: 0}[err == nil])
			})
		})
	}
}

func TestCoversErrors(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0, 0)
	cover := w.cover(t)
	covers := newCovers(t, w)
	if _, err := covers.Fetch(t.Context(), uuid.Nil, cover, api.CoverOriginal); err == nil || !strings.Contains(err.Error(), "the id of the title is empty; give that of the title") {
		t.Errorf("no title: %v", err)
	}
	for name, test := range map[string]struct {
		file string
		size api.CoverSize
		path string
		want string
	}{
		"size":      {cover, ".1024.jpg", "x.jpg", `there is no size ".1024.jpg"; use api.CoverOriginal, api.CoverSmall or api.CoverMedium`},
		"name":      {"", api.CoverOriginal, "x.jpg", "this is not the name of a cover; use the FileName of its attributes"},
		"dots":      {"..", api.CoverOriginal, "x.jpg", "this is not the name of a cover"},
		"traversal": {"../../" + cover, api.CoverOriginal, "x.jpg", "404"},
		"path":      {cover, api.CoverOriginal, "", `"" is not the name of a file`},
	} {
		t.Run(name, func(t *testing.T) {
			path := test.path
			if path != "" {
				path = filepath.Join(t.TempDir(), path)
			}
			err := covers.Save(t.Context(), mangaID, test.file, test.size, path)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "athome: cover ") {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
	for name, option := range map[string]athome.Option{
		"WithDataSaver": athome.WithDataSaver(), "WithDetails": athome.WithDetails(api.Chapter{}), "WithFallback": athome.WithFallback(nil), "WithGaps": athome.WithGaps(),
		"WithMemory": athome.WithMemory(1), "WithPort443": athome.WithPort443(), "WithProgress": athome.WithProgress(nil), "WithReportURL": athome.WithReportURL("https://reports.example"),
		"WithTitle": athome.WithTitle(api.Manga{}), "WithoutReports": athome.WithoutReports(),
	} {
		if _, err := athome.NewCovers(option); err == nil || !strings.Contains(err.Error(), name+": it is for Open; NewCovers has no use for it") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := athome.NewCovers(athome.WithUploadsServer("uploads")); err == nil || !strings.Contains(err.Error(), `WithUploadsServer: the address "uploads" needs a scheme, https or http, and a host`) {
		t.Errorf("NewCovers: %v", err)
	}
}
