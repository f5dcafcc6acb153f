package main

import (
	"archive/zip"
	"bytes"
	"context"
	"image"
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/examples/internal/exampletest"
)

func TestMain(m *testing.M) { exampletest.Main(m, main) }

// A shelf is a title of the fake MangaDex with known chapters.
type shelf struct {
	*exampletest.Program
	test     testing.TB
	manga    uuid.UUID
	group    api.Group
	chapters map[string]uuid.UUID // by what the test calls them
}

const title = `The Kettle: "Whistles?" / Cools`

// newShelf adds a title with chapters 1 to 4, 2 and 3 in two versions, one elsewhere, one
// without a number and one in French.
func newShelf(t *testing.T, p *exampletest.Program) shelf {
	t.Helper()
	client, err := api.New(p.Server.URL, api.WithoutRateLimit())
	if err != nil {
		t.Fatal(err)
	}
	groups, err := client.ListGroups(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	s := shelf{Program: p, test: t, group: groups.Data[0], chapters: map[string]uuid.UUID{}}
	if s.manga, err = p.Server.State().AddManga(apitest.Manga{Title: title}); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for i, chapter := range []struct {
		name string
		apitest.Chapter
	}{
		{"1", apitest.Chapter{Number: "1", Volume: "1", Pages: 4}},
		{"2 old", apitest.Chapter{Number: "2", Volume: "1", Pages: 3, Groups: []uuid.UUID{s.group.ID}}},
		{"2 new", apitest.Chapter{Number: "2", Volume: "1", Pages: 5}},
		{"3", apitest.Chapter{Number: "3", Volume: "2", Pages: 2}},
		{"3 elsewhere", apitest.Chapter{Number: "3", Volume: "2", ExternalURL: "https://reader.example/3"}},
		{"4 elsewhere", apitest.Chapter{Number: "4", Volume: "2", ExternalURL: "https://reader.example/4"}},
		{"oneshot", apitest.Chapter{Pages: 1}},
		{"french", apitest.Chapter{Number: "1", Volume: "1", Pages: 2, Language: "fr"}},
		{"10.5", apitest.Chapter{Number: "10.5", Pages: 2}},
	} {
		chapter.Manga, chapter.PublishAt = s.manga, now.Add(time.Duration(i-100)*time.Hour)
		if s.chapters[chapter.name], err = p.Server.State().AddChapter(chapter.Chapter); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestHelp(t *testing.T) {
	t.Parallel()
	exampletest.Embedded(t).Helps("usage: download", "-cbz", "-data-saver", "-jobs", "-latest", "-chapters", "-live", "https://mangadex.org/title/")
}

// TestEmbedded lists titles of the fake MangaDex in the program and fetches from one.
func TestEmbedded(t *testing.T) {
	t.Parallel()
	p := exampletest.Embedded(t)
	r := p.Succeeds(p.Run())
	id, _, _ := strings.Cut(r.Stdout, " ")
	if _, err := uuid.Parse(id); err != nil || strings.Count(r.Stdout, "\n") < 5 {
		t.Fatalf("the titles: %s", r.Stdout)
	}
	r = p.Succeeds(p.Run("-cbz", "-latest", "2", "wandering bakery"))
	paths := strings.Split(strings.TrimSpace(r.Stdout), "\n")
	for _, path := range paths {
		wholeCBZ(t, p.Path(path))
	}
	if len(paths) != 2 {
		t.Errorf("%d chapters: %s", len(paths), r.Stdout)
	}
}

// wholeCBZ checks that a file is an archive of pictures and ComicInfo.xml, and counts the pictures.
func wholeCBZ(t *testing.T, path string) int {
	t.Helper()
	archive, err := zip.OpenReader(path)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	defer archive.Close()
	pictures := 0
	for _, file := range archive.File {
		r, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r) // checks the CRC
		if err != nil {
			t.Errorf("%s: %s: %v", path, file.Name, err)
		}
		if file.Name == "ComicInfo.xml" {
			continue
		}
		pictures++
		if _, _, err := image.Decode(bytes.NewReader(content)); err != nil {
			t.Errorf("%s: %s: %v", path, file.Name, err)
		}
	}
	if len(archive.File) != pictures+1 || pictures == 0 {
		t.Errorf("%s has %d files, %d of them pictures", path, len(archive.File), pictures)
	}
	return pictures
}

// tree reads all files below a folder but the index. Names that begin with a dot are of unfinished files,
// and nothing else may be left over; those of archives that are not whole yet are for the next run.
func tree(t *testing.T, root string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() && strings.HasSuffix(d.Name(), ".pages") {
			return fs.SkipDir
		}
		if err != nil || d.IsDir() || d.Name() == indexName {
			return err
		}
		content, err := os.ReadFile(path)
		if strings.HasPrefix(d.Name(), ".") {
			t.Errorf("%s is left over", path)
		}
		rel, _ := filepath.Rel(root, path)
		files[rel] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// pagesAsked counts the requests for pages, and for which.
func pagesAsked(p *exampletest.Program) map[string]int {
	asked := map[string]int{}
	for _, r := range p.Requests("Page") {
		if r.Status == http.StatusOK {
			asked[r.URL.Path]++
		}
	}
	return asked
}

func TestSelection(t *testing.T) {
	t.Parallel()
	p := exampletest.New(t)
	s := newShelf(t, p)
	link := "https://mangadex.org/title/" + s.manga.String() + "/the-kettle"
	tests := []struct {
		name string
		args []string
		want []string
	}{
		{"everything", []string{s.manga.String()}, []string{"1", "2 new", "3", "4 elsewhere", "10.5", "oneshot"}},
		{"by link", []string{link}, []string{"1", "2 new", "3", "4 elsewhere", "10.5", "oneshot"}},
		{"by link as browsers show it", []string{strings.TrimPrefix(link, "https://")}, []string{"1", "2 new", "3", "4 elsewhere", "10.5", "oneshot"}},
		{"with spaces around", []string{" " + link + " "}, []string{"1", "2 new", "3", "4 elsewhere", "10.5", "oneshot"}},
		{"by words", []string{"whistles?"}, []string{"1", "2 new", "3", "4 elsewhere", "10.5", "oneshot"}},
		{"ranges", []string{"-chapters", "-1,3-4,10.5-", link}, []string{"1", "3", "4 elsewhere", "10.5"}},
		{"one number", []string{"-chapters", "2", link}, []string{"2 new"}},
		{"latest", []string{"-latest", "2", link}, []string{"oneshot", "10.5"}},
		{"latest of a range", []string{"-latest", "1", "-chapters", "1-2", link}, []string{"2 new"}},
		{"a group by name", []string{"-group", strings.ToUpper(s.group.Attributes.Name), link}, []string{"1", "2 old", "3", "4 elsewhere", "10.5", "oneshot"}},
		{"a group by id", []string{"-group", "nobody, " + s.group.ID.String(), link}, []string{"1", "2 old", "3", "4 elsewhere", "10.5", "oneshot"}},
		{"not a group", []string{"-not-group", s.group.Attributes.Name, "-versions", link}, []string{"1", "2 new", "3", "3 elsewhere", "4 elsewhere", "10.5", "oneshot"}},
		{"all versions", []string{"-versions", "-chapters", "2-3", link}, []string{"2 new", "2 old", "3", "3 elsewhere"}},
		{"another language", []string{"-language", "fr", link}, []string{"french"}},
		{"two languages", []string{"-language", "en,fr", "-chapters", "1", link}, []string{"1", "french"}},
		{"a chapter by link", []string{"https://mangadex.org/chapter/" + s.chapters["2 old"].String() + "/3"}, []string{"2 old"}},
		{"a chapter by id", []string{s.chapters["french"].String()}, []string{"french"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := p.Succeeds(p.Run(append([]string{"-list"}, test.args...)...))
			var got []string
			for line := range strings.Lines(r.Stdout) {
				for name, id := range s.chapters {
					if strings.HasPrefix(line, id.String()) {
						got = append(got, name)
					}
				}
			}
			slices.Sort(got)
			slices.Sort(test.want)
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	if len(pagesAsked(p)) > 0 {
		t.Error("-list fetched pages")
	}
}

func TestFolder(t *testing.T) {
	t.Parallel()
	p := exampletest.New(t)
	s := newShelf(t, p)
	r := p.Succeeds(p.Run("-o", "out", "-jobs", "4", s.manga.String()))
	files := tree(t, p.Path("out"))
	if len(files) != 4+5+2+2+1 {
		t.Errorf("%d files: %q", len(files), slices.Sorted(maps.Keys(files)))
	}
	for name, content := range files {
		if _, _, err := image.Decode(strings.NewReader(content)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if strings.Count(r.Stdout, "\n") != 5 || strings.ContainsAny(filepath.Base(filepath.Dir(strings.TrimSpace(r.Stdout))), `:"?/`) {
		t.Errorf("stdout: %s", r.Stdout)
	}
	if !strings.Contains(r.Stderr, "c0004 v02: ") || !strings.Contains(r.Stderr, "https://reader.example/4") {
		t.Errorf("the chapter elsewhere is not named: %s", r.Stderr)
	}

	asked := pagesAsked(p)
	if r = p.Succeeds(p.Run("-o", "out", s.manga.String())); !maps.Equal(pagesAsked(p), asked) {
		t.Errorf("pages were fetched again; stderr: %s", r.Stderr)
	}
}

func TestCBZ(t *testing.T) {
	t.Parallel()
	p := exampletest.New(t)
	s := newShelf(t, p)
	p.Succeeds(p.Run("-o", "out", "-cbz", s.manga.String()))
	files := tree(t, p.Path("out"))
	pictures := 0
	for name := range files {
		pictures += wholeCBZ(t, p.Path("out", name))
	}
	if len(files) != 5 || pictures != 14 {
		t.Errorf("%d archives of %d pictures", len(files), pictures)
	}
	before := len(p.Server.Requests())
	r := p.Succeeds(p.Run("-o", "out", "-cbz", "-chapters", "1-3", s.manga.String()))
	if !strings.Contains(r.Stderr, "chapters saved: 0, there before: 3") {
		t.Errorf("stderr: %s", r.Stderr)
	}
	for _, request := range p.Server.Requests()[before:] {
		if request.Operation == "GetAtHomeServer" || request.Operation == "Page" {
			t.Errorf("%s for a chapter that was there", request.Operation)
		}
	}
}

func TestDataSaver(t *testing.T) {
	t.Parallel()
	p := exampletest.New(t)
	s := newShelf(t, p)
	p.Succeeds(p.Run("-data-saver", "-o", "out", s.chapters["1"].String()))
	asked := pagesAsked(p)
	for path := range asked {
		if !strings.Contains(path, "/data-saver/") {
			t.Errorf("%s was asked for", path)
		}
	}
	if len(asked) != 4 {
		t.Errorf("%d pages", len(asked))
	}
}

// TestInterrupted interrupts again and again, as folders and as archives: what is there is always
// whole, nothing whole is fetched twice, and the end is that of a run without interruption.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"-cbz=false", "-cbz"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			p := exampletest.New(t)
			s := newShelf(t, p)
			args := []string{format, "-jobs", "1", s.manga.String()}
			p.Succeeds(p.Run(append([]string{"-o", "want"}, args...)...))
			want := tree(t, p.Path("want"))

			p.Server.Fail(apitest.Fault{Operation: "Page", Delay: 150 * time.Millisecond, Count: apitest.Always})
			const inFlight = 6 // pages at once
			interruptions := 0
			for ; interruptions < 2; interruptions++ {
				goal := len(p.Server.Requests()) + 6
				run := p.Start(append([]string{"-o", "got"}, args...)...)
				run.Interrupt(func() bool { return len(p.Server.Requests()) > goal })
				p.Fails(run.Wait(), "download", 130, "interrupted", "goes on where this one stopped")
				got := tree(t, p.Path("got"))
				if len(got) == len(want) {
					t.Fatal("there was nothing to interrupt any more")
				}
				for name, content := range got {
					if want[name] != content {
						t.Errorf("%s is not whole after the interruption", name)
					}
				}
			}
			p.Server.Heal()
			p.Succeeds(p.Run(append([]string{"-o", "got"}, args...)...))
			if got := tree(t, p.Path("got")); !maps.Equal(got, want) {
				t.Errorf("there is %q, want %q", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
			}
			total := 0
			for _, n := range pagesAsked(p) {
				total += n
			}
			if most := 2*14 + interruptions*inFlight; total > most {
				t.Errorf("%d pages were fetched, want at most %d", total, most)
			}
		})
	}
}

// TestDamagedPages replaces pages that are not whole, and removes what a killed program has left.
func TestDamagedPages(t *testing.T) {
	t.Parallel()
	p := exampletest.New(t)
	s := newShelf(t, p)
	args := []string{"-o", "out", s.chapters["1"].String()}
	p.Succeeds(p.Run(args...))
	want := tree(t, p.Path("out"))
	dir := filepath.Dir(slices.Sorted(maps.Keys(want))[0])
	p.Write(filepath.Join("out", slices.Sorted(maps.Keys(want))[1]), "half a page")
	p.Write(filepath.Join("out", dir, ".page-0123456789abcdef.part"), "half a page")
	p.Succeeds(p.Run(args...))
	if got := tree(t, p.Path("out")); !maps.Equal(got, want) {
		t.Errorf("there is %q", slices.Sorted(maps.Keys(got)))
	}
}

// TestDamagedArchives replaces what has the name of an archive and is none.
func TestDamagedArchives(t *testing.T) {
	t.Parallel()
	p := exampletest.New(t)
	s := newShelf(t, p)
	args := []string{"-o", "out", "-cbz", s.chapters["1"].String()}
	p.Succeeds(p.Run(args...))
	want := tree(t, p.Path("out"))
	name := slices.Sorted(maps.Keys(want))[0]
	p.Write(filepath.Join("out", name), want[name][:len(want[name])/2])
	p.Succeeds(p.Run(args...))
	if got := tree(t, p.Path("out")); !maps.Equal(got, want) {
		t.Errorf("there is %q", slices.Sorted(maps.Keys(got)))
	}
	if r := p.Succeeds(p.Run(args...)); !strings.Contains(r.Stderr, "there before: 1") {
		t.Errorf("stderr: %s", r.Stderr)
	}

	path := p.Path("out", name)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	p.Write(filepath.Join("out", name, "notes"), "mine")
	p.Fails(p.Run(args...), "download", 1, ".cbz", "goes on where this one stopped")
	if got := tree(t, p.Path("out")); got[filepath.Join(name, "notes")] != "mine" || len(got) != 1 {
		t.Errorf("there is %q", got)
	}
}

// TestFailedPage goes on with other chapters when a page cannot be had.
func TestFailedPage(t *testing.T) {
	t.Parallel()
	p := exampletest.New(t)
	s := newShelf(t, p)
	p.Server.Fail(apitest.Fault{Operation: "Page", Status: http.StatusNotFound, Count: 2 * 4 * 9}) // in both qualities
	r := p.Run("-o", "out", "-jobs", "1", s.manga.String())
	p.Fails(r, "download", 1, "of 6 chapters are not complete", "page ", "goes on where this one stopped")
	if strings.Count(r.Stdout, "\n") == 0 {
		t.Error("no other chapter was fetched")
	}
	p.Succeeds(p.Run("-o", "out", s.manga.String()))
	if files := tree(t, p.Path("out")); len(files) != 14 {
		t.Errorf("%d files", len(files))
	}
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	unknown := uuid.NewSHA1(uuid.NameSpaceURL, []byte("nothing")).String()
	bad := exampletest.Bad[shelf]
	tests := []exampletest.BadInput[shelf]{
		bad("unknown id", func(s shelf) []string {
			return []string{unknown}
		}, 1, "there is no title or chapter "+unknown),
		bad("unknown title", func(s shelf) []string {
			return []string{"https://mangadex.org/title/" + unknown}
		}, 1, "404", "check the id"),
		bad("wrong link", func(s shelf) []string {
			return []string{"https://mangadex.org/group/" + s.group.ID.String()}
		}, 2, "not a link to a title or a chapter"),
		bad("wrong link as browsers show it", func(s shelf) []string {
			return []string{"mangadex.org/group/" + s.group.ID.String()}
		}, 2, "not a link to a title or a chapter"),
		bad("link to another site", func(s shelf) []string {
			return []string{"https://manga.example/title/" + s.manga.String()}
		}, 2, "not a link to a title or a chapter"),
		bad("full disk for the list", func(s shelf) []string {
			s.FullOutput()
			return []string{"-list", s.manga.String()}
		}, 1, exampletest.FullDiskText, "make room there"),
		bad("full disk for the paths", func(s shelf) []string {
			s.FullOutput()
			return []string{s.manga.String()}
		}, 1, exampletest.FullDiskText, "make room there", "goes on where this one stopped"),
		bad("full disk", func(s shelf) []string {
			return []string{"-o", s.FullDisk(0), s.manga.String()}
		}, 1, "goes on where this one stopped"),
		bad("full disk, archives", func(s shelf) []string {
			return []string{"-cbz", "-o", s.FullDisk(0), s.manga.String()}
		}, 1, "goes on where this one stopped"),
		bad("read-only folder", func(s shelf) []string {
			return []string{"-o", s.ReadOnly(), s.manga.String()}
		}, 1, "choose another place, or change its permissions"),
		bad("folder that is a file", func(s shelf) []string {
			return []string{"-o", s.Write("file", "content"), s.manga.String()}
		}, 1, "not a directory", "choose another place"),
		bad("language without chapters", func(s shelf) []string {
			return []string{"-language", "sv", s.manga.String()}
		}, 1, "no chapters in sv", "can be en, fr"),
		bad("language that is none", func(s shelf) []string {
			return []string{"-language", "english", s.manga.String()}
		}, 2, `"english" is not the code of a language`),
		bad("unknown group", func(s shelf) []string {
			return []string{"-group", "nobody", s.manga.String()}
		}, 1, "no such chapters", "-group"),
		bad("no chapter in the range", func(s shelf) []string {
			return []string{"-chapters", "1000-", s.manga.String()}
		}, 1, "no such chapters", "-chapters"),
		bad("title without chapters", func(s shelf) []string {
			id, err := s.Server.State().AddManga(apitest.Manga{Title: "Empty"})
			if err != nil {
				t.Error(err)
			}
			return []string{id.String()}
		}, 1, `"Empty" has no chapters`),
		bad("chapter on another site", func(s shelf) []string {
			return []string{s.chapters["4 elsewhere"].String()}
		}, 1, "none of these chapters can be read on MangaDex"),
		bad("no title", func(s shelf) []string {
			return []string{"qqqq", "xxxx"}
		}, 1, `no title matches "qqqq xxxx"`),
		bad("several titles", func(s shelf) []string {
			return []string{"the"}
		}, 1, `titles match "the", such as`, "give the id of one"),
		bad("wrong range", func(s shelf) []string {
			return []string{"-chapters", "1-two", s.manga.String()}
		}, 2, `"1-two" is not a number or a range`),
		bad("empty range", func(s shelf) []string {
			return []string{"-chapters", "", s.manga.String()}
		}, 2, "-chapters is empty; give it a value, or leave it out"),
		bad("empty title", func(s shelf) []string {
			return []string{""}
		}, 2, "an argument is empty; give it a value, or leave it out"),
		bad("long title", func(s shelf) []string {
			return []string{strings.Repeat("x", 20_000)}
		}, 1, "414", "ask for less at once"),
		bad("backward range", func(s shelf) []string {
			return []string{"-chapters", "5-1", s.manga.String()}
		}, 2, `"5-1" is not a number or a range`),
		bad("too many jobs", func(s shelf) []string {
			return []string{"-jobs", "100", s.manga.String()}
		}, 2, "-jobs is 100; it can be 1 to 8"),
		bad("late help", func(s shelf) []string {
			return []string{"kettle", "-h"}
		}, 2, "-h comes too late; flags go before everything else"),
		bad("captcha", func(s shelf) []string {
			s.Server.Fail(apitest.Fault{Operation: "GetManga", Captcha: true, Count: apitest.Always})
			return []string{s.manga.String()}
		}, 1, "captcha", "log in at https://mangadex.org in a browser, then try again"),
		bad("page of a proxy", func(s shelf) []string {
			s.Server.Fail(apitest.Fault{Operation: "GetManga", HTML: true, Count: apitest.Always})
			return []string{s.manga.String()}
		}, 1, "text/html", "try again later"),
		bad("more than is allowed", func(s shelf) []string {
			return []string{"-server", exampletest.Busy(s.test), s.manga.String()}
		}, 1, "429", "wait a little, then try again"),
		bad("late flag", func(s shelf) []string {
			return []string{s.manga.String(), "-cbz"}
		}, 2, "-cbz comes too late; flags go before everything else"),
		bad("unknown flag", func(s shelf) []string {
			return []string{"-quality", "best"}
		}, 2, "not defined: -quality", "see download -h"),
		bad("server error", func(s shelf) []string {
			s.Server.Fail(apitest.Fault{Operation: "GetMangaFeed", Status: http.StatusServiceUnavailable, Count: apitest.Always})
			return []string{s.manga.String()}
		}, 1, "503", "try again later"),
	}
	tests = append(tests, exampletest.Each(exampletest.Unconnected(), func(s shelf, set func(*exampletest.Program) []string) []string {
		return append(set(s.Program), unknown)
	})...)
	for _, test := range tests {
		t.Run(test.Name, func(t *testing.T) {
			t.Parallel()
			p := exampletest.New(t)
			args := test.Set(newShelf(t, p))
			p.Fails(p.Run(args...), "download", test.Status, test.Texts...)
			leftover(t, p.Home)
		})
	}
}

// leftover checks that no unfinished file is anywhere.
func leftover(t *testing.T, root string) {
	t.Helper()
	if err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".part") {
			t.Errorf("%s is left over", path)
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}
