package main

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/examples/internal/exampletest"
)

const day = 24 * time.Hour

// add adds a chapter.
func (f *follower) add(c apitest.Chapter) uuid.UUID {
	f.t.Helper()
	if c.Manga == uuid.Nil {
		c.Manga = f.manga
	}
	if c.Title == "" {
		c.Title = "Lid"
	}
	id, err := f.Server.State().AddChapter(c)
	if err != nil {
		f.t.Fatal(err)
	}
	return id
}

// told runs the program and returns the URLs that it prints, of chapters with any title.
func (f *follower) told(args ...string) []string {
	f.t.Helper()
	r := f.Succeeds(f.Run(append([]string{"-format", "json"}, args...)...))
	var all []struct{ URL string }
	if err := json.Unmarshal([]byte(r.Stdout), &all); err != nil {
		f.t.Fatalf("%v: %s", err, r.Stdout)
	}
	var urls []string
	for _, c := range all {
		urls = append(urls, c.URL)
	}
	return urls
}

func (f *follower) wants(what string, want ...string) {
	f.t.Helper()
	if got := f.told(); fmt.Sprint(got) != fmt.Sprint(want) {
		f.t.Errorf("%s: told of %v, want %v", what, got, want)
	}
}

// TestElsewhere is about chapters on other sites, whose publication is in 2037 for good.
func TestElsewhere(t *testing.T) {
	t.Parallel()
	f := newFollower(t)
	ahead := time.Date(2037, 12, 31, 15, 0, 0, 0, time.UTC)
	elsewhere := func(number string, age time.Duration) string {
		at := time.Now().Add(-age)
		f.add(apitest.Chapter{Number: number, ExternalURL: "https://reader.example/" + number, CreatedAt: at, ReadableAt: at, PublishAt: ahead})
		return "https://reader.example/" + number
	}
	elsewhere("1", 200*day)
	second := elsewhere("2", time.Hour)
	f.wants("the first run", second)
	f.wants("the second run")
	third := elsewhere("3", time.Minute)
	f.wants("a new one", third)
	f.wants("and nothing else")
}

// TestLate is about chapters that appear when they could long have been read, by their times.
func TestLate(t *testing.T) {
	t.Parallel()
	f := newFollower(t)
	f.publish("1", time.Hour, "en")
	f.told()
	f.publish("2", 73*time.Hour, "en")
	if got := f.numbers(); got != "2" {
		t.Errorf("72 hours late: told of %q", got)
	}
	at := time.Now().Add(-6 * day)
	f.add(apitest.Chapter{Number: "0.5", Pages: 3, CreatedAt: at, PublishAt: at, ReadableAt: at})
	if got := f.numbers(); got != "0.5" {
		t.Errorf("six days late: told of %q", got)
	}
	// Published long ago, and held back until now.
	f.add(apitest.Chapter{Number: "0.1", Pages: 3, CreatedAt: at.Add(-90 * day), PublishAt: at.Add(-90 * day), ReadableAt: time.Now().Add(-time.Minute)})
	if got := f.numbers(); got != "0.1" {
		t.Errorf("held back: told of %q", got)
	}
	if got := f.numbers(); got != "" {
		t.Errorf("again: told of %q", got)
	}
}

// TestFollowedLater does not tell of a month of a title that is followed from now on.
func TestFollowedLater(t *testing.T) {
	t.Parallel()
	f := newFollower(t)
	f.publish("1", time.Hour, "en")
	f.told("-since", "700h")
	other, err := f.Server.State().AddManga(apitest.Manga{Title: "Kettles & <Pots>"})
	if err != nil {
		t.Fatal(err)
	}
	for i, age := range []time.Duration{20 * day, 10 * day, time.Hour} {
		at := time.Now().Add(-age)
		f.add(apitest.Chapter{Manga: other, Number: fmt.Sprint(10 + i), Pages: 3, CreatedAt: at, PublishAt: at})
	}
	f.follow(f.manga, other)
	if got := f.numbers(); got != "12" {
		t.Errorf("told of %q", got)
	}
}

// TestVersions tells of a chapter once, whoever uploads it again, and of each story of an anthology.
func TestVersions(t *testing.T) {
	t.Parallel()
	f := newFollower(t)
	var groups []uuid.UUID
	for _, name := range []string{"Kettle Scans", "Pot Scans", "Lid Scans"} {
		id, err := f.Server.State().AddGroup(apitest.Group{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		groups = append(groups, id)
	}
	by := func(group int, number, volume, title string) {
		f.add(apitest.Chapter{Number: number, Volume: volume, Title: title, Pages: 3, Groups: groups[group : group+1], PublishAt: time.Now().Add(-time.Minute)})
	}
	count := func(what string, want int) {
		t.Helper()
		if got := f.told(); len(got) != want {
			t.Errorf("%s: told of %d chapters, want %d: %v", what, len(got), want, got)
		}
	}
	by(0, "1", "", "A")
	by(1, "1", "", "A")
	count("two versions at once", 1)
	by(2, "1", "", "Another name")
	count("a third one", 0)
	by(0, "2", "", "B")
	count("the next chapter", 1)
	by(1, "2", "1", "B")
	count("a version with a volume", 0)
	by(0, "3", "", "Spoon")
	by(0, "3", "", "Fork")
	count("an anthology", 2)
	by(0, "3", "", "Knife")
	count("a third story", 1)
	by(1, "3", "", "Knife")
	count("the third story by others", 0)
	r := f.Succeeds(f.Run("-state", f.Path("other.json")))
	if !strings.Contains(r.Stdout, "chapter 1: ") || !strings.Contains(r.Stdout, "and 2 more in other versions)") {
		t.Errorf("what is left out is not said: %s", r.Stdout)
	}
}

// TestTenThousand tells of more news than the server shows of a list, and goes on afterwards.
func TestTenThousand(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("10,600 chapters take long; run it without -short")
	}
	f := newFollower(t)
	const many = 10_600
	for i := range many { // most of them so old that later runs do not ask for them
		at := time.Now().Add(-60*day + time.Duration(i)*4*time.Minute)
		f.add(apitest.Chapter{Number: fmt.Sprint(i + 1), Pages: 1, PublishAt: at})
	}
	f.publish("newest", day, "en")
	if got := f.told("-since", "1464h"); len(got) != many+1 {
		t.Errorf("told of %d chapters, want %d", len(got), many+1)
	}
	f.wants("the second run")
	f.publish("next", time.Minute, "en")
	if got := f.numbers(); got != "next" {
		t.Errorf("the third run tells of %.100q", got)
	}
}

// TestClock has runs while the clock is wrong, and then right.
func TestClock(t *testing.T) {
	t.Parallel()
	for name, times := range map[string][2]string{ // from and lastRun
		"one run in 2038":       {"", "2038-01-19T03:14:08Z"},
		"the first run in 2038": {"2038-01-12T03:14:08Z", "2038-01-19T03:14:08Z"},
		"one run in 1970":       {"", "1970-01-01T00:00:08Z"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFollower(t)
			f.publish("1", 5*day, "en")
			f.publish("2", time.Hour, "en")
			state := f.Path("watch.json")
			f.numbers("-state", state)
			var content map[string]any
			b, err := os.ReadFile(state)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(b, &content); err != nil {
				t.Fatal(err)
			}
			content["lastRun"] = times[1]
			if times[0] != "" {
				content["from"] = times[0]
			}
			if b, err = json.Marshal(content); err != nil {
				t.Fatal(err)
			}
			f.Write("watch.json", string(b))
			f.publish("3", time.Minute, "en")
			if got := f.numbers("-state", state); got != "3" {
				t.Errorf("told of %q", got)
			}
			f.publish("4", time.Second, "en")
			if got := f.numbers("-state", state); got != "4" {
				t.Errorf("told of %q", got)
			}
		})
	}
}

// TestOldState goes on from a state file as it was before versions were known.
func TestOldState(t *testing.T) {
	t.Parallel()
	f := newFollower(t)
	told := f.publish("5", 10*time.Hour, "en")
	now := time.Now().UTC()
	f.add(apitest.Chapter{Number: "1", Pages: 3, CreatedAt: now.Add(-20 * day)})
	f.add(apitest.Chapter{Number: "2", Pages: 3, CreatedAt: now.Add(-5 * day)})
	f.Write("watch.json", fmt.Sprintf(`{"from": %q, "lastRun": %q, "chapters": [{"id": %q, "readableAt": %q}]}`,
		now.Add(-60*day).Format(time.RFC3339), now.Add(-time.Hour).Format(time.RFC3339), told, now.Add(-10*time.Hour).Format(time.RFC3339)))
	f.publish("6", time.Minute, "en")
	if got := f.numbers("-state", f.Path("watch.json")); got != "6" {
		t.Errorf("told of %q", got)
	}
}

// TestTwoAtOnce runs several programs on one state at the same time.
func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	f := newFollower(t)
	for i := range 5 {
		f.publish(fmt.Sprint(i), time.Hour, "en")
	}
	f.Server.Fail(apitest.Fault{Operation: "GetFollowedMangaFeed", Delay: 100 * time.Millisecond, Count: apitest.Always})
	var mu sync.Mutex
	times := 0
	var wg sync.WaitGroup
	for i := range 3 {
		run := f.Start("-token", f.Path(fmt.Sprint("token", i)), "-state", f.Path("watch.json"))
		wg.Go(func() {
			r := run.Wait()
			mu.Lock()
			defer mu.Unlock()
			if r.Status != 0 {
				t.Errorf("status %d: %s", r.Status, r.Stderr)
			}
			times += strings.Count(r.Stdout, ", chapter ")
		})
	}
	wg.Wait()
	if times != 5 {
		t.Errorf("5 chapters were told of %d times", times)
	}
}

// TestMounted keeps the state and the result in files that are mounted by themselves, as containers
// have them. The witness is the kernel.
func TestMounted(t *testing.T) {
	t.Parallel()
	if os.Getenv("MOUNTS") == "" {
		t.Skip("it mounts files; run .ci/nightly mounts as root")
	}
	f := newFollower(t)
	f.publish("1", time.Hour, "en")
	state, out := f.Write("mounted/watch.json", ""), f.Write("mounted/feed.xml", "")
	for i, path := range []string{state, out} {
		source := f.Write(fmt.Sprintf("source/%d", i), "")
		if text, err := exec.Command("mount", "--bind", source, path).CombinedOutput(); err != nil {
			t.Skipf("nothing can be mounted here: %v: %s", err, text)
		}
		t.Cleanup(func() {
			if text, err := exec.Command("umount", path).CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, text)
			}
		})
	}
	for round, want := range []string{"chapter 1", ""} {
		f.Succeeds(f.Run("-state", state, "-o", out))
		content, err := os.ReadFile(out)
		if err != nil || want == "" && len(content) > 0 || !strings.Contains(string(content), want) {
			t.Errorf("run %d tells of %q, %v", round+1, content, err)
		}
	}
}

// TestEvery runs on until it is interrupted, whatever the server does meanwhile.
func TestEvery(t *testing.T) {
	t.Parallel()
	f := newFollower(t)
	f.publish("1", time.Hour, "en")
	run := f.Start("-every", "1s")
	tells := func(text string) bool {
		for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
			if strings.Contains(run.Stdout()+run.Stderr(), text) {
				return true
			}
		}
		t.Errorf("no %q; stdout %q, stderr %q", text, run.Stdout(), run.Stderr())
		return false
	}
	tells("chapter 1: ")
	f.Server.Fail(apitest.Fault{Operation: "GetFollowedMangaFeed", Status: http.StatusNotFound, Count: apitest.Always})
	tells("the next attempt is in 1s")
	f.publish("2", time.Minute, "en")
	f.Server.Heal()
	tells("chapter 2: ")
	run.Interrupt(func() bool { return true })
	r := run.Wait()
	if r.Status != 130 || strings.Count(r.Stdout, ", chapter ") != 2 {
		t.Errorf("status %d, stdout %q", r.Status, r.Stdout)
	}
}

// TestHostile tells of what people write who mean harm.
func TestHostile(t *testing.T) {
	t.Parallel()
	f := newFollower(t)
	var err error
	if f.manga, err = f.Server.State().AddManga(apitest.Manga{Title: "\x1b[2JKettles\nwatch: all is well\u202e <b>"}); err != nil {
		t.Fatal(err)
	}
	group, err := f.Server.State().AddGroup(apitest.Group{Name: "\u009b31m]]>Scans\r"})
	if err != nil {
		t.Fatal(err)
	}
	f.follow(f.manga)
	for i, link := range []string{"", "javascript:alert(1)", "https://reader.example/1?a=\"b", "data:text/html,x", "https://reader.example@evil.example/"} {
		f.add(apitest.Chapter{Number: fmt.Sprint(i, "\x1b[1m"), Title: "\x07Lid\u2028\u2067", Pages: 3, Groups: []uuid.UUID{group}, ExternalURL: link, PublishAt: time.Now().Add(-time.Hour)})
	}
	for _, format := range []string{"text", "json", "rss"} {
		r := f.Succeeds(f.Run("-format", format, "-state", f.Path(format)))
		if strings.ContainsFunc(strings.ReplaceAll(r.Stdout, "\n", ""), func(r rune) bool {
			return unicode.In(r, unicode.Cc, unicode.Bidi_Control, unicode.Zl, unicode.Zp)
		}) {
			t.Errorf("%s: %q", format, r.Stdout)
		}
		if lines := strings.Count(r.Stdout, "\n"); format == "text" && lines != 10 {
			t.Errorf("%d lines for 5 chapters: %q", lines, r.Stdout)
		}
		if format != "rss" {
			continue
		}
		var feed struct {
			Links []string `xml:"channel>item>link"`
		}
		if err := xml.Unmarshal([]byte(r.Stdout), &feed); err != nil || len(feed.Links) != 5 {
			t.Fatalf("%v: %s", err, r.Stdout)
		}
		for _, link := range feed.Links {
			if u, err := url.Parse(link); err != nil || u.Scheme != "https" || u.User != nil || u.Host != "mangadex.org" && u.Host != "reader.example" {
				t.Errorf("a link to %q", link)
			}
		}
	}
}

// TestFeedKeepsItsMode is about feeds that a web server reads.
func TestFeedKeepsItsMode(t *testing.T) {
	t.Parallel()
	f := newFollower(t)
	out := f.Write("feed.xml", "")
	if err := os.Chmod(out, 0o664); err != nil {
		t.Skip(err)
	}
	f.Succeeds(f.Run("-format", "rss", "-o", out))
	if info, err := os.Stat(out); err != nil || info.Size() == 0 || info.Mode().Perm()&0o060 != 0o060 {
		t.Errorf("the feed is now %v, %v", info.Mode(), err)
	}
}

// TestBan runs again and again against a server with the limits of MangaDex, in spite of which each
// run alone is polite; and says what that comes to.
func TestBan(t *testing.T) {
	t.Parallel()
	p := exampletest.New(t)
	p.Server.Fail(apitest.Fault{Operation: "GetFollowedMangaFeed", Status: http.StatusForbidden, HTML: true, Count: apitest.Always})
	p.Fails(p.Run("-format", "json"), "watch", 1, "looks like a ban for too many requests", "wait five minutes", "-limits of examples/emulator")
}

// TestPolite sends no more to a server than MangaDex allows, unless it is told to.
func TestPolite(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("6,000 chapters take long; run it without -short")
	}
	f := &follower{exampletest.New(t, apitest.WithLimits()), t, uuid.Nil}
	var err error
	if f.manga, err = f.Server.State().AddManga(apitest.Manga{Title: "Kettles & <Pots>"}); err != nil {
		t.Fatal(err)
	}
	f.follow(f.manga)
	for i := range 6000 {
		f.add(apitest.Chapter{Number: fmt.Sprint(i), Pages: 1, PublishAt: time.Now().Add(-time.Duration(i) * time.Second)})
	}
	f.told("-server", f.Server.URL)
	for _, r := range f.Requests("GetFollowedMangaFeed") {
		if r.Status == http.StatusTooManyRequests {
			t.Fatal("the limits of the server were not kept")
		}
	}
}
