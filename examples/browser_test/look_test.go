package browser

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// windows are what the reader is looked at in.
var windows = []struct {
	name          string
	width, height int64
	scheme        string
	options       []chromedp.EmulateViewportOption
}{
	{"desktop-light", 1280, 800, "light", nil},
	{"desktop-dark", 1280, 800, "dark", nil},
	{"phone-light", 360, 640, "light", []chromedp.EmulateViewportOption{chromedp.EmulateMobile, chromedp.EmulateTouch}},
	{"phone-dark", 360, 640, "dark", []chromedp.EmulateViewportOption{chromedp.EmulateMobile, chromedp.EmulateTouch}},
}

// The checks of TestLook return what is wrong, one line each.
const (
	// fits: nothing sticks out to the side.
	fits = `(() => {
		const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
		return wide > 0 ? [wide + " pixels stick out"] : [];
	})()`

	// named: everything that can be reached has a name for those who do not see it.
	named = `(() => {
		const wrong = [];
		for (const e of document.querySelectorAll("a, button, input:not([type=hidden]), select, dialog, nav, img, figure img")) {
			const label = e.getAttribute("aria-label") || e.labels?.[0]?.textContent || document.getElementById(e.getAttribute("aria-labelledby"))?.textContent || e.textContent || e.alt;
			const decorative = e.tagName === "IMG" && e.getAttribute("alt") === "" && e.closest("a")?.textContent.trim();
			if (!label?.trim() && !decorative) wrong.push("no name: " + e.outerHTML.slice(0, 120));
		}
		for (const [what, n] of Object.entries({ h1: 1, main: 1, header: 1, "html[lang]": 1, title: 1 })) {
			const got = document.querySelectorAll(what).length;
			if (got !== n) wrong.push(got + " of " + what);
		}
		const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
		if (new Set(ids).size !== ids.length) wrong.push("an id comes twice");
		return wrong;
	})()`

	// legible: text stands out against what is behind it, 4.5 to 1 at least (3 to 1 where it is large).
	legible = `(() => {
		const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
		const rgba = (colour) => {
			context.clearRect(0, 0, 1, 1);
			context.fillStyle = colour;
			context.fillRect(0, 0, 1, 1);
			return [...context.getImageData(0, 0, 1, 1).data];
		};
		const luminance = ([r, g, b]) => {
			const [x, y, z] = [r, g, b].map((v) => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
			return .2126 * x + .7152 * y + .0722 * z;
		};
		const behind = (e) => {
			for (; e; e = e.parentElement) {
				const colour = rgba(getComputedStyle(e).backgroundColor);
				if (colour[3] === 255) return colour;
			}
			return [255, 255, 255];
		};
		const wrong = [];
		const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
		while (walker.nextNode()) {
			const e = walker.currentNode.parentElement;
			if (!walker.currentNode.data.trim() || !e.checkVisibility() || e.closest("option, script")) continue;
			const style = getComputedStyle(e);
			const [a, b] = [luminance(rgba(style.color)), luminance(behind(e))].sort((a, b) => b - a);
			const ratio = (a + .05) / (b + .05);
			if (ratio < (parseFloat(style.fontSize) >= 24 ? 3 : 4.5)) wrong.push(ratio.toFixed(1) + " to 1: " + walker.currentNode.data.trim());
		}
		return wrong;
	})()`

	// touchable: what fingers have to hit is large enough for them. Links within a text need not be.
	touchable = `(() => {
		const wrong = [];
		for (const e of document.querySelectorAll("button, .button, input:not([type=hidden], [type=checkbox]), select, .cards a, .up")) {
			const box = e.getBoundingClientRect();
			if (e.checkVisibility({ visibilityProperty: true }) && !e.closest(".unseen, .skip") && (box.width < 40 || box.height < 40)) {
				wrong.push(box.width + " by " + box.height + ": " + e.outerHTML.slice(0, 120));
			}
		}
		return wrong;
	})()`
)

func (b *tab) check(where string, checks ...string) {
	b.t.Helper()
	for _, check := range checks {
		for _, wrong := range eval[[]string](b, check) {
			b.t.Errorf("%s: %s", where, wrong)
		}
	}
}

// TestLook visits every kind of page in every window, dark and light.
func TestLook(t *testing.T) {
	fake, manga, chapters := startFake(t)
	reader := startReader(t, fake, true)
	for _, w := range windows {
		b := openTab(t, w.width, w.height, w.options...)
		call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: w.scheme}}})
		look := func(name string) {
			t.Helper()
			b.wait(arrived)
			b.shoot(w.name + "-" + name)
			checks := []string{fits, named, legible}
			if len(w.options) > 0 {
				checks = append(checks, touchable)
			}
			b.check(w.name+" "+name, checks...)
		}
		b.expect("404 (Not Found)") // of what is not there
		b.open(reader)
		look("start")
		b.open(reader + "/?q=nothing+like+this")
		look("nothing")
		b.open(reader + "/?q=the&lang=any")
		b.do(chromedp.Click(chromedp.CSS(".cards a")))
		b.wait(`document.querySelector("article")`)
		look("title")
		b.open(reader + "/title/" + manga.String())
		look("chapters")
		b.open(reader + "/chapter/" + chapters[0].String())
		b.wait(`document.querySelector("#page-1.arrived")`)
		look("page")
		b.press("?")
		look("keys")
		b.press(escape, "j", "j", "j")
		b.wait(`document.activeElement.id === "next-chapter"`)
		look("end")
		b.press("k", "l", "l")
		b.wait(`document.querySelectorAll(".page.arrived").length === 3`)
		look("strip")
		b.open(reader + "/login")
		look("login")
		b.open(reader + "/title/" + chapters[0].String())
		look("missing")
	}
}
