package browser

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/api/reading"
)

// TestOrder reads the titles that programs get wrong with the keys n and p, from the first chapter that can
// be read here to the last and back to the very first, and then goes on where it was.
func TestOrder(t *testing.T) {
	fake := apitest.Start(t, apitest.WithAddr("127.0.0.1:0"), apitest.WithHardCases())
	reader := startReader(t, fake, true)
	client, err := api.New(fake.URL, api.WithoutRateLimit())
	if err != nil {
		t.Fatal(err)
	}
	for name, titles := range fake.State().HardCases() {
		t.Run(name, func(t *testing.T) {
			manga, language := titles[0], "en"
			if name == "no-english" {
				language = "ko"
			}
			o := newOrder(t, client, manga, language)
			title := reader + "/title/" + manga.String() + "?lang=" + language
			b := openTab(t, 1280, 800) // each has a time of its own
			b.open(title)
			b.wait(`document.readyState === "complete"`)
			if begin := eval[bool](b, `!!document.getElementById("begin")`); begin != (o.first >= 0) {
				t.Fatalf("there is something to begin with: %v, want %v", begin, o.first >= 0)
			} else if !begin {
				return
			}
			b.tabTo("#begin")
			b.press(enter)
			forth := o.walk(b, "n", "next-chapter")
			back := o.walk(b, "p", "previous-chapter")
			slices.Reverse(back)
			if !slices.Equal(forth, o.all[o.first:]) || !slices.Equal(back, o.all) {
				t.Errorf("forth %v, back %v, want %v", forth, back, o.all)
			}
			// Go on after one that can be read here, in a browser that does not remember where it was itself.
			var here []int
			for _, e := range forth {
				if reading.PlaceOf(&o.list.Entries[e].Chosen().Chapter) == reading.Here {
					here = append(here, e)
				}
			}
			if len(here) < 2 {
				return
			}
			middle := len(here) / 2
			l, _ := fake.State().Library(fake.Account.Username)
			last := o.list.Entries[here[middle-1]].Versions
			l.Read = []uuid.UUID{last[len(last)-1].ID} // in the version that is chosen last
			if err := fake.State().SetLibrary(fake.Account.Username, l); err != nil {
				t.Fatal(err)
			}
			b = openTab(t, 1280, 800)
			b.open(title)
			b.wait(`document.getElementById("begin")?.textContent.startsWith("Continue")`)
			path := eval[string](b, `new URL(document.getElementById("begin").href).pathname`)
			if got := o.entryOf(t, path); got != here[middle] {
				t.Errorf("goes on at entry %d, want %d", got, here[middle])
			}
		})
	}
}

// An order is what package reading says of a title, in numbers of its entries.
type order struct {
	list  *reading.List
	all   []int // that can be read somewhere
	first int   // index in all of the first that can be read here; -1 without one
}

func newOrder(t *testing.T, client *api.Client, manga uuid.UUID, language string) order {
	t.Helper()
	about, err := client.GetManga(t.Context(), manga, nil)
	if err != nil {
		t.Fatal(err)
	}
	var chapters []api.Chapter
	for c, err := range client.GetMangaFeedAll(t.Context(), manga, &api.GetMangaFeedParams{TranslatedLanguage: []string{language}, ContentRating: reading.AllRatings()}) {
		if err != nil {
			t.Fatal(err)
		}
		chapters = append(chapters, c)
	}
	o := order{list: reading.NewList(chapters, reading.WithReset(about.Data.Attributes.ChapterNumbersResetOnNewVolume)), first: -1}
	for i := range o.list.Entries {
		place := reading.PlaceOf(&o.list.Entries[i].Chosen().Chapter)
		if place == reading.Here && o.first < 0 {
			o.first = len(o.all)
		}
		if place != reading.Nowhere {
			o.all = append(o.all, i)
		}
	}
	return o
}

// entryOf is the entry that a path of the reader leads to.
func (o order) entryOf(t *testing.T, path string) int {
	t.Helper()
	id, err := uuid.Parse(strings.TrimPrefix(path, "/chapter/"))
	if err != nil {
		t.Fatalf("%s is not the path of a chapter", path)
	}
	e, ok := o.list.Entry(id)
	if !ok {
		t.Fatalf("%s is not in the list", path)
	}
	return slices.IndexFunc(o.list.Entries, func(other reading.Entry) bool { return other.Chosen().ID == e.Chosen().ID })
}

// walk presses a key until there is no link any more, and returns which entries it saw.
func (o order) walk(b *tab, key, link string) (seen []int) {
	const ready = `document.readyState === "complete" && location.pathname.startsWith("/chapter/")`
	for range len(o.list.Entries) + 1 {
		b.wait(ready)
		at := eval[string](b, `location.pathname`)
		if seen = append(seen, o.entryOf(b.t, at)); !eval[bool](b, `!!document.getElementById("`+link+`")`) {
			return seen
		}
		b.press(key)
		b.wait(ready + ` && location.pathname !== "` + at + `"`)
	}
	b.t.Fatal("there is no end")
	return nil
}

// TestOtherSite lets a page of another site try everything that makes a browser send something to
// the reader, which then asks MangaDex for nothing.
func TestOtherSite(t *testing.T) {
	t.Run("this computer", func(t *testing.T) { otherSite(t, "127.0.0.1:0", "") })
	t.Run("this computer, without a Referer", func(t *testing.T) { otherSite(t, "127.0.0.1:0", "no-referrer") })
	if lan := addressInLAN(); lan != "" { // to which browsers send no Sec-Fetch-Site
		t.Run("another computer", func(t *testing.T) { otherSite(t, lan+":0", "") })
		t.Run("another computer, without a Referer", func(t *testing.T) { otherSite(t, lan+":0", "no-referrer") })
	}
}

// addressInLAN is an address of this computer that others have for it, empty if there is none.
func addressInLAN() string {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return ""
	}
	for _, a := range addresses {
		if ip, ok := a.(*net.IPNet); ok && ip.IP.To4() != nil && ip.IP.IsGlobalUnicast() {
			return ip.IP.String()
		}
	}
	return ""
}

func otherSite(t *testing.T, addr, referrer string) {
	fake, manga, chapters := startFake(t)
	reader := startReader(t, fake, true, "-addr", addr)
	b := openTab(t, 1280, 800)
	b.expect("403")
	b.open(reader + "/title/" + manga.String())
	b.wait(`document.readyState === "complete"`)
	if !strings.HasPrefix(addr, "127.") { // who comes for the first time has a click more
		b.tabTo(`a[href="/title/` + manga.String() + `"]`)
		b.press(enter)
	}
	b.wait(`document.getElementById("begin")`)
	// What a page that is open asks for may still be on its way.
	b.wait(`[...document.images].every(i => i.complete)`)

	evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><title>evil</title><meta name="referrer" content="%[4]s">
			<img src="%[1]s/?q=a1"><script src="%[1]s/?q=a2"></script><link rel="stylesheet" href="%[1]s/?q=a3">
			<iframe src="%[1]s/?q=a4"></iframe><iframe name="frame"></iframe>
			<form id="get" action="%[1]s/" target="frame"><input name="q" value="a5"></form>
			<form id="post" action="%[1]s/title/%[2]s/follow" method="post" target="frame"><input name="follow" value="yes"></form>
			<video src="%[1]s/chapter/%[3]s"></video><object data="%[1]s/?q=a6"></object>
			<script>
			addEventListener("load", async () => {
				document.getElementById("get").submit(); document.getElementById("post").submit();
				navigator.sendBeacon("%[1]s/title/%[2]s/read", new URLSearchParams({chapter: "%[3]s", as: "read"}));
				for (const method of ["GET", "POST", "PUT"]) for (const mode of ["no-cors", "cors"])
					await fetch("%[1]s/?q=a7", {method, mode, credentials: "include"}).catch(() => {});
				setTimeout(() => document.title = "done", 500);
			});
			</script>`, reader, manga, chapters[0], cmp.Or(referrer, "unsafe-url"))
	}))
	defer evil.Close()
	b.expect("403", "CORS", "ERR_", "X-Frame", "frame", "blocked", "421", "405", "MIME")
	before := len(fake.Requests())
	b.open(evil.URL)
	b.wait(`document.title === "done"`)
	for _, r := range fake.Requests()[before:] {
		t.Errorf("MangaDex was asked for %s %s", r.Method, r.URL)
	}
	if l, _ := fake.State().Library(fake.Account.Username); len(l.Manga) > 0 || len(l.Read) > 0 {
		t.Errorf("the library is now %+v", l)
	}
	// A link leads here with a click more.
	eval[bool](b, `(location.href = "`+reader+`/title/`+manga.String()+`", true)`)
	b.wait(`document.body.innerText.includes("Another site may have led here")`)
	if n := len(fake.Requests()); n != before {
		t.Errorf("a link made %d requests", n-before)
	}
	b.tabTo(`a[href="/title/` + manga.String() + `"]`)
	b.press(enter)
	b.wait(`document.getElementById("begin")`)
}
