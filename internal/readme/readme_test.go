// Package main has the code of README.md, in the files beside this one, and runs it against the fake MangaDex.
package main

import (
	"go/doc"
	"go/parser"
	"go/token"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mangadex-go/mangadex/api/apitest"
)

var shBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")

// Each block of code in README.md stands in a file here, word for word.
func TestCodeOfReadme(t *testing.T) {
	t.Parallel()
	words := func(path string) string {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(strings.Fields(string(content)), " ")
	}
	blocks := regexp.MustCompile("```go (.*?) ```").FindAllStringSubmatch(words("../../README.md"), -1)
	files := []string{"first_test.go", "login_test.go"}
	if len(blocks) != len(files) {
		t.Fatalf("README.md has %d blocks of code, and %d files have them", len(blocks), len(files))
	}
	for i, file := range files {
		if !strings.Contains(words(file), blocks[i][1]) {
			t.Errorf("%s has not the code of README.md, which is\n%s", file, blocks[i][1])
		}
	}
}

// A way leads to the fake what goes to MangaDex.
type way map[string]string

func (w way) RoundTrip(r *http.Request) (*http.Response, error) {
	to, err := url.Parse(w[r.URL.Host])
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = to.Scheme, to.Host
	return (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
}

// The code does what README.md says of it.
func TestCodeRuns(t *testing.T) {
	srv := apitest.Start(t)
	usual := http.DefaultTransport
	http.DefaultTransport = way{"api.mangadex.org": srv.URL, "auth.mangadex.org": srv.AuthURL}
	defer func() { http.DefaultTransport = usual }()

	main()
	if r := srv.Requests(); len(r) != 1 || r[0].URL.Query().Get("title") != "kettle" || r[0].Status != http.StatusOK || !strings.Contains(r[0].Header.Get("User-Agent"), "shelf/1.0") {
		t.Errorf("the first program sends %+v", r)
	}
	a, id, file := srv.Account, srv.State().Manga()[0].ID, filepath.Join(t.TempDir(), "token")
	if err := login(t.Context(), a.ClientID, a.ClientSecret, a.Username, a.Password, file, id); err != nil {
		t.Fatal(err)
	}
	if library, _ := srv.State().Library(a.Username); !slices.Contains(library.Manga, id) {
		t.Error("the title is not followed")
	}
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
}

// An example that README.md names is in the file that it links to, and has an output, without which go
// test does not run it.
func TestExamplesOfReadme(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	links := regexp.MustCompile("\\[`(Example\\w*)`\\]\\(([^)]+)\\)").FindAllStringSubmatch(string(text), -1)
	if len(links) != strings.Count(string(text), "`Example") || len(links) == 0 {
		t.Errorf("README.md names %d examples, %d of them with a link", strings.Count(string(text), "`Example"), len(links))
	}
	for _, link := range links {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("../..", link[2]), nil, parser.ParseComments)
		if err != nil {
			t.Error(err)
			continue
		}
		if !slices.ContainsFunc(doc.Examples(file), func(e *doc.Example) bool {
			return "Example"+e.Name == link[1] && (e.Output != "" || e.EmptyOutput)
		}) {
			t.Errorf("%s has no %s that is run", link[2], link[1])
		}
	}
}

// The commands of README.md name what is there.
func TestCommandsOfReadme(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	paths := 0
	for _, block := range shBlock.FindAllSubmatch(text, -1) {
		for _, path := range regexp.MustCompile(`\./[a-z/]+[a-z]`).FindAllString(string(block[1]), -1) {
			paths++
			if _, err := os.Stat(filepath.Join("../..", path)); err != nil {
				t.Errorf("README.md runs %s, which is not there", path)
			}
		}
	}
	if paths == 0 {
		t.Error("README.md runs nothing of this module")
	}
	for _, link := range regexp.MustCompile(`\]\(([^)#:]+)\)`).FindAllSubmatch(text, -1) {
		if _, err := os.Stat(filepath.Join("../..", string(link[1]))); err != nil {
			t.Errorf("README.md links to %s, which is not there", link[1])
		}
	}
}
