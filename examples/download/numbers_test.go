package main

import (
	"archive/zip"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/examples/internal/exampletest"
)

// TestNumbers selects chapters by numbers of every form. The newest of them is on another site.
func TestNumbers(t *testing.T) {
	t.Parallel()
	p := exampletest.New(t)
	manga, err := p.Server.State().AddManga(apitest.Manga{Title: "The Abacus"})
	if err != nil {
		t.Fatal(err)
	}
	for i, number := range []string{"12", "12-13", "12.5", "30", "30e", "30.5", "30f", "31", "v32", "Extra", "", "１００"} {
		c := apitest.Chapter{Manga: manga, Number: number, Pages: 1, PublishAt: time.Now().Add(time.Duration(i-100) * time.Hour)}
		if number == "１００" {
			c.Pages, c.ExternalURL = 0, "https://reader.example/100"
		}
		if _, err := p.Server.State().AddChapter(c); err != nil {
			t.Fatal(err)
		}
	}
	for args, want := range map[string]string{
		"-chapters=12":               "c0012 c0012-13",
		"-chapters=30":               "c0030 c0030e c0030f",
		"-chapters=30e":              "c0030e",
		"-chapters=30.5":             "c0030.5",
		"-chapters=30.5-31":          "c0030.5 c0030e c0030f c0031",
		"-chapters=-12":              "c0012 c0012-13",
		"-chapters=32-":              "c0032 c0100",
		"-chapters=32,100":           "c0032 c0100",
		"-latest=1":                  "oneshot",
		"-latest=1 -chapters=30-100": "c0032",
		"-latest=1 -chapters=100":    "c0100",
	} {
		r := p.Succeeds(p.Run(append(append([]string{"-list"}, strings.Fields(args)...), manga.String())...))
		var got []string
		for line := range strings.Lines(r.Stdout) {
			_, name, _ := strings.Cut(line, "  ")
			name, _, _ = strings.Cut(name, " [")
			got = append(got, name)
		}
		if !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%s: got %q, want %s", args, got, want)
		}
	}
}

// TestSeriesOfArchives renames the title: readers of archives find the series in ComicInfo.xml, and would have
// two of them.
func TestSeriesOfArchives(t *testing.T) {
	t.Parallel()
	s := newShelf(t, exampletest.New(t))
	args := []string{"-cbz", "-o", "out", s.manga.String()}
	s.Succeeds(s.Run(args...))
	if err := s.Server.State().EditManga(s.manga, func(m *apitest.Manga) { m.Title = "The Lamp" }); err != nil {
		t.Fatal(err)
	}
	asked := len(pagesOf(s))
	s.Succeeds(s.Run(args...))
	if got := len(pagesOf(s)) - asked; got != 0 {
		t.Errorf("%d pages were fetched again", got)
	}
	archives := s.glob("*.cbz")
	for _, path := range archives {
		if info := comicInfo(t, path); !strings.Contains(info, "<Series>The Lamp</Series>") {
			t.Errorf("%s has\n%s", path, info)
		}
	}
	if len(archives) != 5 {
		t.Errorf("there is %q", archives)
	}
	nodes := len(s.Requests("GetAtHomeServer"))
	s.Succeeds(s.Run(args...))
	if got := len(s.Requests("GetAtHomeServer")) - nodes; got != 0 {
		t.Errorf("the next run asks %d times for pages that are there", got)
	}
}

func comicInfo(t *testing.T, path string) string {
	t.Helper()
	archive, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	f, err := archive.Open("ComicInfo.xml")
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
