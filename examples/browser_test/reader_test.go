package browser

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/mangadex-go/mangadex/api/apitest"
)

// at tells whether the reader shows a page, by its number.
func at(n int) string {
	return fmt.Sprintf(`document.querySelector("#page-%d.arrived")?.checkVisibility() && document.getElementById("where").textContent === "%d / 3"`, n, n)
}

const atEnd = `document.getElementById("end").checkVisibility() && document.getElementById("where").textContent === "End"`

// TestKeyboardAlone searches, follows, sets the status, reads and goes on without a mouse.
func TestKeyboardAlone(t *testing.T) {
	fake, manga, chapters := startFake(t)
	reader := startReader(t, fake, true)
	b := openTab(t, 1280, 800)
	library := func() apitest.Library {
		l, _ := fake.State().Library(fake.Account.Username)
		return l
	}
	onTitle := `location.pathname === "/title/` + manga.String() + `"`

	b.open(reader)
	b.wait(`document.readyState === "complete"`)
	b.press("/", "l", "a", "m", "p", enter)
	b.wait(`document.querySelector("h1").textContent.startsWith("Titles for")`)
	b.tabTo(".cards a")
	b.press(enter)
	b.wait(onTitle + ` && document.querySelector("button[value=yes]")`)

	b.tabTo("button[name=follow]")
	b.press(" ")
	b.wait(`document.querySelector("button[value=no]")`)
	if !slices.Contains(library().Manga, manga) {
		t.Error("the title is not followed")
	}
	b.tabTo("#status")
	b.press(down, tabulator, enter)
	b.wait(`document.querySelector("#status").value === "reading" && document.querySelector("#status option[selected]")?.value === "reading"`)
	if got := library().Statuses[manga]; got != "reading" {
		t.Errorf("the status is %q", got)
	}

	b.tabTo("#begin")
	b.press(enter)
	b.wait(at(1))
	for i, step := range []struct{ key, want string }{
		{left, at(2)}, {right, at(1)}, {" ", at(2)}, {"k", at(1)}, {"j", at(2)}, {end, at(3)}, {home, at(1)}, {right, at(1)},
		{"l", at(1)}, {right, at(2)}, {left, at(1)}, // from left to right
		{"l", at(1) + " && scrollY === 0"}, {right, at(2)}, {"j", at(3)}, // from top to bottom, with the bar in sight
		{"l", at(3)}, // from right to left
		{"?", `document.querySelector("dialog[open]")`}, {"j", at(3)}, {escape, `!document.querySelector("dialog[open]")`},
		{left, atEnd},
	} {
		b.press(step.key)
		b.wait(step.want)
		if t.Failed() {
			t.Fatalf("after step %d", i)
		}
	}
	b.wait(`document.querySelector("#mark [role=status]").textContent === "Marked as read."`)
	if !slices.Contains(library().Read, chapters[0]) {
		t.Error("the chapter is not marked as read")
	}
	b.wait(`document.activeElement.id === "next-chapter"`)
	b.press(enter)
	b.wait(`location.pathname === "/chapter/` + chapters[1].String() + `" && ` + at(1))
	b.press("p")
	b.wait(`location.pathname === "/chapter/` + chapters[0].String() + `" && ` + at(1))
	b.press("n")
	b.wait(`location.pathname === "/chapter/` + chapters[1].String() + `" && ` + at(1))
	b.press("u")
	b.wait(onTitle + ` && document.getElementById("begin").textContent.startsWith("Continue: Chapter 2")`)
	b.wait(`document.querySelector("[data-chapter='` + chapters[0].String() + `'] .state").textContent === "read"`)

	b.tabTo("[value='" + chapters[0].String() + "']")
	b.press(" ")
	b.tabTo("button[value=unread]")
	b.press(enter)
	b.wait(onTitle + ` && !document.querySelector("[data-chapter='` + chapters[0].String() + `'].read")`)
	if slices.Contains(library().Read, chapters[0]) {
		t.Error("the chapter is still marked as read")
	}
}

// TestPhone turns pages with taps and swipes.
func TestPhone(t *testing.T) {
	fake, _, chapters := startFake(t)
	reader := startReader(t, fake, false)
	b := openTab(t, 360, 640, chromedp.EmulateMobile, chromedp.EmulateTouch)
	b.open(reader + "/chapter/" + chapters[0].String())
	b.wait(at(1))
	whole := `(() => {
		const box = document.querySelector(".page:not([hidden]) img").getBoundingClientRect();
		const bar = document.querySelector(".bar").getBoundingClientRect(), pager = document.querySelector(".pager").getBoundingClientRect();
		return box.top >= bar.bottom - 1 && box.bottom <= pager.top + 1 && pager.bottom <= innerHeight + 1 && box.left >= 0 && box.right <= innerWidth && box.width > 200;
	})()`
	b.wait(whole)
	b.do(chromedp.TapXY(60, 300)) // the left half leads on, from right to left
	b.wait(at(2))
	b.do(chromedp.TapXY(300, 300))
	b.wait(at(1))
	swipe := func(from, to int) {
		t.Helper()
		eval[bool](b, fmt.Sprintf(`(() => {
			const target = document.querySelector(".page:not([hidden]) img");
			const touch = (x) => new Touch({ identifier: 1, target, clientX: x, clientY: 300 });
			target.dispatchEvent(new TouchEvent("touchstart", { bubbles: true, touches: [touch(%d)], changedTouches: [touch(%[1]d)] }));
			target.dispatchEvent(new TouchEvent("touchend", { bubbles: true, changedTouches: [touch(%d)] }));
			return true;
		})()`, from, to))
	}
	swipe(60, 260)
	b.wait(at(2))
	swipe(260, 60)
	b.wait(at(1))
	b.do(chromedp.Tap(chromedp.CSS("#next-page")), chromedp.Tap(chromedp.CSS("#next-page")))
	b.wait(at(3))
	b.do(chromedp.Tap(chromedp.CSS("#next-page")))
	b.wait(atEnd)
	b.do(chromedp.Tap(chromedp.CSS("#next-chapter")))
	b.wait(`location.pathname === "/chapter/` + chapters[1].String() + `" && ` + at(1))
	b.do(chromedp.EmulateViewport(640, 360, chromedp.EmulateMobile, chromedp.EmulateTouch))
	b.wait(`innerWidth === 640`)
	b.check("on its side", fits, touchable)
}

// TestImagesFail has no picture arrive at first.
func TestImagesFail(t *testing.T) {
	fake, _, chapters := startFake(t)
	reader := startReader(t, fake, false)
	b := openTab(t, 1280, 800)
	b.expect("502 (Bad Gateway)")
	broken := func() {
		fake.Fail(apitest.Fault{Operation: "Page", Count: apitest.Always, Status: 404}, apitest.Fault{Operation: "Cover", Count: apitest.Always, Status: 503})
	}
	const failure = `document.querySelector("#page-1 .failure")?.checkVisibility()`
	broken()
	b.open(reader + "/chapter/" + chapters[0].String())
	b.wait(failure)
	b.wait(`document.querySelectorAll(".page.failed").length === 3`)
	b.shoot("failed")
	b.check("failed", fits, named, legible)
	if got := eval[string](b, `document.querySelector("#page-1 .failure").innerText`); got != "Page 1 did not arrive. Try again" {
		t.Errorf("in its place is %q", got)
	}
	asked := len(fake.Requests())
	b.do(chromedp.Click(chromedp.CSS("#page-1 .failure button")))
	for end := time.Now().Add(20 * time.Second); len(fake.Requests()) == asked; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not try again")
		}
	}
	b.wait(failure) // in vain
	fake.Heal()
	b.tabTo("#page-1 .failure button")
	b.press(enter)
	b.wait(at(1))
	b.press("r")
	b.wait(`document.querySelectorAll(".page.arrived").length === 3`)
	b.press("j")
	b.wait(at(2))

	broken()
	b.open(reader + "/?lang=any")
	b.wait(`document.querySelector(".cover.failed")`)
	b.check("covers failed", fits, named)
	b.shoot("covers-failed")
	fake.Heal()
	b.wait(`document.querySelectorAll(".cover.failed").length === 0 && ` + arrived)
}

// TestNothingSecretReachesTheBrowser logs in, reads, and looks at all that the browser has sent and
// got, and at what it keeps.
func TestNothingSecretReachesTheBrowser(t *testing.T) {
	fake, manga, chapters := startFake(t)
	reader := startReader(t, fake, false)
	b := openTab(t, 1280, 800)
	b.open(reader + "/title/" + manga.String())
	b.tabTo("main a[href^='/login']")
	b.press(enter)
	b.wait(`document.activeElement.id === "username"`)
	b.press(fake.Account.Username, tabulator, fake.Account.Password, enter)
	b.wait(`document.querySelector("button[name=follow]")`)
	b.do(chromedp.Click(chromedp.CSS("button[name=follow]")))
	b.wait(`document.querySelector("button[value=no]")`)
	b.open(reader + "/chapter/" + chapters[0].String())
	b.wait(at(1))
	b.press("j", "j", "j")
	b.wait(`document.querySelector("#mark [role=status]").textContent === "Marked as read."`)
	b.open(reader + "/following")
	b.wait(arrived)

	secrets := append(fake.Tokens().Access(), fake.Tokens().Refresh()...)
	if len(secrets) < 2 {
		t.Fatal("there are no tokens to look for")
	}
	secrets = append(secrets, fake.Account.ClientSecret, fake.Account.Password)
	clean := func(what, text string) {
		t.Helper()
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("there is a secret in %s", what)
			}
		}
	}
	bodies := 0
	for _, e := range b.exchanges() {
		clean("the headers of "+e.URL, e.URL+e.Headers)
		if e.URL != "" && !strings.HasPrefix(e.URL, reader+"/") {
			t.Errorf("the browser has asked for %s", e.URL)
		}
		if e.ID == "" {
			continue
		}
		if got, err := chromedp.Call(b, network.GetResponseBody, network.GetResponseBodyParams{RequestID: e.ID}); err == nil { // pages that were left have none any more
			clean("the body of "+e.URL, string(got.Body))
			bodies++
		}
	}
	if bodies < 5 {
		t.Errorf("only %d bodies were looked at", bodies)
	}
	clean("what the browser keeps", eval[string](b, `JSON.stringify({ ...localStorage, ...sessionStorage }) + document.cookie`))
	if got := call(b, network.GetCookies, network.GetCookiesParams{}); len(got.Cookies) != 0 {
		t.Errorf("there are cookies: %v", got.Cookies)
	}
	if eval[int](b, `localStorage.length`) == 0 {
		t.Error("the place in the chapter is not kept")
	}
}

// TestGuestGoesOn keeps the place in the browser, and loses nothing to damage.
func TestGuestGoesOn(t *testing.T) {
	fake, manga, chapters := startFake(t)
	reader := startReader(t, fake, false)
	b := openTab(t, 1280, 800)
	first, second := chapters[0].String(), chapters[1].String()
	b.open(reader + "/chapter/" + first)
	b.wait(at(1))
	b.press("j")
	b.wait(at(2))
	b.open(reader)
	b.wait(`document.querySelector("#continue a")?.textContent === "The Lamplighter's Ledger: Chapter 1, page 2"`)
	b.do(chromedp.Click(chromedp.CSS("#continue a")))
	b.wait(at(2))
	b.do(chromedp.Reload())
	b.wait(at(2))
	b.press("j", "j")
	b.wait(atEnd)
	b.open(reader + "/title/" + manga.String())
	b.wait(`document.getElementById("begin").textContent === "Continue: Chapter 2" && document.getElementById("begin").pathname === "/chapter/` + second + `"`)
	b.wait(`document.querySelector("[data-chapter='` + first + `'] .state").textContent === "read"`)

	for _, damage := range []string{`{"half`, `[null, {"manga": 5}]`, `"text"`, `{}`, `[{"manga":"javascript:","chapter":"x","page":1}]`} {
		eval[bool](b, fmt.Sprintf(`(() => { for (const name of ["started", "read", "layout"]) localStorage.setItem(name, %q); return true; })()`, damage))
		for _, path := range []string{"/", "/title/" + manga.String(), "/chapter/" + first} {
			b.open(reader + path)
			b.wait(`document.documentElement.classList.contains("script")`)
		}
		b.wait(at(1))
	}
	b.open(reader)
	b.wait(`document.querySelectorAll("#continue a").length === 1`)
	b.do(chromedp.Click(chromedp.CSS("#continue button")))
	b.wait(`document.getElementById("continue").hidden`)
}

// TestWithoutScripts reads a chapter in a browser that runs none.
func TestWithoutScripts(t *testing.T) {
	fake, manga, chapters := startFake(t)
	reader := startReader(t, fake, true)
	b := openTab(t, 1280, 800)
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.open(reader + "/title/" + manga.String())
	b.do(chromedp.Click(chromedp.CSS("button[name=follow]")), chromedp.WaitVisible(chromedp.CSS("button[value=no]")))
	b.do(chromedp.Click(chromedp.CSS("#begin")), chromedp.WaitVisible(chromedp.CSS("#page-1 img")))
	b.do(chromedp.ScrollIntoView(chromedp.CSS("#page-3 img")), chromedp.WaitVisible(chromedp.CSS("#page-3 img")))
	b.shoot("no-scripts")
	b.do(chromedp.WaitNotVisible(chromedp.CSS(".pager")), chromedp.Click(chromedp.CSS("#mark button")), chromedp.WaitVisible(chromedp.CSS("article")))
	l, _ := fake.State().Library(fake.Account.Username)
	if !slices.Contains(l.Manga, manga) || !slices.Contains(l.Read, chapters[0]) {
		t.Errorf("the library is %+v", l)
	}
}

// TestFast turns pages that were fetched ahead, and says how long that takes: less than the eye sees, on
// a machine that has nothing else to do.
func TestFast(t *testing.T) {
	fake, _, chapters := startFake(t)
	reader := startReader(t, fake, false)
	b := openTab(t, 1280, 800)
	b.open(reader + "/chapter/" + chapters[0].String())
	b.wait(`document.querySelectorAll(".page.arrived").length === 3`) // also those that are not shown yet
	took := time.Duration(eval[float64](b, `(() => {
		const begun = performance.now();
		document.getElementById("next-page").click();
		document.querySelector("#page-2 img").getBoundingClientRect();
		return performance.now() - begun;
	})()`) * float64(time.Millisecond))
	b.wait(at(2))
	t.Logf("a page took %v to turn", took)
}
