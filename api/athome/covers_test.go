package athome_test

import (
	"bytes"
	"context"
	"errors"
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

const coverName = "00000000-0000-4000-8000-0000000000d1.png"

func newCovers(t *testing.T, w *world, options ...athome.Option) *athome.Covers {
	t.Helper()
	covers, err := athome.NewCovers(append([]athome.Option{athome.WithHTTPClient(w.http(t))}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { covers.Close() })
	return covers
}

func TestCovers(t *testing.T) {
	t.Parallel()
	jpeg := "\xff\xd8\xff\xe0"
	w := newWorld(t, 0, 0)
	sizes := map[api.CoverSize][]byte{
		api.CoverOriginal: picture(1, 3000),
		api.CoverMedium:   []byte(jpeg + strings.Repeat("m", 2000) + "\xff\xd9"),
		api.CoverSmall:    []byte(jpeg + strings.Repeat("s", 1000) + "\xff\xd9"),
	}
	for size, data := range sizes {
		w.covers[mangaID.String()+"/"+coverName+string(size)] = data
	}
	for name, options := range map[string][]athome.Option{
		"uploads.mangadex.org":    nil,
		"uploads.example.test:81": {athome.WithUploadsServer("http://uploads.example.test:81/")},
	} {
		covers := newCovers(t, w, options...)
		for size, want := range sizes {
			image, err := covers.Fetch(t.Context(), mangaID, coverName, size)
			if err != nil {
				t.Fatal(err)
			}
			ext := map[bool]string{true: ".png", false: ".jpg"}[size == api.CoverOriginal]
			if !bytes.Equal(image.Data, want) || image.Ext() != ext {
				t.Errorf("size %q is not as it is: %d bytes of %s", size, len(image.Data), image.ContentType)
			}
			path := filepath.Join(t.TempDir(), "new", "cover"+ext)
			if err := covers.Save(t.Context(), mangaID, coverName, size, path); err != nil {
				t.Fatal(err)
			}
			if data, err := os.ReadFile(path); err != nil || !bytes.Equal(data, want) {
				t.Errorf("the file of size %q is not as it is: %v", size, err)
			}
			checkTree(t, filepath.Dir(path), 1)
		}
		if r := w.requests[len(w.requests)-1]; r.Host != name || !strings.HasPrefix(r.UserAgent(), "mangadex-go/") || r.Header.Get("Authorization") != "" {
			t.Errorf("%s got %v", r.Host, r.Header)
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
		"passes":      {[]fault{500, cut, none}, nil, nil, "", 3},
		"stays":       {[]fault{500, 502, 503}, nil, api.ErrServer, "status 503 Service Unavailable", 3},
		"missing":     {[]fault{404}, nil, api.ErrNotFound, "status 404 Not Found", 1},
		"refused":     {[]fault{403}, nil, api.ErrForbidden, "status 403 Forbidden", 1},
		"too large":   {[]fault{none}, []athome.Option{athome.WithMaxPageSize(999)}, athome.ErrTooLarge, "raise WithMaxPageSize", 1},
		"HTML":        {[]fault{html, html, html}, nil, nil, "not a picture", 3},
		"shortened":   {[]fault{cut, cut, cut}, nil, nil, "it broke off after 500 bytes", 3},
		"out of time": {[]fault{500, 500, silent}, nil, context.DeadlineExceeded, "", 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 0, 0)
				w.covers[mangaID.String()+"/"+coverName] = picture(1, 1000)
				w.fault = func(q query) fault { return test.faults[q.Try-1] }
				covers := newCovers(t, w, test.options...)
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				path := filepath.Join(t.TempDir(), "cover.png")
				err := covers.Save(ctx, mangaID, coverName, api.CoverOriginal, path)
				if (err == nil) != (test.is == nil && test.want == "") || test.is != nil && !errors.Is(err, test.is) {
					t.Errorf("got %v, want %v", err, test.is)
				}
				prefix := `athome: cover "` + coverName + `" of title ` + mangaID.String() + ": "
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
	w.covers[mangaID.String()+"/"+coverName] = picture(1, 1000)
	covers := newCovers(t, w)
	if _, err := covers.Fetch(t.Context(), uuid.Nil, coverName, api.CoverOriginal); err == nil || !strings.Contains(err.Error(), "the id of the title is empty; give that of the title") {
		t.Errorf("no title: %v", err)
	}
	for name, test := range map[string]struct {
		file string
		size api.CoverSize
		path string
		want string
	}{
		"size":      {coverName, ".1024.jpg", "x.jpg", `there is no size ".1024.jpg"; use api.CoverOriginal, api.CoverSmall or api.CoverMedium`},
		"name":      {"", api.CoverOriginal, "x.jpg", "this is not the name of a cover; use the FileName of its attributes"},
		"dots":      {"..", api.CoverOriginal, "x.jpg", "this is not the name of a cover"},
		"traversal": {"../../" + coverName, api.CoverOriginal, "x.jpg", "404"},
		"path":      {coverName, api.CoverOriginal, "", `"" is not the name of a file`},
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
	if _, err := athome.NewCovers(athome.WithUploadsServer("uploads")); err == nil || !strings.Contains(err.Error(), `WithUploadsServer: the address "uploads" needs a scheme, https or http, and a host`) {
		t.Errorf("NewCovers: %v", err)
	}
}
