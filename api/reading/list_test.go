package reading_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/reading"
)

// numbered are chapters of the numbers of a volume, named after both.
func numbered(volume string, numbers ...string) []chapter {
	var all []chapter
	for _, number := range numbers {
		all = append(all, chapter{name: strings.Trim(volume, "-") + "/" + number, volume: volume, number: number, title: "-"})
	}
	return all
}

func TestOrder(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		chapters []chapter
		resets   bool // the flag of the title
		want     string
		anew     bool
	}{
		{name: "numbers go on, and the newest have no volume", chapters: slices.Concat(numbered("1", "1", "2"), numbered("2", "3"), numbered("-", "4", "10")),
			want: "1/1 1/2 2/3 /4 /10"},
		{name: "one in the middle has no volume", chapters: slices.Concat(numbered("1", "1", "3"), numbered("-", "2")),
			want: "1/1 /2 1/3"},
		{name: "numbers begin anew", chapters: slices.Concat(numbered("1", "1", "2", "3"), numbered("2", "1", "2")),
			want: "1/1 1/2 1/3 2/1 2/2", anew: true},
		{name: "numbers begin anew at 0", chapters: slices.Concat(numbered("1", "1", "2", "3"), numbered("2", "0", "1")),
			want: "1/1 1/2 1/3 2/0 2/1", anew: true},
		{name: "numbers begin anew in the last of many volumes", chapters: slices.Concat(numbered("1", "1", "2"), numbered("9", "3", "40"), numbered("10", "1", "2")),
			want: "1/1 1/2 9/3 9/40 10/1 10/2", anew: true},
		{name: "the flag alone tells", chapters: slices.Concat(numbered("1", "1"), numbered("2", "2"), numbered("-", "1.5")), resets: true,
			want: "1/1 2/2 /1.5", anew: true},
		{name: "one chapter is under a wrong volume", chapters: slices.Concat(numbered("1", "1", "2", "3"), numbered("2", "1", "4", "5", "6")),
			want: "1/1 2/1 1/2 1/3 2/4 2/5 2/6"},
		{name: "an extra closes each volume", chapters: slices.Concat(numbered("1", "1", "2", "2.5"), numbered("2", "3", "3.5")),
			want: "1/1 1/2 1/2.5 2/3 2/3.5"},
		{name: "all forms of numbers", chapters: numbered("-", "-", "extra", "30e", "30", "31", "3.10", "3.9", "v1.5", "１２", "0"),
			want: "/0 /v1.5 /3.9 /3.10 /１２ /30 /30e /31 /extra /-"},
		{name: "three without a number", chapters: []chapter{
			{name: "b", number: "-", volume: "-", title: "B", by: "x", day: 2}, {name: "a", number: "-", volume: "-", title: "A", by: "x", day: 3}, {name: "c", number: "-", volume: "-", title: "C", by: "x", day: 1},
		}, want: "c b a"},
		{name: "without a number in volumes", chapters: slices.Concat(numbered("2", "-"), numbered("1", "-"), numbered("-", "1")),
			want: "/1 1/- 2/-"},
		{name: "stories of an anthology in the order of their days", chapters: []chapter{
			{name: "b", number: "1", volume: "1", title: "B", by: "x", day: 1}, {name: "a", number: "1", volume: "1", title: "A", by: "x", day: 2},
		}, want: "b a"},
		{name: "stories of one day in the order of their titles", chapters: []chapter{
			{name: "c", number: "1", volume: "1", title: "Story 10", by: "x", day: 1}, {name: "a", number: "1", volume: "1", title: "Story 9", by: "x", day: 1},
		}, want: "a c"},
		{name: "parts of parts", chapters: numbered("1", "1.7.1", "1.5", "1.6.10", "1.6.1", "1.6", "2", "1.6.2"), want: "1/1.5 1/1.6 1/1.6.1 1/1.6.2 1/1.6.10 1/1.7.1 1/2"},
		{name: "chapters that are joined, and second versions", chapters: numbered("-", "13", "12-13", "12", "12v2", "11"), want: "/11 /12 /12-13 /12v2 /13"},
		{name: "a volume of shorts behind many volumes", chapters: slices.Concat(numbered("1", "1", "2", "3"), numbered("2", "4", "5"), numbered("11", "1", "2", "3"), numbered("-", "6")),
			want: "1/1 1/2 1/3 2/4 2/5 11/1 11/2 11/3 /6", anew: true},
		{name: "volumes with words for numbers", chapters: slices.Concat(numbered("Extra", "1"), numbered("2", "3"), numbered("1", "2", "prologue", "0")),
			want: "1/0 1/2 1/prologue 2/3 Extra/1", anew: true},
		{name: "seasons that begin at 0 and reach the last number again", chapters: slices.Concat(numbered("1", "76", "77", "78"), numbered("2", "0", "1", "77", "78")),
			want: "1/76 1/77 1/78 2/0 2/1 2/77 2/78", anew: true},
		{name: "nothing"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for range 10 { // whatever the order of the feed
				all := build(test.chapters)
				rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
				l := reading.NewList(all, reading.WithReset(test.resets))
				same(t, "order", show(l, test.chapters), test.want)
				same(t, "numbers begin anew", l.Resets, test.anew)
			}
		})
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		chapters []chapter
		want     string // by the group that has most first, then the newest
	}{
		{"two groups", []chapter{{volume: "1", number: "1", title: "A", by: "x"}, {volume: "1", number: "1", title: "B", by: "y"}}, "1+0"},
		{"two spellings of a number", []chapter{{volume: "1", number: "01", title: "A", by: "x"}, {volume: "v1", number: "１", title: "A", by: "y"}}, "1+0"},
		{"two languages", []chapter{{volume: "1", number: "1", by: "x"}, {volume: "1", number: "1", by: "x", language: "fr"}}, "0 1"},
		{"two volumes", []chapter{{volume: "1", number: "5", by: "x"}, {volume: "2", number: "5", by: "y"}}, "0 1"},
		{"one has no volume", []chapter{{volume: "-", number: "5", title: "-", by: "x"}, {volume: "2", number: "5", title: "-", by: "y"}}, "1+0"},
		{"one has no volume, and there are two", []chapter{{volume: "1", number: "5", by: "x"}, {volume: "2", number: "5", by: "y"}, {volume: "-", number: "5", by: "z"}}, "0 1 2"},
		{"the volume of another language does not count", []chapter{{volume: "-", number: "5", by: "x"}, {volume: "2", number: "5", by: "y", language: "fr"}}, "1 0"},
		{"one group, one title", []chapter{{volume: "1", number: "1", title: "A", by: "x"}, {volume: "1", number: "1", title: "A", by: "x"}}, "1+0"},
		{"one group, one title in two spellings", []chapter{{volume: "1", number: "1", title: "The  End!", by: "x"}, {volume: "1", number: "1", title: "the end", by: "x"}}, "1+0"},
		{"one group, two titles", []chapter{{volume: "1", number: "1", title: "A", by: "x"}, {volume: "1", number: "1", title: "B", by: "x"}}, "0 1"},
		{"one group, one title missing", []chapter{{volume: "1", number: "1", title: "A", by: "x"}, {volume: "1", number: "1", title: "-", by: "x"}}, "0 1"},
		{"one group, both titles missing", []chapter{{volume: "1", number: "1", title: "-", by: "x"}, {volume: "1", number: "1", title: "", by: "x"}}, "1+0"},
		{"one group of several, two titles", []chapter{{volume: "1", number: "1", title: "A", by: "x,y"}, {volume: "1", number: "1", title: "B", by: "y,z"}}, "0 1"},
		{"an anthology by two groups", []chapter{
			{volume: "1", number: "1", title: "A", by: "x"}, {volume: "1", number: "1", title: "B", by: "x"}, {volume: "1", number: "1", title: "b", by: "y"}, {volume: "1", number: "1", title: "C", by: "y"},
		}, "0 2+1 3"},
		{"an anthology with a version that has no volume", []chapter{
			{volume: "1", number: "1", title: "A", by: "x"}, {volume: "1", number: "1", title: "B", by: "x"}, {volume: "-", number: "1", title: "A", by: "y"},
		}, "0+2 1"},
		{"one uploader, two titles", []chapter{{volume: "1", number: "1", title: "A", by: "@u"}, {volume: "1", number: "1", title: "B", by: "@u"}}, "0 1"},
		{"two uploaders, two titles", []chapter{{volume: "1", number: "1", title: "A", by: "@u"}, {volume: "1", number: "1", title: "B", by: "@v"}}, "1+0"},
		{"one uploader for two groups, two titles", []chapter{{volume: "1", number: "1", title: "A", by: "x,@u"}, {volume: "1", number: "1", title: "B", by: "y,@u"}}, "1+0"},
		{"by nobody", []chapter{{volume: "1", number: "1", title: "A"}, {volume: "1", number: "1", title: "B"}}, "1+0"},
		{"titles of signs only", []chapter{{volume: "1", number: "1", title: "!", by: "x"}, {volume: "1", number: "1", title: "?", by: "x"}}, "0 1"},
		{"no number, one group", []chapter{{number: "-", volume: "-", title: "A", by: "x"}, {number: "-", volume: "-", title: "A", by: "x"}}, "0 1"},
		{"no number, two groups with one each", []chapter{{number: "-", volume: "-", title: "A", by: "x"}, {number: "-", volume: "-", title: "B", by: "y"}}, "1+0"},
		{"no number, two groups, equal titles", []chapter{
			{number: "-", volume: "-", title: "A", by: "x"}, {number: "-", volume: "-", title: "B", by: "x"}, {number: "-", volume: "-", title: "A", by: "y"},
		}, "0+2 1"},
		{"no number, two groups, different titles", []chapter{
			{number: "-", volume: "-", title: "A", by: "x"}, {number: "-", volume: "-", title: "B", by: "x"}, {number: "-", volume: "-", title: "C", by: "y"},
		}, "0 1 2"},
		{"no number, one title by the same groups twice", []chapter{
			{number: "-", volume: "-", title: "A", by: "x"}, {number: "-", volume: "-", title: "A", by: "x"}, {number: "-", volume: "-", title: "A", by: "y"}, {number: "-", volume: "-", title: "A", by: "y"},
		}, "2+0 3+1"},
		{"no number, two volumes", []chapter{{number: "-", volume: "1", title: "A", by: "x"}, {number: "-", volume: "2", title: "A", by: "y"}}, "0 1"},
		{"censored and not, by one group under one title", []chapter{{volume: "1", number: "2", title: "A", by: "x"}, {volume: "-", number: "2", title: "A", by: "x"}}, "1+0"},
		{"a special without a volume beside a chapter", []chapter{{volume: "1", number: "1", title: "A", by: "x"}, {volume: "-", number: "1", title: "Special", by: "x"}}, "0 1"},
		{"together and alone", []chapter{{number: "7", title: "A", by: "x,y"}, {number: "7", title: "A", by: "y"}, {number: "7", title: "A", by: "x"}}, "2+1+0"},
		{"one reads on the site of the publisher", []chapter{{number: "7", title: "Chapter 7: A", by: "p", external: true}, {number: "7", title: "A", by: "x"}}, "1+0"},
		{"no number, titles in two spellings", []chapter{{number: "-", volume: "-", title: "One-Shot", by: "x"}, {number: "-", volume: "-", title: "oneshot", by: "y"}, {number: "-", volume: "-", title: "Two", by: "y"}}, "1+0 2"},
		{"no number, by uploaders", []chapter{{number: "-", volume: "-", title: "A", by: "@u"}, {number: "-", volume: "-", title: "B", by: "@u"}, {number: "-", volume: "-", title: "-", by: "@v"}}, "0 1 2"},
		{"no number, two languages", []chapter{{number: "-", volume: "-", title: "A", by: "x"}, {number: "-", volume: "-", title: "A", by: "y", language: "fr"}}, "0 1"},
		{"a chapter that comes twice", []chapter{{name: "0", number: "1", volume: "1"}, {name: "0", number: "1", volume: "1"}}, "0"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			same(t, "versions", show(reading.NewList(build(test.chapters)), test.chapters), test.want)
		})
	}
}

// TestAnthology has twelve stories of one number, all by one group.
func TestAnthology(t *testing.T) {
	t.Parallel()
	var chapters []chapter
	for _, title := range strings.Split("ABCDEFGHIJKL", "") {
		chapters = append(chapters, chapter{name: title, volume: "1", number: "1", title: "Story " + title, by: "x"})
	}
	all := build(chapters)
	l := reading.NewList(all)
	same(t, "list", show(l, chapters), "A B C D E F G H I J K L")
	names := map[string]bool{}
	at, steps := all[0].ID, 0
	for {
		names[l.FileName(at)] = true
		next, ok := l.Next(at)
		if !ok {
			break
		}
		at, steps = next.Chosen().ID, steps+1
	}
	same(t, "steps", steps, 11)
	same(t, "names", len(names), 12)
}

func TestPreference(t *testing.T) {
	t.Parallel()
	five := []chapter{
		{name: "a", volume: "1", number: "1", by: "Alpha Scans"},
		{name: "b", volume: "1", number: "1", by: "Beta"},
		{name: "e", volume: "1", number: "1", by: "Publisher", external: true},
		{name: "g", volume: "1", number: "1", by: "Gone", gone: true},
		{name: "c", volume: "1", number: "1", by: "Alpha Scans,Beta"},
		{name: "a2", volume: "1", number: "2", by: "Alpha Scans"},
	}
	tests := []struct {
		name    string
		options []reading.Option
		want    string // with the reasons
	}{
		{"nothing is preferred", nil, "c a:older b:most e:place g:place"},
		{"a group", []reading.Option{reading.Prefer("beta")}, "c b:most a:preferred e:place g:place"},
		{"a group by its id", []reading.Option{reading.Prefer(idOf("Beta").String())}, "c b:most a:preferred e:place g:place"},
		{"a group without the other", []reading.Option{reading.Prefer("alpha-scans"), reading.Avoid("BETA")}, "a c:avoided b:avoided e:place g:place"},
		{"two groups in order", []reading.Option{reading.Prefer("nobody", "Publisher", "Alpha Scans")}, "c a:older b:preferred e:place g:place"},
		{"what is there", []reading.Option{reading.Keep(idOf("b"))}, "b c:kept a:kept e:place g:place"},
		{"a group before what is there", []reading.Option{reading.Keep(idOf("b")), reading.Avoid("Beta")}, "a b:avoided c:avoided e:place g:place"},
		{"what is there and gone", []reading.Option{reading.Keep(idOf("g"))}, "c a:older b:most e:place g:place"},
		{"an empty name", []reading.Option{reading.Prefer("", " "), nil}, "c a:older b:most e:place g:place"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			all := build(five)
			l := reading.NewList(all, test.options...)
			var got []string
			for _, v := range l.Entries[0].Versions {
				text := five[slices.IndexFunc(five, func(c chapter) bool { return idOf(c.name) == v.ID })].name
				if v.Behind != "" {
					text += ":" + string(v.Behind)
				}
				got = append(got, text)
			}
			same(t, "versions", strings.Join(got, " "), test.want)
			same(t, "entries", len(l.Entries), 2)
		})
	}
	same(t, "by a group", reading.IsBy(&build(five)[0], "ALPHA SCANS"), true)
	same(t, "by another", reading.IsBy(&build(five)[0], "Beta"), false)
}

func TestPlace(t *testing.T) {
	t.Parallel()
	for want, c := range map[reading.Place]api.ChapterAttributes{
		reading.Here:      {Pages: 3, ExternalURL: api.Ptr("https://publisher.example")},
		reading.Elsewhere: {ExternalURL: api.Ptr("https://publisher.example")},
		reading.Nowhere:   {Pages: 3, IsUnavailable: true},
	} {
		same(t, string(want), reading.PlaceOf(&api.Chapter{Attributes: c}), want)
	}
	same(t, "without pages", reading.PlaceOf(&api.Chapter{Attributes: api.ChapterAttributes{ExternalURL: api.Ptr("")}}), reading.Nowhere)
}

func TestNeighbours(t *testing.T) {
	t.Parallel()
	chapters := []chapter{
		{name: "1x", number: "1", by: "x"}, {name: "1y", number: "1", by: "y"},
		{name: "2p", number: "2", by: "p", external: true}, {name: "2y", number: "2", by: "y", day: 1}, {name: "2x", number: "2", by: "x"},
		{name: "f", number: "2", by: "x", language: "fr"},
		{name: "3p", number: "3", by: "p", external: true},
		{name: "oa", number: "-", title: "A", by: "x"}, {name: "ob", number: "-", title: "B", by: "x"},
	}
	all := build(chapters)
	l := reading.NewList(all)
	names := map[uuid.UUID]string{}
	for i, c := range all {
		names[c.ID] = chapters[i].name
	}
	for from, want := range map[string]string{"1x": "2x", "1y": "2x", "2p": "3p", "2y": "3p", "3p": "oa", "oa": "ob", "ob": "", "f": "", "nowhere": ""} {
		next, ok := l.Next(idOf(from))
		got := ""
		if ok {
			got = names[next.Chosen().ID]
		}
		same(t, "after "+from, got, want)
	}
	for from, want := range map[string]string{"1x": "", "2y": "1x", "3p": "2x", "oa": "3p", "ob": "oa", "f": ""} {
		previous, ok := l.Previous(idOf(from))
		got := ""
		if ok {
			got = names[previous.Chosen().ID]
		}
		same(t, "before "+from, got, want)
	}
	// Who reads the versions of a group goes on with that group.
	first, _ := l.Entry(idOf("1y"))
	second, _ := l.Next(idOf("1y"))
	for i := range first.Versions {
		v := &first.Versions[i]
		same(t, "by the same group as "+names[v.ID], names[second.Same(v).ID], map[string]string{"1x": "2x", "1y": "2y"}[names[v.ID]])
	}
	publisher := reading.Version{Chapter: all[6]}
	same(t, "here rather than by the same group", names[second.Same(&publisher).ID], "2x")
	if _, ok := l.Entry(uuid.New()); ok {
		t.Error("an unknown chapter has an entry")
	}
}

func TestContinue(t *testing.T) {
	t.Parallel()
	chapters := []chapter{
		{name: "0p", number: "0", by: "p", external: true},
		{name: "1x", number: "1", by: "x"}, {name: "1y", number: "1", by: "y"},
		{name: "2x", number: "2", by: "x"}, {name: "2f", number: "2", language: "fr"},
		{name: "3p", number: "3", by: "p", external: true}, {name: "4g", number: "4", gone: true},
		{name: "5x", number: "5", by: "x"},
		{name: "o1", number: "-", title: "A", by: "x"}, {name: "o2", number: "-", title: "B", by: "x"}, {name: "o3", number: "-", title: "C", by: "x"},
	}
	l := reading.NewList(build(chapters))
	for read, want := range map[string]string{
		"":                     "1x",
		"1x":                   "2x",
		"1y":                   "2x", // which is another version of 1x
		"2x":                   "5x",
		"5x":                   "o1", // what was skipped was skipped on purpose
		"o1":                   "o2",
		"o1,o2":                "o3",
		"o2":                   "o3",
		"0p,1x,2x,5x,o1,o2,o3": "",
		"2f":                   "",
		"somewhere else":       "1x",
	} {
		next, ok := l.Continue(func(id uuid.UUID) bool {
			return slices.ContainsFunc(strings.Split(read, ","), func(name string) bool { return idOf(name) == id })
		})
		got := ""
		if ok {
			got = chapters[slices.IndexFunc(chapters, func(c chapter) bool { return idOf(c.name) == next.Chosen().ID })].name
		}
		same(t, "after "+read, got, want)
	}
	if _, ok := reading.NewList(nil).Continue(func(uuid.UUID) bool { return true }); ok {
		t.Error("an empty list goes on")
	}
}
