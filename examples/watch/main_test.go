package main

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/examples/internal/exampletest"
)

func TestMain(m *testing.M) { exampletest.Main(m, main) }

// A follower is a program whose account follows one title.
type follower struct {
	*exampletest.Program
	t     *testing.T
	manga uuid.UUID
}

func newFollower(t *testing.T) *follower {
	t.Helper()
	f := &follower{exampletest.New(t), t, uuid.Nil}
	var err error
	if f.manga, err = f.Server.State().AddManga(apitest.Manga{Title: "Kettles & <Pots>"}); err != nil {
		t.Fatal(err)
	}
	f.follow(f.manga)
	return f
}

func (f *follower) follow(manga ...uuid.UUID) {
	f.t.Helper()
	if err := f.Server.State().SetLibrary(f.Server.Account.Username, apitest.Library{Manga: manga}); err != nil {
		f.t.Fatal(err)
	}
}

// publish adds a chapter that is so old.
func (f *follower) publish(number string, age time.Duration, language string) uuid.UUID {
	f.t.Helper()
	id, err := f.Server.State().AddChapter(apitest.Chapter{Manga: f.manga, Number: number, Title: "Lid", Language: language, Pages: 3, PublishAt: time.Now().Add(-age)})
	if err != nil {
		f.t.Fatal(err)
	}
	return id
}

// numbers runs the program and returns the numbers of the chapters that it tells of.
func (f *follower) numbers(args ...string) string {
	f.t.Helper()
	r := f.Succeeds(f.Run(append([]string{"-format", "json"}, args...)...))
	var told []struct {
		ID                             uuid.UUID
		Manga, Number, Title, Language string
		URL                            string
	}
	if err := json.Unmarshal([]byte(r.Stdout), &told); err != nil {
		f.t.Fatalf("%v: %s", err, r.Stdout)
	}
	var numbers []string
	for _, c := range told {
		numbers = append(numbers, c.Number)
		if c.Manga != "Kettles & <Pots>" || c.Title != "Lid" || c.URL != "https://mangadex.org/chapter/"+c.ID.String() {
			f.t.Errorf("a chapter: %+v", c)
		}
	}
	return strings.Join(numbers, " ")
}

func TestHelp(t *testing.T) {
	t.Parallel()
	exampletest.Embedded(t).Helps("usage: watch", "-format", "rss", "-state", "-language", "-live")
}

func TestEmbedded(t *testing.T) {
	t.Parallel()
	p := exampletest.Embedded(t)
	if r := p.Succeeds(p.Run()); !strings.Contains(r.Stdout, "chapter 100") {
		t.Errorf("first run: %s", r.Stdout)
	}
	if r := p.Succeeds(p.Run()); strings.Contains(r.Stdout, "chapter 100") {
		t.Errorf("second run: %s", r.Stdout)
	}
}

// TestOnce tells of every chapter once, those that come late included.
func TestOnce(t *testing.T) {
	t.Parallel()
	f := newFollower(t)
	const day = 24 * time.Hour
	f.publish("1", 30*day, "en")
	f.publish("2", 6*day, "en")
	f.publish("3", time.Hour, "en")
	f.publish("3 fr", time.Hour, "fr")
	f.publish("9", -day, "en") // to come
	steps := []struct {
		what string
		do   func()
		want string
	}{
		{"first run", func() {}, "2 3"},
		{"nothing new", func() {}, ""},
		{"a new one", func() { f.publish("4", time.Minute, "en") }, "4"},
		{"nothing new again", func() {}, ""},
		{"one that waited for approval", func() { f.publish("3.5", 2*day, "en") }, "3.5"},
		{"one from before the first run", func() { f.publish("0", 20*day, "en") }, ""},
		{"two new ones, in order", func() { f.publish("6", time.Second, "en"); f.publish("5", time.Minute, "en") }, "5 6"},
	}
	for _, step := range steps {
		step.do()
		if got := f.numbers(); got != step.want {
			t.Errorf("%s: %q, want %q", step.what, got, step.want)
		}
	}
	if got := f.numbers("-language", "fr", "-state", f.Path("fr")); got != "3 fr" {
		t.Errorf("in French: %q", got)
	}
	if got := f.numbers("-language", "", "-since", "1500h", "-state", f.Path("all")); !strings.Contains(got, "3 fr") || !strings.Contains(got, "0") || !strings.Contains(got, "1") {
		t.Errorf("in all languages: %q", got)
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	f := newFollower(t)
	id := f.publish("7", time.Hour, "en")
	r := f.Succeeds(f.Run())
	if want := "  Kettles & <Pots>, chapter 7: Lid (en)\n    https://mangadex.org/chapter/" + id.String() + "\n"; !strings.HasSuffix(r.Stdout, want) {
		t.Errorf("stdout: %q", r.Stdout)
	}
	if r.Stderr != "" {
		t.Errorf("stderr: %q", r.Stderr)
	}
}

// TestRSS has what is new first and what was new before behind it.
func TestRSS(t *testing.T) {
	t.Parallel()
	f := newFollower(t)
	first := f.publish("1", 2*time.Hour, "en")
	out := f.Path("feeds", "chapters.xml")
	f.Succeeds(f.Run("-format", "rss", "-o", out))
	second := f.publish("2", time.Hour, "en")
	r := f.Succeeds(f.Run("-format", "rss", "-o", out))
	if r.Stdout != "" {
		t.Errorf("stdout: %q", r.Stdout)
	}
	content, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var feed struct {
		Version string `xml:"version,attr"`
		Items   []struct {
			Title string `xml:"title"`
			GUID  string `xml:"guid"`
			Date  string `xml:"pubDate"`
		} `xml:"channel>item"`
	}
	if err := xml.Unmarshal(content, &feed); err != nil {
		t.Fatalf("%v: %s", err, content)
	}
	var ids []string
	for _, item := range feed.Items {
		ids = append(ids, item.GUID)
		if _, err := time.Parse(time.RFC1123Z, item.Date); err != nil || !strings.HasPrefix(item.Title, "Kettles & <Pots>, chapter ") {
			t.Errorf("an item: %+v", item)
		}
	}
	if want := []string{"urn:uuid:" + second.String(), "urn:uuid:" + first.String()}; feed.Version != "2.0" || !slices.Equal(ids, want) {
		t.Errorf("the feed: %s", content)
	}
}

// TestManyChapters reads more than a page, and forgets old chapters in the end.
func TestManyChapters(t *testing.T) {
	t.Parallel()
	f := newFollower(t)
	const many = 1100
	for i := range many {
		f.publish(fmt.Sprint(i), 6*24*time.Hour-time.Duration(i)*time.Minute, "en")
	}
	if got := strings.Fields(f.numbers()); len(got) != many {
		t.Errorf("%d chapters", len(got))
	}
	if got := f.numbers(); got != "" {
		t.Errorf("told again: %.100s", got)
	}
	content, err := os.ReadFile(f.Path("settings", "mangadex-go", strings.ReplaceAll(strings.TrimPrefix(f.Server.URL, "http://"), ":", "_"), "watch.json"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(content), `"id"`); n != remembered {
		t.Errorf("the state has %d chapters", n)
	}
}

// TestBadInput also checks that nothing is lost: the next run tells of the chapter.
func TestBadInput(t *testing.T) {
	t.Parallel()
	bad := exampletest.Bad[*follower]
	tests := []exampletest.BadInput[*follower]{
		bad("an id that is not asked for", func(f *follower) []string {
			return []string{f.manga.String()}
		}, 2, "too much"),
		bad("full disk for the output", func(f *follower) []string {
			f.FullOutput()
			return nil
		}, 1, exampletest.FullDiskText, "make room there; the next run tells of the same chapters"),
		bad("folder for the result", func(f *follower) []string {
			return []string{"-o", f.Home}
		}, 1, "it is a folder; add the name of a file"),
		bad("full disk for the result", func(f *follower) []string {
			return []string{"-o", f.FullDisk(0) + "/chapters.txt"}
		}, 1, "chapters.txt"),
		bad("full disk for the state", func(f *follower) []string {
			return []string{"-state", f.FullDisk(0) + "/watch.json"}
		}, 1, "watch.json"),
		bad("read-only folder for the result", func(f *follower) []string {
			return []string{"-o", f.ReadOnly() + "/chapters.txt"}
		}, 1, "chapters.txt", "choose another place, or change its permissions"),
		bad("read-only folder for the state", func(f *follower) []string {
			return []string{"-state", f.ReadOnly() + "/watch.json"}
		}, 1, "watch.json", "choose another place, or change its permissions"),
		bad("language that is none", func(f *follower) []string {
			return []string{"-language", "english"}
		}, 2, `"english" is not the code of a language`),
		bad("unknown format", func(f *follower) []string {
			return []string{"-format", "atom"}
		}, 2, `"atom"`, "text, json or rss"),
		bad("state file for the result", func(f *follower) []string {
			return []string{"-o", "watch.json", "-state", f.Path("watch.json")}
		}, 2, "-o and -state are the same file", "give each its own"),
		bad("no name for the result", func(f *follower) []string {
			return []string{"-o", ""}
		}, 2, "-o is empty; give it a value, or leave it out"),
		bad("no time", func(f *follower) []string {
			return []string{"-since", "-1h"}
		}, 2, "-since is -1h0m0s; it must be above 0"),
		bad("wrong time", func(f *follower) []string {
			return []string{"-since", "a week"}
		}, 2, `"a week"`, "-since"),
		bad("damaged state file", func(f *follower) []string {
			return []string{"-state", f.Write("watch.json", `{"from": "2024-0`)}
		}, 1, "watch.json is damaged", "left as it is"),
		bad("state file of something else", func(f *follower) []string {
			return []string{"-state", f.Write("watch.json", `{"name": "value"}`)}
		}, 1, "watch.json is damaged", "not a state file"),
		bad("state file that is a folder", func(f *follower) []string {
			return []string{"-state", f.Home}
		}, 1, "is a directory"),
		bad("state file without an end", func(f *follower) []string {
			return []string{"-state", f.Endless()}
		}, 1, "it is larger than 64 MiB; choose another file"),
		bad("server error", func(f *follower) []string {
			f.Server.Fail(apitest.Fault{Operation: "GetFollowedMangaFeed", Status: http.StatusBadGateway, Count: apitest.Always})
			return nil
		}, 1, "502", "try again later; the next run tells of the same chapters"),
	}
	tests = append(tests, exampletest.Each(append(exampletest.Unconnected(), exampletest.LoggedOut()...), func(f *follower, set func(*exampletest.Program) []string) []string {
		return set(f.Program)
	})...)
	for _, test := range tests {
		t.Run(test.Name, func(t *testing.T) {
			t.Parallel()
			f := newFollower(t)
			f.publish("1", time.Hour, "en")
			restore := f.Healthy()
			args := test.Set(f)
			damaged, _ := os.ReadFile(f.Path("watch.json"))
			result := f.Run(args...)
			f.Fails(result, "watch", test.Status, test.Texts...)
			if test.Name == "full disk for the login" { // which is only missed at the end
				if !strings.Contains(result.Stdout, "1") {
					t.Error("nothing was told")
				}
				return
			}
			if after, _ := os.ReadFile(f.Path("watch.json")); string(after) != string(damaged) {
				t.Errorf("the state file is now %q", after)
			}

			restore()
			if got := f.numbers(); got != "1" {
				t.Errorf("the next run tells of %q", got)
			}
		})
	}
}

// TestNothing says why there is nothing to tell of.
func TestNothing(t *testing.T) {
	t.Parallel()
	f := newFollower(t)
	if r := f.Succeeds(f.Run()); r.Stdout != "" || !strings.Contains(r.Stderr, "no chapters of the 1 titles") {
		t.Errorf("stdout %q, stderr %q", r.Stdout, r.Stderr)
	}
	f.follow()
	if r := f.Succeeds(f.Run()); r.Stdout != "" || !strings.Contains(r.Stderr, "follows no titles") {
		t.Errorf("stdout %q, stderr %q", r.Stdout, r.Stderr)
	}
	if got := f.numbers(); got != "" {
		t.Errorf("JSON: %q", got)
	}
}

// TestInterrupted tells of the same chapters after an interruption.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	f := newFollower(t)
	f.publish("1", time.Hour, "en")
	const feed = "GetFollowedMangaFeed"
	f.Server.Fail(apitest.Fault{Operation: feed, Delay: time.Hour})
	run := f.Start("-state", f.Path("watch.json"))
	run.Interrupt(func() bool { return len(f.Requests(feed)) > 0 })
	f.Fails(run.Wait(), "watch", 130, "interrupted; the next run tells of the same chapters")
	if got := f.numbers("-state", f.Path("watch.json")); got != "1" {
		t.Errorf("the next run tells of %q", got)
	}
}
