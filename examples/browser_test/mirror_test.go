package browser

import (
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"

	"github.com/mangadex-go/mangadex/api/apitest"
)

// TestMirror looks at the pages of a copy that is empty, of one that is made just then, and of a whole
// one, in every window, dark and light. The numbers on the pages are those of the server.
func TestMirror(t *testing.T) {
	titles := 20_000
	if testing.Short() {
		titles = 500
	}
	fake := apitest.Start(t, apitest.WithAddr("127.0.0.1:0"), apitest.WithTitles(titles))
	db := filepath.Join(t.TempDir(), "mirror.db")
	copying := func() *exec.Cmd {
		cmd := command("mirror", "-server", fake.URL, "-unlimited", "-db", db)
		cmd.Stderr = t.Output()
		return cmd
	}
	mirror := serve(t, command("mirror", "-server", fake.URL, "-unlimited", "-db", db, "-serve", "127.0.0.1:0"))

	lookAround(t, mirror, "empty")

	half := copying()
	if err := half.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(5 * time.Minute); !shows(t, mirror, "so far", `class="name"`); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it copies nothing")
		}
	}
	_ = half.Process.Kill()
	_ = half.Wait()
	lookAround(t, mirror, "half")

	if err := copying().Run(); err != nil {
		t.Fatal(err)
	}
	lookAround(t, mirror, "whole")
	compare(t, mirror, fake)
}

// shows reports whether the first page of a mirror has all of the texts.
func shows(t *testing.T, mirror string, texts ...string) bool {
	t.Helper()
	answer, err := http.Get(mirror + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(string(page), text) })
}

// lookAround visits every kind of page of a mirror.
func lookAround(t *testing.T, mirror, state string) {
	t.Helper()
	for _, w := range windows {
		b := openTab(t, w.width, w.height, w.options...)
		call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: w.scheme}}})
		b.expect("404 (Not Found)") // of what is not there
		for name, path := range map[string]string{
			"titles": "/", "search": "/?q=the", "chapters": "/chapters", "numbers": "/numbers", "runs": "/runs", "missing": "/nothing",
		} {
			where := strings.Join([]string{"mirror", state, w.name, name}, "-")
			b.open(mirror + path)
			b.wait(`document.readyState === "complete"`)
			b.wait(arrived)
			b.shoot(where)
			checks := []string{fits, named, legible}
			if len(w.options) > 0 {
				checks = append(checks, touchable)
			}
			b.check(where, checks...)
			if dark := eval[int](b, `[...document.querySelectorAll(".plot")].filter((i) => i.currentSrc.includes("dark=1") !== matchMedia("(prefers-color-scheme: dark)").matches).length`); dark > 0 {
				t.Errorf("%s: %d plots have the wrong colours", where, dark)
			}
			if small := eval[int](b, `[...document.querySelectorAll(".plot")].filter((i) => i.complete && i.naturalWidth > 0 && i.width < .8 * i.naturalWidth).length`); small > 0 {
				t.Errorf("%s: %d plots are shrunk, so that nobody can read them", where, small)
			}
			if note := eval[bool](b, `!!document.querySelector("body > .note")`); note != (state == "half") {
				t.Errorf("%s: a run is said to be on its way: %t", where, note)
			}
			took := eval[float64](b, `(() => { const n = performance.getEntriesByType("navigation")[0]; return n.responseEnd - n.requestStart; })()`)
			t.Logf("%s: %.0f ms", where, took)
		}
	}
}

// compare checks the numbers on the pages of a whole copy by what is on the server.
func compare(t *testing.T, mirror string, fake *apitest.Server) {
	t.Helper()
	b := openTab(t, 1280, 800)
	want, chapters := map[string]map[string]int{"years": {}, "languages": {}}, 0
	manga := fake.State().Manga()
	for _, m := range manga {
		if m.Year != 0 {
			want["years"][strconv.Itoa(m.Year)]++
		}
		for _, c := range fake.State().Chapters(m.ID) {
			chapters++
			want["languages"][c.Language]++
		}
	}
	b.open(mirror + "/")
	footer := eval[string](b, `document.querySelector("footer").textContent`)
	if text := fmt.Sprintf("%d titles and %d chapters", len(manga), chapters); !strings.Contains(footer, text) {
		t.Errorf("the page says %q, want %s", footer, text)
	}
	for table, path := range map[string]string{"years": "/numbers", "languages": "/chapters"} {
		b.open(mirror + path)
		rows := eval[[][]string](b, `[...document.querySelectorAll("#`+table+` tbody tr")].map((r) => [...r.cells].map((c) => c.textContent))`)
		if len(rows) == 0 {
			t.Errorf("there is no table of %s", table)
		}
		for _, row := range rows {
			if n, err := strconv.Atoi(row[1]); err != nil || n != want[table][row[0]] {
				t.Errorf("%s: the page says %s of %s, the server %d", table, row[1], row[0], want[table][row[0]])
			}
		}
	}
}
