package apitest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// hardTitles is how many titles there are of each hard case.
const hardTitles = 2

// A hardCase is a kind of title that programs get wrong.
type hardCase struct {
	name     string
	title    func(h *hard, m *Manga) // nil for one like others
	chapters func(h *hard)
}

// hardCases are those of [WithHardCases].
var hardCases = [...]hardCase{
	{"reset", func(_ *hard, m *Manga) { m.NumbersReset = true }, (*hard).reset},
	{"reset-unsaid", nil, (*hard).reset},
	{"versions", nil, (*hard).versions},
	{"anthology", nil, (*hard).anthology},
	{"numbers", nil, (*hard).numbers},
	{"no-number", nil, func(h *hard) {
		for _, title := range []string{"The one before", "The one between", "The one after"} {
			h.add(Chapter{Volume: "1", Title: title})
		}
		h.add(Chapter{})
	}},
	{"no-volume", nil, func(h *hard) {
		for _, number := range []string{"1", "2", "2.5", "3", "10", "11"} {
			h.add(Chapter{Number: number})
		}
	}},
	{"volume-later", nil, func(h *hard) {
		for n := range 8 {
			ch := Chapter{Number: strconv.Itoa(n + 1)}
			if n < 4 {
				ch.Volume = strconv.Itoa(1 + n/2)
			}
			h.add(ch)
		}
	}},
	{"external", nil, func(h *hard) {
		for n := range 4 {
			h.add(Chapter{Volume: "1", Number: strconv.Itoa(n + 1), ExternalURL: fmt.Sprintf("https://reader.example/%s/%d", h.manga, n+1), PublishAt: farAhead})
		}
	}},
	{"unavailable", nil, func(h *hard) {
		for n := range 4 {
			h.add(Chapter{Volume: "1", Number: strconv.Itoa(n + 1), Unavailable: true})
		}
	}},
	{"not-english", func(h *hard, m *Manga) {
		m.TitleLanguage, m.Title = "ja-ro", h.romaji
		m.AltTitles = []map[string]string{{"ja": h.japanese}, {"en": h.english}, {"fr": "Titre de " + h.romaji}}
	}, (*hard).few},
	{"no-english", func(h *hard, m *Manga) {
		m.TitleLanguage, m.Title, m.OriginalLanguage = "ko-ro", h.romaji, "ko"
		m.AltTitles = []map[string]string{{"ko": h.japanese}, {"pt-br": "Título de " + h.romaji}}
	}, (*hard).few},
	{"hostile", func(h *hard, m *Manga) {
		m.Title = h.hostile(0)
		m.Description = map[string]string{"en": strings.Join(hostileTexts[:], "\n\n")}
		for n := range hostileTexts {
			m.AltTitles = append(m.AltTitles, map[string]string{"en": h.hostile(n + 1)})
		}
		author := &author{head: h.inventor.head(kindAuthor, 100), fields: authorFields{Name: h.hostile(2), Biography: localized{}}}
		h.store.authors.add(author)
		m.Authors, m.Artists = []uuid.UUID{author.id}, []uuid.UUID{author.id}
	}, func(h *hard) {
		group := &group{head: h.inventor.head(kindGroup, 100), fields: groupFields{Name: h.hostile(3), AltNames: []localized{}, FocusedLanguages: []string{}}}
		uploader := &user{head: h.inventor.head(kindUser, 100), username: h.hostile(4), roles: []string{"ROLE_MEMBER"}}
		h.store.groups.add(group)
		h.store.users.add(uploader)
		for n, text := range hostileTexts {
			h.add(Chapter{Number: strconv.Itoa(n + 1), Title: shorten(text, maxChapterTitle), Groups: []uuid.UUID{group.id}, Uploader: uploader.id})
		}
	}},
	{"erotica", func(_ *hard, m *Manga) { m.ContentRating = "erotica" }, (*hard).few},
	{"pornographic", func(_ *hard, m *Manga) { m.ContentRating = "pornographic" }, (*hard).few},
	{"late", nil, func(h *hard) {
		for n := range 4 {
			h.add(Chapter{Number: strconv.Itoa(n + 1), PublishAt: h.at, ReadableAt: h.at.Add(72 * time.Hour)})
		}
	}},
	{"scheduled", nil, func(h *hard) {
		h.few()
		for n := range 2 {
			h.add(Chapter{Number: strconv.Itoa(n + 4), PublishAt: h.inventor.now.AddDate(0, 0, 7*(n+1))})
		}
	}},
}

// farAhead is when chapters come out that never do.
var farAhead = time.Date(2037, 12, 31, 15, 0, 0, 0, time.UTC)

// hostileTexts are what users write into names and titles.
var hostileTexts = [...]string{
	"Two\nlines\r\nand\ta tab",
	"\x1b[31mRed\x1b[0m and \x1b]0;a window\x07 \u009b2J",
	"Left \u202egpj.exe\u202c \u200f\u2067right\u2069",
	`<script>alert("1")</script> & <b onmouseover='x'>bold</b>`,
	`=HYPERLINK("https://formula.example","Click")`,
	"../../etc/CON: a|b?c*d\"e/f\\g. ",
	"Zalgo t\u0336\u0321\u0353h\u0337\u0322\u0354e\u0335\u0323 and \U0001f468\u200d\U0001f469\u200d\U0001f467 \ufeffmark\u200b",
	longText,
}

// longText has 300 characters.
const longText = "This name goes on and on: " +
	"がまだつづくのでまだつづくがまだつづくのでまだつづくがまだつづくのでまだつづくがまだつづくので" +
	"がまだつづくのでまだつづくがまだつづくのでまだつづくがまだつづくのでまだつづくがまだつづくので" +
	"がまだつづくのでまだつづくがまだつづくのでまだつづくがまだつづくのでまだつづくがまだつづくので" +
	"がまだつづくのでまだつづくがまだつづくのでまだつづくがまだつづくのでまだつづくがまだつづくので" +
	"がまだつづくのでまだつづくがまだつづくのでまだつづくがまだつづくのでまだつづくがまだつづくので" +
	"がまだつづくのでまだつづくがまだつづくのでまだつづくがまだつ the end."

// maxChapterTitle is how many characters the title of a chapter has at most.
const maxChapterTitle = 255

func shorten(text string, n int) string {
	runes := []rune(text)
	return string(runes[:min(n, len(runes))])
}

// A hard makes a title of a hard case.
type hard struct {
	inventor                  inventor
	store                     *store
	english, romaji, japanese string
	manga                     uuid.UUID
	groups                    []uuid.UUID // three
	place                     int         // among the titles of the case
	at                        time.Time   // of the next chapter
	gap                       int         // hours between two chapters at most
	err                       error
}

func (h *hard) hostile(n int) string { return hostileTexts[(n+h.place*3)%len(hostileTexts)] }

// add adds a chapter some hours after the one before.
func (h *hard) add(p Chapter) {
	p.ID, p.Manga, p.CreatedAt = h.inventor.id(), h.manga, h.at
	if p.ExternalURL == "" {
		p.Pages = 1 + h.inventor.IntN(3)
	}
	if p.Groups == nil {
		p.Groups = h.groups[:1]
	}
	m, _ := h.store.manga.get(h.manga)
	ch := &chapter{head: head{id: p.ID, kind: kindChapter, version: 1, updated: h.at}, uploader: m.creator}
	if err := ch.set(h.store, p); err != nil && h.err == nil {
		h.err = err
	}
	h.store.chapters.add(ch)
	h.at = h.at.Add(time.Duration(1+h.inventor.IntN(h.gap)) * time.Hour)
}

func (h *hard) few() {
	for n := range 3 {
		h.add(Chapter{Volume: "1", Number: strconv.Itoa(n + 1)})
	}
}

// reset has numbers that begin anew with every volume.
func (h *hard) reset() {
	for n := range 12 {
		h.add(Chapter{Volume: strconv.Itoa(1 + n/4), Number: strconv.Itoa(1 + n%4)})
	}
}

// versions has numbers that one, two and three groups have made, one that two have made together,
// one of a group twice, and one in two languages.
func (h *hard) versions() {
	for n := range 6 {
		number := strconv.Itoa(n + 1)
		for k := range []int{1, 2, 3, 1, 1, 1}[n] {
			h.add(Chapter{Volume: "1", Number: number, Title: "Version of " + number, Groups: h.groups[k : k+1]})
		}
		switch n {
		case 3:
			h.add(Chapter{Volume: "1", Number: number, Title: "Version of " + number, Groups: h.groups[1:3]})
		case 4:
			h.add(Chapter{Volume: "1", Number: number, Title: "Version of " + number, Groups: h.groups[:1]})
		case 5:
			h.add(Chapter{Volume: "1", Number: number, Title: "Versão de " + number, Language: "pt-br", Groups: h.groups[1:2]})
		}
	}
	h.add(Chapter{Number: "7", Groups: []uuid.UUID{}})
	h.add(Chapter{Volume: "1", Number: "7", Groups: h.groups[1:2]})
	h.add(Chapter{Volume: "1", Number: "7", Groups: h.groups[2:3], ExternalURL: "https://reader.example/" + h.manga.String() + "/7"})
}

// anthology has many stories of one number by one group.
func (h *hard) anthology() {
	for n := range 12 {
		title := "The " + adjectives[(h.place*5+n)%len(adjectives)] + " Story"
		if n == 11 {
			title = ""
		}
		h.add(Chapter{Volume: "1", Number: "1", Title: title})
	}
}

// numbers has numbers of every form.
func (h *hard) numbers() {
	for _, p := range [][2]string{
		{"1", "0"}, {"1", "1"}, {"1", "1.1"}, {"1", "1.2"}, {"1", "1.10"}, {"1.5", "10"}, {"1.5", "10.5"}, {"2", "10a"}, {"2", "11"}, {"3", "30"}, {"3", "30e"},
		{"3", "031"}, {"3", "v1.5"}, {"", "100"}, {"", ""}, {"0", "0.5"}, {"Extra", "1"}, {"3", "EX"},
	} {
		h.add(Chapter{Volume: p[0], Number: p[1]})
	}
}

// inventHardCases adds the titles of the hard cases.
func (st *store) inventHardCases(d idea) error {
	for n, kind := range hardCases {
		for k := range hardTitles {
			h := &hard{inventor: d.inventor(ofHard, n*hardTitles+k), store: st, place: k, gap: 100}
			h.english, h.romaji, h.japanese = h.inventor.title()
			h.at = d.now.AddDate(-1, 0, -h.inventor.IntN(300))
			first := h.inventor.IntN(len(st.groups.all))
			for g := range 3 {
				h.groups = append(h.groups, st.groups.all[(first+g)%len(st.groups.all)].id)
			}
			author := st.authors.all[h.inventor.IntN(len(st.authors.all))].id
			tags := []uuid.UUID{st.tags.all[h.inventor.IntN(len(st.tags.all))].id}
			p := Manga{Title: h.english, AltTitles: []map[string]string{{"ja-ro": h.romaji}, {"ja": h.japanese}}, Authors: []uuid.UUID{author}, Artists: []uuid.UUID{author}, Tags: tags}
			if kind.title != nil {
				kind.title(h, &p)
			}
			m := &manga{head: h.inventor.head(kindManga, 2500), creator: st.users.all[h.inventor.IntN(len(st.users.all))]}
			m.fields.Links = links{}
			if err := m.set(st, p); err != nil {
				return err
			}
			st.manga.add(m)
			h.manga = m.id
			st.inventCovers(h.inventor, m, n)
			if kind.chapters(h); h.err != nil {
				return h.err
			}
			m.findLatest()
			put(&st.hard, kind.name, append(st.hard[kind.name], m.id))
		}
	}
	return nil
}

// HardCases returns the titles of [WithHardCases] by the name of their case, and the title of
// [WithLongTitle] under the name long.
func (s State) HardCases() map[string][]uuid.UUID {
	st, unlock := s.lock()
	defer unlock()
	cases := maps.Clone(st.hard)
	for name, ids := range cases {
		cases[name] = slices.Clone(ids)
	}
	return cases
}

// inventLongTitle adds a title with so many chapters.
func (st *store) inventLongTitle(d idea, chapters int) error {
	h := &hard{inventor: d.inventor(ofLong, 0), store: st, gap: 1}
	h.english, _, _ = h.inventor.title()
	h.groups = idsOf(st.groups.all[:3])
	m := &manga{head: h.inventor.head(kindManga, 2500), creator: st.users.all[0]}
	m.fields.Links = links{}
	if err := m.set(st, Manga{Title: h.english, NumbersReset: false}); err != nil {
		return err
	}
	st.manga.add(m)
	st.inventCovers(h.inventor, m, 0)
	h.manga, h.at = m.id, d.now.Add(-time.Duration(chapters+1)*time.Hour)
	for n := range chapters {
		h.add(Chapter{Volume: strconv.Itoa(1 + n/10), Number: strconv.Itoa(n + 1), Groups: h.groups[n%3 : n%3+1]})
	}
	m.findLatest()
	put(&st.hard, "long", []uuid.UUID{m.id})
	return h.err
}
