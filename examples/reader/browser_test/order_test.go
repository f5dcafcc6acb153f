package browser

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api/apitest"
)

// TestOrder reads titles that programs get wrong with the keys n and p, and then goes on where it
// was.
func TestOrder(t *testing.T) {
	fake := apitest.Start(t, apitest.WithAddr("127.0.0.1:0"), apitest.WithHardCases())
	reader := startReader(t, fake, true)
	const chapter = `document.getElementById("reader")?.dataset.chapter`
	for name, entries := range map[string]int{"reset-unsaid": 0, "anthology": 12, "no-number": 4, "versions": 0} {
		b := openTab(t, 1280, 800) // each has a time of its own
		manga := fake.State().HardCases()[name][0].String()
		b.open(reader + "/title/" + manga + "?lang=en")
		b.wait(`document.getElementById("begin")`)
		b.tabTo("#begin")
		b.press(enter)
		walk := func(key, link string) (seen []string) {
			for range 60 {
				b.wait(`document.readyState === "complete" && ` + chapter)
				at := eval[string](b, chapter)
				if seen = append(seen, at); !eval[bool](b, `!!document.getElementById("`+link+`")`) {
					return seen
				}
				b.press(key)
				b.wait(chapter + ` !== "` + at + `"`)
			}
			t.Fatalf("%s: there is no end", name)
			return nil
		}
		forth := walk("n", "next-chapter")
		back := walk("p", "previous-chapter")
		slices.Reverse(back)
		distinct := slices.Compact(slices.Sorted(slices.Values(forth)))
		if !slices.Equal(forth, back) || len(distinct) != len(forth) || entries > 0 && len(forth) != entries {
			t.Errorf("%s: forth %v, back %v", name, forth, back)
		}
		// Go on after the one in the middle, in a browser that does not remember where it was itself.
		b = openTab(t, 1280, 800)
		middle := len(forth) / 2
		l, _ := fake.State().Library(fake.Account.Username)
		l.Read = []uuid.UUID{uuid.MustParse(forth[middle-1])}
		if err := fake.State().SetLibrary(fake.Account.Username, l); err != nil {
			t.Fatal(err)
		}
		b.open(reader + "/title/" + manga + "?lang=en")
		b.wait(`document.getElementById("begin")?.textContent.startsWith("Continue")`)
		if got, want := eval[string](b, `new URL(document.getElementById("begin").href).pathname`), "/chapter/"+forth[middle]; got != want {
			t.Errorf("%s: goes on at %s, want %s", name, got, want)
		}
	}
}

// TestOtherSite lets a page of another site try everything that makes a browser send something to
// the reader, which then asks MangaDex for nothing.
func TestOtherSite(t *testing.T) {
	fake, manga, chapters := startFake(t)
	reader := startReader(t, fake, true)
	b := openTab(t, 1280, 800)
	b.open(reader + "/title/" + manga.String())
	b.wait(`document.getElementById("begin")`)
	// What a page that is open asks for may still be on its way.
	b.wait(`[...document.images].every(i => i.complete)`)

	evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><title>evil</title>
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
			</script>`, reader, manga, chapters[0])
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
