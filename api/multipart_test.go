package api_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mangadex-go/mangadex/api"
)

// onlyReader hides that a reader can seek.
type onlyReader struct{ io.Reader }

// parts reads a multipart body.
func parts(t *testing.T, header http.Header, body io.Reader) (names, contents []string) {
	t.Helper()
	mediaType, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil || mediaType != "multipart/form-data" {
		t.Fatalf("the content type is %q: %v", header.Get("Content-Type"), err)
	}
	r := multipart.NewReader(body, params["boundary"])
	for {
		part, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return names, contents
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(part)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, part.FormName()+"/"+part.FileName())
		contents = append(contents, string(content))
	}
}

// TestPages sends pages from all kinds of readers, over a connection.
func TestPages(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "page")
	if err := os.WriteFile(path, []byte("from a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	ahead := strings.NewReader("0123456789")
	if _, err := ahead.Seek(4, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	for _, test := range []struct {
		name     string
		pages    api.Pages
		names    []string
		contents []string
		again    bool // the request can be repeated
	}{
		{"texts", api.Pages{{Name: "1.png", Content: strings.NewReader("one")}, {Name: "2.png", Content: strings.NewReader("")}}, []string{"file1/1.png", "file2/2.png"}, []string{"one", ""}, true},
		{"a file, and a reader that is not at its start", api.Pages{{Name: "a b\"c\".png", Content: file}, {Name: "é.png", Content: ahead}}, []string{`file1/a b%22c%22.png`, "file2/é.png"}, []string{"from a file", "456789"}, true},
		{"a stream", api.Pages{{Name: "1.png", Content: onlyReader{strings.NewReader("one")}}, {Name: "2.png", Content: bytes.NewReader(big)}}, []string{"file1/1.png", "file2/2.png"}, []string{"one", string(big)}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				names, contents := parts(t, req.Header, req.Body)
				if strings.Join(names, "|") != strings.Join(test.names, "|") || strings.Join(contents, "|") != strings.Join(test.contents, "|") {
					t.Errorf("the server gets %q with %d parts, want %q", names, len(contents), test.names)
				}
				if (req.ContentLength < 0) == test.again {
					t.Errorf("the length is %d", req.ContentLength)
				}
				w.Header().Set("Content-Type", "application/json")
				if _, err := io.WriteString(w, `{"result":"ok","errors":[],"data":[]}`); err != nil {
					t.Error(err)
				}
			}))
			defer server.Close()
			rewinds := false
			client, err := api.New(server.URL, api.WithoutRateLimit(), api.WithoutRetry())
			if err != nil {
				t.Fatal(err)
			}
			_, err = client.UploadPages(t.Context(), id(idA), test.pages, func(_ context.Context, req *http.Request) error {
				if rewinds = req.GetBody != nil; rewinds {
					for range 2 {
						body, err := req.GetBody()
						if err != nil {
							return err
						}
						if _, contents := parts(t, req.Header, body); strings.Join(contents, "|") != strings.Join(test.contents, "|") {
							t.Errorf("again: %q", contents)
						}
					}
					var err error
					req.Body, err = req.GetBody()
					return err
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
			if rewinds != test.again {
				t.Errorf("can be repeated: %v", rewinds)
			}
		})
	}
}

// TestFormsThatAreRefused checks that what the server would refuse is not sent.
func TestFormsThatAreRefused(t *testing.T) {
	t.Parallel()
	page := func(name string) api.File { return api.File{Name: name, Content: strings.NewReader("x")} }
	eleven := api.Pages{}
	for i := range 11 {
		eleven = append(eleven, page(strings.Repeat("x", i+1)))
	}
	for _, test := range []struct {
		name string
		call func(c *api.Client) error
		says string
	}{
		{"no pages", func(c *api.Client) error { _, err := c.UploadPages(t.Context(), id(idA), nil); return err }, "no pages"},
		{"eleven pages", func(c *api.Client) error { _, err := c.UploadPages(t.Context(), id(idA), eleven); return err }, "at most 10"},
		{"two of one name", func(c *api.Client) error {
			_, err := c.UploadPages(t.Context(), id(idA), api.Pages{page("a"), page("b"), page("a")})
			return err
		}, `"a"`},
		{"a page without content", func(c *api.Client) error {
			_, err := c.UploadPages(t.Context(), id(idA), api.Pages{page("a"), {Name: "b"}})
			return err
		}, `"b" has no content`},
		{"a cover without a file", func(c *api.Client) error {
			_, err := c.UploadCover(t.Context(), id(idA), api.CoverUpload{Volume: "1"})
			return err
		}, "no content"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, func(*http.Request) (*http.Response, error) {
				t.Error("it is sent")
				return nil, errCaptured
			})
			err := test.call(client)
			if err == nil || !strings.Contains(err.Error(), test.says) || !strings.HasPrefix(err.Error(), "api: Upload") {
				t.Errorf("%v does not say %q", err, test.says)
			}
		})
	}
}

// TestCover sends a cover, and leaves out what is not said of it.
func TestCover(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		cover api.CoverUpload
		names string
	}{
		{api.CoverUpload{}, "file/c.png"},
		{api.CoverUpload{Volume: "2.5", Locale: "ja"}, "locale/|volume/|file/c.png"},
		{api.CoverUpload{Volume: "2.5", Description: "d", Locale: "ja"}, "description/|locale/|volume/|file/c.png"},
	} {
		test.cover.File = api.File{Name: "c.png", Content: strings.NewReader("x")}
		req := capture(t, func(c *api.Client) error { _, err := c.UploadCover(t.Context(), id(idA), test.cover); return err })
		if names, _ := parts(t, req.Header, req.Body); strings.Join(names, "|") != test.names {
			t.Errorf("%q, want %q", names, test.names)
		}
	}
}

// TestFormThatBreaks reads a page that cannot be read to its end.
func TestFormThatBreaks(t *testing.T) {
	t.Parallel()
	broken := errors.New("disk on fire")
	client := newClient(t, func(req *http.Request) (*http.Response, error) {
		_, err := io.ReadAll(req.Body)
		return nil, err
	})
	_, err := client.UploadPages(t.Context(), id(idA), api.Pages{{Name: "1.png", Content: io.MultiReader(strings.NewReader("x"), failingReader{broken})}})
	if !errors.Is(err, broken) {
		t.Error(err)
	}
}
