package main

import (
	"encoding/csv"
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/examples/internal/exampletest"
)

func TestMain(m *testing.M) { exampletest.Main(m, main) }

// newLibrary returns a program whose account keeps every title: each third one with a status, each
// fourth with a rating, each fifth with read chapters.
func newLibrary(t *testing.T, options ...apitest.Option) *exampletest.Program {
	t.Helper()
	p := exampletest.New(t, options...)
	statuses := []string{"reading", "on_hold", "plan_to_read", "dropped", "re_reading", "completed"}
	l := apitest.Library{Statuses: map[uuid.UUID]string{}, Ratings: map[uuid.UUID]int{}}
	for i, manga := range p.Server.State().Manga() {
		l.Manga = append(l.Manga, manga.ID)
		if i%3 == 0 {
			l.Statuses[manga.ID] = statuses[i/3%len(statuses)]
		}
		if i%4 == 0 {
			l.Ratings[manga.ID] = 1 + i/4%10
		}
		if chapters := p.Server.State().Chapters(manga.ID); i%5 == 0 && len(chapters) > 0 {
			l.Read = append(l.Read, chapters[0].ID)
		}
	}
	setLibrary(t, p, l)
	return p
}

func setLibrary(t *testing.T, p *exampletest.Program, l apitest.Library) {
	t.Helper()
	if err := p.Server.State().SetLibrary(p.Server.Account.Username, l); err != nil {
		t.Fatal(err)
	}
}

func libraryOf(t *testing.T, p *exampletest.Program) apitest.Library {
	t.Helper()
	l, ok := p.Server.State().Library(p.Server.Account.Username)
	if !ok {
		t.Fatal("the account has no library")
	}
	slices.SortFunc(l.Manga, func(a, b uuid.UUID) int { return strings.Compare(a.String(), b.String()) })
	return l
}

// same compares what import brings back.
func same(a, b apitest.Library) bool {
	return slices.Equal(a.Manga, b.Manga) && maps.Equal(a.Statuses, b.Statuses) && maps.Equal(a.Ratings, b.Ratings)
}

// changes counts the requests that change something.
func changes(p *exampletest.Program) int {
	return len(p.Requests("FollowManga", "UnfollowManga", "SetReadingStatus", "SetRating", "DeleteRating"))
}

func TestHelp(t *testing.T) {
	t.Parallel()
	exampletest.Embedded(t).Helps("usage: library", "export", "import", "-dry-run", "-format", "-live", "35 requests")
}

func TestEmbedded(t *testing.T) {
	t.Parallel()
	p := exampletest.Embedded(t)
	r := p.Succeeds(p.Run())
	if !strings.HasPrefix(r.Stdout, "TITLE ") || strings.Count(r.Stdout, "\n") < 10 || !strings.Contains(r.Stdout, "plan_to_read") {
		t.Errorf("stdout: %s", r.Stdout)
	}
	p.Succeeds(p.Run("-o", "mine.csv", "export"))
	if r := p.Succeeds(p.Run("import", "mine.csv")); !strings.Contains(r.Stderr, "changed: 0 of ") {
		t.Errorf("stderr: %s", r.Stderr)
	}
}

// TestThousandTitles is the promise of the help, login included.
func TestThousandTitles(t *testing.T) {
	t.Parallel()
	p := newLibrary(t, apitest.WithTitles(1000))
	p.Succeeds(p.Run("-o", "mine.json", "export"))
	requests := map[string]int{}
	total := 0
	for _, r := range p.Server.Requests() {
		requests[r.Operation]++
		total++
	}
	t.Logf("%d requests: %v", total, requests)
	if total > 35 {
		t.Errorf("%d requests, want at most 35: %v", total, requests)
	}
	var records []struct {
		ID       uuid.UUID
		Followed bool
		Status   string
		Rating   int
		Read     []uuid.UUID
	}
	content, err := os.ReadFile(p.Path("mine.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(content, &records); err != nil {
		t.Fatal(err)
	}
	l := libraryOf(t, p)
	read := 0
	for _, r := range records {
		if !r.Followed || r.Status != l.Statuses[r.ID] || r.Rating != l.Ratings[r.ID] {
			t.Errorf("a title: %+v", r)
		}
		read += len(r.Read)
	}
	if len(records) != 1000 || read != len(l.Read) || read == 0 {
		t.Errorf("%d titles with %d read chapters, want 1000 with %d", len(records), read, len(l.Read))
	}
}

// TestRoundTrip exports, empties the library, tries a dry run, imports, and imports again.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"mine.json", "mine.csv"} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			p := newLibrary(t)
			want := libraryOf(t, p)
			delete(want.Ratings, want.Manga[0])
			// One title is kept that is not followed.
			loose := want.Manga[1]
			want.Manga = slices.Delete(slices.Clone(want.Manga), 1, 2)
			want.Statuses[loose] = "dropped"
			setLibrary(t, p, want)
			p.Succeeds(p.Run("-unfollowed", "-o", file, "export"))

			// What is only in the account stays.
			kept := apitest.Library{Manga: want.Manga[:2], Statuses: map[uuid.UUID]string{want.Manga[0]: want.Statuses[want.Manga[0]]}, Ratings: map[uuid.UUID]int{want.Manga[0]: 9}}
			want.Ratings[want.Manga[0]] = 9
			setLibrary(t, p, kept)
			dry := p.Succeeds(p.Run("-dry-run", "import", file))
			if n := changes(p); n != 0 {
				t.Errorf("%d changes in a dry run", n)
			}
			if !strings.Contains(dry.Stderr, "would change: ") || !strings.Contains(dry.Stdout, "follow, status ") || !strings.Contains(dry.Stdout, "rating ") {
				t.Errorf("the dry run: stdout %q, stderr %q", dry.Stdout, dry.Stderr)
			}
			done := p.Succeeds(p.Run("import", file))
			if done.Stdout != dry.Stdout {
				t.Errorf("the import said\n%s, the dry run\n%s", done.Stdout, dry.Stdout)
			}
			if got := libraryOf(t, p); !same(got, want) {
				t.Errorf("the library is %v, want %v", got, want)
			}
			before := changes(p)
			if again := p.Succeeds(p.Run("import", file)); again.Stdout != "" || changes(p) != before {
				t.Errorf("the second import changed something: %s", again.Stdout)
			}
		})
	}
}

// TestFormats takes the format from the flag, or else from the name of the file.
func TestFormats(t *testing.T) {
	t.Parallel()
	p := newLibrary(t)
	isTable := func(s string) bool { return strings.HasPrefix(s, "TITLE ") }
	isJSON := func(s string) bool { return json.Valid([]byte(s)) }
	isCSV := func(s string) bool {
		lines, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(s, "\ufeff"))).ReadAll() // with a mark for spreadsheets
		if err != nil || len(lines) != 31 || strings.Join(lines[0], " ") != "id title followed status rating read average follows" {
			return false
		}
		for _, line := range lines[1:] {
			if average, err := strconv.ParseFloat(line[6], 64); err != nil || average < 0 || average > 10 {
				return false
			}
		}
		return true
	}
	for _, test := range []struct {
		args []string
		file string
		is   func(string) bool
	}{
		{nil, "", isTable},
		{[]string{"-format", "csv"}, "", isCSV},
		{[]string{"-format", "json"}, "", isJSON},
		{[]string{"-o", "a.csv"}, "a.csv", isCSV},
		{[]string{"-o", "a.json"}, "a.json", isJSON},
		{[]string{"-o", "a.txt"}, "a.txt", isTable},
		{[]string{"-format", "csv", "-o", "b.json"}, "b.json", isCSV},
	} {
		r := p.Succeeds(p.Run(append(test.args, "export")...))
		content := r.Stdout
		if test.file != "" {
			b, err := os.ReadFile(p.Path(test.file))
			if err != nil {
				t.Error(err)
			}
			content = string(b)
		}
		if !test.is(content) {
			t.Errorf("%q: %.300s", test.args, content)
		}
	}
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	unknown := uuid.NewSHA1(uuid.NameSpaceURL, []byte("nothing")).String()
	title := func(fields string) string { return `[{"id": "` + unknown + `", "title": "A", ` + fields + `}]` }
	bad := exampletest.Bad[*exampletest.Program]
	tests := []exampletest.BadInput[*exampletest.Program]{
		bad("unknown id", func(p *exampletest.Program) []string {
			return []string{"import", p.Write("mine.json", title(`"followed": true`))}
		}, 1, "1 of 1 titles are not on MangaDex any more"),
		bad("wrong id", func(p *exampletest.Program) []string {
			return []string{"import", p.Write("mine.csv", "id,title,followed,status,rating\n17,A,true,,\n")}
		}, 1, `title 1 ("A") has "17" for an id`, "invalid UUID", "nothing was changed"),
		bad("wrong answers of people", func(p *exampletest.Program) []string {
			return []string{"import", p.Write("mine.csv", "id,title,followed,status,rating\n"+unknown+",A,yes,,eight\n")}
		}, 1, `title 1 ("A") has "yes" for followed; it can be true or false; nothing was changed`),
		bad("rating that is no number", func(p *exampletest.Program) []string {
			return []string{"import", p.Write("mine.csv", "id,title,followed,status,rating\n"+unknown+",A,true,,eight\n")}
		}, 1, `title 1 ("A") has the rating "eight"; it can be 1 to 10; nothing was changed`),
		bad("file without an end", func(p *exampletest.Program) []string {
			return []string{"import", p.Endless()}
		}, 1, "it is larger than 64 MiB; choose another file"),
		bad("no name of a file", func(p *exampletest.Program) []string {
			return []string{"import", ""}
		}, 2, "an argument is empty; give it a value, or leave it out"),
		bad("no id", func(p *exampletest.Program) []string {
			return []string{"import", p.Write("mine.json", `[{"title": "A"}]`)}
		}, 1, `title 1 ("A") has no id`),
		bad("full disk for the output", func(p *exampletest.Program) []string {
			p.FullOutput()
			return []string{"export"}
		}, 1, exampletest.FullDiskText, "make room there"),
		bad("folder for the export", func(p *exampletest.Program) []string {
			return []string{"-o", p.Home, "export"}
		}, 1, "it is a folder; add the name of a file"),
		bad("full disk", func(p *exampletest.Program) []string {
			return []string{"-o", p.FullDisk(0) + "/mine.json", "export"}
		}, 1, "mine.json"),
		bad("read-only folder", func(p *exampletest.Program) []string {
			return []string{"-o", p.ReadOnly() + "/mine.json", "export"}
		}, 1, "mine.json", "choose another place, or change its permissions"),
		bad("login that expires", func(p *exampletest.Program) []string {
			p.Succeeds(p.Run())
			p.Server.Tokens().EndSessions()
			delete(p.Env, "MANGADEX_USERNAME")
			delete(p.Env, "MANGADEX_PASSWORD")
			return nil
		}, 1, "the login has ended; log in again", "expired"),
		bad("unknown status", func(p *exampletest.Program) []string {
			return []string{"import", p.Write("mine.json", title(`"status": "lost"`))}
		}, 1, `title 1 ("A") has the unknown status "lost"`, "nothing was changed"),
		bad("wrong rating", func(p *exampletest.Program) []string {
			return []string{"import", p.Write("mine.json", title(`"rating": 11`))}
		}, 1, "has the rating 11; it can be 1 to 10"),
		bad("a title twice", func(p *exampletest.Program) []string {
			return []string{"import", p.Write("mine.csv", "id,title,followed,status,rating\n"+unknown+",A,true,,\n"+unknown+",A,true,,\n")}
		}, 1, `title 2 ("A") is there twice`),
		bad("no file", func(p *exampletest.Program) []string {
			return []string{"import", "mine.json"}
		}, 1, "mine.json", exampletest.NoFileText),
		bad("empty file", func(p *exampletest.Program) []string {
			return []string{"import", p.Write("mine.json", "")}
		}, 1, "not an export in CSV"),
		bad("damaged JSON", func(p *exampletest.Program) []string {
			return []string{"import", p.Write("mine.json", `[{"id": "`)}
		}, 1, "mine.json: it is damaged, or not an export", "nothing was changed"),
		bad("damaged CSV", func(p *exampletest.Program) []string {
			return []string{"import", p.Write("mine.csv", "id,title,followed,status,rating\n"+unknown+",\"A\n")}
		}, 1, "mine.csv: it is damaged, or not an export"),
		bad("CSV of something else", func(p *exampletest.Program) []string {
			return []string{"import", p.Write("mine.csv", "name,value\na,b\n")}
		}, 1, `the first line does not have "id"`),
		bad("a table", func(p *exampletest.Program) []string {
			p.Succeeds(p.Run("-o", "mine.txt", "export"))
			return []string{"import", "mine.txt"}
		}, 1, "mine.txt: it is"),
		bad("no file to import", func(p *exampletest.Program) []string {
			return []string{"import"}
		}, 2, "import needs the name of one file"),
		bad("unknown action", func(p *exampletest.Program) []string {
			return []string{"sync"}
		}, 2, `"sync" is neither export nor import`),
		bad("unknown format", func(p *exampletest.Program) []string {
			return []string{"-format", "xml"}
		}, 2, `-format is "xml"; it can be table, csv or json`),
		bad("server error in the middle", func(p *exampletest.Program) []string {
			p.Write("mine.json", "the export of before")
			p.Server.Fail(apitest.Fault{Operation: "ListMangaStatistics", Status: http.StatusBadGateway, Count: apitest.Always})
			return []string{"-o", "mine.json", "export"}
		}, 1, "502", "try again later"),
	}
	tests = append(append(tests, exampletest.Unconnected()...), exampletest.LoggedOut()...)
	for _, test := range tests {
		t.Run(test.Name, func(t *testing.T) {
			t.Parallel()
			p := newLibrary(t)
			args := test.Set(p)
			want := libraryOf(t, p)
			file, _ := os.ReadFile(p.Path("mine.json"))
			p.Fails(p.Run(args...), "library", test.Status, test.Texts...)
			if got := libraryOf(t, p); !same(got, want) {
				t.Error("the library has changed")
			}
			if after, _ := os.ReadFile(p.Path("mine.json")); string(after) != string(file) {
				t.Errorf("the file has changed: %.100s", after)
			}
		})
	}
}

// TestNothing exports an empty library.
func TestNothing(t *testing.T) {
	t.Parallel()
	p := exampletest.New(t)
	r := p.Succeeds(p.Run("-format", "json"))
	if strings.TrimSpace(r.Stdout) != "[]" || !strings.Contains(r.Stderr, "this account follows no titles") {
		t.Errorf("stdout %q, stderr %q", r.Stdout, r.Stderr)
	}
}

// TestInterrupted interrupts an import, whose second run does the rest, and an export, which leaves
// the old file.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	p := newLibrary(t)
	want := libraryOf(t, p)
	p.Succeeds(p.Run("-o", "mine.json", "export"))
	exported, err := os.ReadFile(p.Path("mine.json"))
	if err != nil {
		t.Fatal(err)
	}
	setLibrary(t, p, apitest.Library{})

	const sets = "SetReadingStatus" // the third one stands still until the program ends
	p.Server.Fail(apitest.Fault{Operation: sets, Skip: 2, Delay: time.Hour})
	run := p.Start("import", "mine.json")
	run.Interrupt(func() bool { return len(p.Requests(sets)) >= 3 })
	p.Fails(run.Wait(), "library", 130, "interrupted; nothing is lost, and the same command goes on")
	if same(libraryOf(t, p), want) {
		t.Fatal("there was nothing to interrupt any more")
	}
	p.Succeeds(p.Run("import", "mine.json"))
	if got := libraryOf(t, p); !same(got, want) {
		t.Errorf("the library is %v, want %v", got, want)
	}

	const follows = "ListFollowedManga"
	p.Server.Fail(apitest.Fault{Operation: follows, Delay: time.Hour})
	before := len(p.Requests(follows))
	run = p.Start("-o", "mine.json", "export")
	run.Interrupt(func() bool { return len(p.Requests(follows)) > before })
	p.Fails(run.Wait(), "library", 130, "interrupted")
	if after, err := os.ReadFile(p.Path("mine.json")); err != nil || string(after) != string(exported) {
		t.Errorf("the file has changed: %v", err)
	}
}
