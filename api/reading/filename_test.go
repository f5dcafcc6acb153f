package reading_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/reading"
)

func TestFileName(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                             "_",
		"...":                          "_",
		" . .":                         "_",
		"\u200d":                       "_",
		"The Kettle":                   "The Kettle",
		`a<b>c:d"e/f\g|h?i*j`:          "a_b_c_d_e_f_g_h_i_j",
		"../../etc/passwd":             "_.._etc_passwd",
		".hidden.":                     "hidden",
		"CON":                          "_CON",
		"con.txt":                      "_con.txt",
		"con .txt":                     "_con .txt",
		"LPT1":                         "_LPT1",
		"COM¹":                         "_COM¹",
		"COM10":                        "COM10",
		"console":                      "console",
		"line\nbreak\ttab":             "line break tab",
		"abc\u202egnp.exe":             "abcgnp.exe",
		"e\u0301":                      "é", // normalised
		"broken\xff":                   "broken_",
		"\x1b[31mred":                  "[31mred",
		"日本語 タイトル":                     "日本語 タイトル",
		strings.Repeat("x", 1000):      strings.Repeat("x", 128),
		strings.Repeat("é", 1000):      strings.Repeat("é", 64),
		strings.Repeat("あ", 1000):      strings.Repeat("あ", 42),
		strings.Repeat("x", 127) + ".": strings.Repeat("x", 127),
		strings.Repeat("x", 126) + "e\u0323\u0302\u031b y": strings.Repeat("x", 126), // no letter without its marks
		strings.Repeat("\u200b", 5000) + "late":            "late",
	} {
		same(t, text[:min(len(text), 40)], reading.FileName(text), want)
	}
}

// fits fails the test if a text is no name of a file on some system.
func fits(t *testing.T, name string) {
	t.Helper()
	switch {
	case name == "" || name == "." || name == "..":
		t.Errorf("%q is no name", name)
	case len(name) > reading.MaxFileName || len(utf16.Encode([]rune(name))) > 255:
		t.Errorf("%q is too long: %d bytes", name, len(name))
	case !utf8.ValidString(name) || !norm.NFC.IsNormalString(name):
		t.Errorf("%q is not normal UTF-8", name)
	case strings.ContainsAny(name, `<>:"/\|?*`) || name != strings.Trim(name, " .") || reading.Line(name) != name:
		t.Errorf("%q has what systems forbid", name)
	}
}

func TestTitleFileName(t *testing.T) {
	t.Parallel()
	manga := &api.Manga{ID: idOf("a title"), Attributes: api.MangaAttributes{Title: api.LocalizedString{{Language: "en", Text: `The Kettle: "Whistles?" / Cools`}}}}
	same(t, "name", reading.TitleFileName(manga), "The Kettle_ _Whistles__ _ Cools ["+manga.ID.String()[:8]+"]")
	for _, title := range []string{"", "CON", strings.Repeat("あ", 100), ". ", "a\u202e/"} {
		manga.Attributes.Title[0].Text = title
		fits(t, reading.TitleFileName(manga))
	}
}

func TestListFileName(t *testing.T) {
	t.Parallel()
	chapters := []chapter{
		{name: "a", volume: "1", number: "1", title: "The Kettle", by: "Kettle Scans"},
		{name: "b", volume: "-", number: "10.5", title: "-", by: "Kettle Scans,Others"},
		{name: "c", volume: "-", number: "-", title: "Side: Story", language: "pt-br"},
		{name: "d", volume: "1", number: "30e", title: "../..", by: "@user"},
		{name: "e", volume: "v2", number: strings.Repeat("9", 300), title: strings.Repeat("あ", 500), by: strings.Repeat("グ", 100), language: strings.Repeat("x", 100)},
	}
	all := build(chapters)
	l := reading.NewList(all[:4])
	for i, want := range []string{
		"c0001 v01 The Kettle [en] [Kettle Scans]",
		"c0010.5 [en] [Kettle Scans]",
		"oneshot Side_ Story [pt-br]",
		"c0030e v01 _ [en]",
	} {
		same(t, chapters[i].name, l.FileName(all[i].ID), want+" ["+all[i].ID.String()[:8]+"]")
	}
	same(t, "a chapter that is not in the list", l.FileName(all[4].ID), "")
	long := reading.NewList(all)
	for _, c := range all {
		fits(t, long.FileName(c.ID))
	}
	anew := reading.NewList(all[:4], reading.WithReset(true))
	for i, want := range []string{"v01 c0001 The Kettle", "vnone c0010.5 [en]", "vnone oneshot Side_ Story", "v01 c0030e _ "} {
		if got := anew.FileName(all[i].ID); !strings.HasPrefix(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestNamesSort compares the order of names with that of the list, for numbers of every form.
func TestNamesSort(t *testing.T) {
	t.Parallel()
	for _, resets := range []bool{false, true} {
		var chapters []chapter
		for _, volume := range []string{"-", "1", "2", "10", "v2.5"} {
			for _, number := range []string{"-", "1", "1.5", "2", "3.9", "3.10", "10", "30", "30e", "100", "extra"} {
				if !resets && volume != "-" {
					continue // volumes that are set late
				}
				chapters = append(chapters, chapter{volume: volume, number: number, title: "-"})
			}
		}
		l := reading.NewList(build(chapters), reading.WithReset(resets))
		same(t, "anew", l.Resets, resets)
		var names []string
		for _, e := range l.Entries {
			for _, v := range e.Versions {
				name := l.FileName(v.ID)
				names = append(names, name[:strings.LastIndex(name, " [en]")])
			}
		}
		sorted := slices.Sorted(slices.Values(names))
		if !slices.Equal(names, sorted) {
			t.Errorf("anew %v:\n got %q\nwant %q", resets, sorted, names)
		}
	}
}
