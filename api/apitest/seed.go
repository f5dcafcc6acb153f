package apitest

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Everything in the catalogue is invented: titles and people are put together from syllables.
// What is made depends on the seed and on the position alone.

// syllables with their katakana.
var syllables = [...][2]string{
	{"ka", "カ"}, {"mo", "モ"}, {"ri", "リ"}, {"to", "ト"}, {"se", "セ"}, {"nu", "ヌ"}, {"ha", "ハ"}, {"yu", "ユ"},
	{"ko", "コ"}, {"mi", "ミ"}, {"ra", "ラ"}, {"ne", "ネ"}, {"so", "ソ"}, {"ta", "タ"}, {"ki", "キ"}, {"wa", "ワ"},
	{"ru", "ル"}, {"no", "ノ"}, {"sa", "サ"}, {"me", "メ"}, {"hi", "ヒ"}, {"ro", "ロ"}, {"ni", "ニ"}, {"ku", "ク"},
}

var adjectives = [...]string{
	"Patient", "Crooked", "Seventh", "Hollow", "Borrowed", "Silver", "Sleepless", "Wandering", "Paper", "Northern",
	"Unfinished", "Quiet", "Amber", "Upside-Down", "Forgetful", "Clockwork", "Barefoot", "Midnight", "Salted", "Ordinary",
}

var nouns = [...]string{
	"Lighthouse", "Bakery", "Orchard", "Compass", "Umbrella", "Cartographer", "Dragonfly", "Staircase", "Observatory",
	"Tea House", "Locksmith", "Harbour", "Glacier", "Postman", "Violin", "Greenhouse", "Ferry", "Archive", "Kettle", "Sparrow",
}

// chapterCounts are those of ten titles in a row: a hundred in all, with a title that has none.
var chapterCounts = [10]int{12, 3, 24, 1, 0, 8, 30, 5, 15, 2}

// trialPlace is the title for trials among those of the catalogue: one without chapters.
const trialPlace = 4

// namespace is where the ids of what is the same in every catalogue come from.
var namespace = uuid.UUID{'m', 'a', 'n', 'g', 'a', 'd', 'e', 'x', ' ', 'a', 'p', 'i', 't', 'e', 's', 't'}

// named is the id of what has a name among others: like those of MangaDex, of version 4, and made
// with a hash that programs have in every mode of the standard library's cryptography.
func named(space uuid.UUID, name string) uuid.UUID {
	return uuid.NewHash(sha256.New(), space, []byte(name), 4)
}

// An inventor makes one thing.
type inventor struct {
	*rand.Rand
	now time.Time
}

func (i inventor) id() uuid.UUID {
	var id uuid.UUID
	a, b := i.Uint64(), i.Uint64()
	for n := range 8 {
		id[n], id[8+n] = byte(a>>(8*n)), byte(b>>(8*n))
	}
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return id
}

// head makes an entity that is up to so many days old.
func (i inventor) head(kind string, days int) head {
	created := i.now.Add(-time.Duration(1+i.IntN(days*24*60)) * time.Minute)
	return head{id: i.id(), kind: kind, version: 1, created: created, updated: created}
}

// word is a name of some syllables, in Latin letters and in katakana.
func (i inventor) word(n int) (latin, kana string) {
	for range n {
		s := syllables[i.IntN(len(syllables))]
		latin += s[0]
		kana += s[1]
	}
	return strings.ToUpper(latin[:1]) + latin[1:], kana
}

// title is one in English and one in Japanese.
func (i inventor) title() (english, romaji, japanese string) {
	name, kana := i.word(3)
	adjective, noun := adjectives[i.IntN(len(adjectives))], nouns[i.IntN(len(nouns))]
	place, placeKana := i.word(2)
	romaji, japanese = name+" no "+place, kana+"の"+placeKana
	switch i.IntN(4) {
	case 0:
		return name + " and the " + adjective + " " + noun, romaji, japanese
	case 1:
		return "The " + adjective + " " + noun + " of " + place + name, romaji, japanese
	case 2:
		return name + "'s " + adjective + " " + noun, romaji, japanese
	}
	return "Letters from " + place + name + ": " + adjective + " " + noun, romaji, japanese
}

// Kinds of things that are invented.
const (
	ofUser = iota
	ofGroup
	ofAuthor
	ofManga
	ofChapters
	ofHard
	ofLong
)

// An idea is what the whole catalogue is made from.
type idea struct {
	seed uint64
	now  time.Time
}

// inventor makes the one thing of a kind at a place.
func (d idea) inventor(kind, place int) inventor {
	return inventor{rand.New(rand.NewPCG(d.seed, uint64(kind)<<32|uint64(place))), d.now}
}

// invent fills an empty store.
func (st *store) invent(options *settings) error {
	titles := options.titles
	d := idea{options.seed, st.clock().UTC().Truncate(time.Second)}
	st.inventTags(d.now)
	st.inventReasons(d.now)
	st.templates = []settingsTemplate{{named(namespace, "settings template"), []byte(`{"type":"object"}`)}}
	st.inventPeople(d, titles)

	all := make([]*manga, titles)
	for n := range all {
		i := d.inventor(ofManga, n)
		m := st.inventManga(i, n)
		st.inventMakers(i, m, n)
		st.inventCovers(i, m, n)
		m.chapters = inventChapters(d.inventor(ofChapters, n), m, n, st.groups.all, st.users.all)
		m.findLatest()
		st.chapters.add(m.chapters...)
		all[n] = m
	}
	pack(all)
	st.manga.add(all...)
	for n := 5; n+1 < titles; n += 10 {
		st.relate(all[n], all[n+1], "sequel", head{id: named(all[n].id, "sequel"), kind: "manga_relation", version: 1, created: d.now, updated: d.now})
	}
	if options.hard {
		if err := st.inventHardCases(d); err != nil {
			return err
		}
	}
	if options.long > 0 {
		if err := st.inventLongTitle(d, options.long); err != nil {
			return err
		}
	}
	st.legacy = map[string][]uuid.UUID{"manga": idsOf(st.manga.all), "chapter": idsOf(st.chapters.all), "group": idsOf(st.groups.all), "tag": idsOf(st.tags.all)}
	return nil
}

// inventPeople makes users, groups and authors for so many titles.
func (st *store) inventPeople(d idea, titles int) {
	for n := range 8 + titles/20 {
		i := d.inventor(ofUser, n)
		name, _ := i.word(3)
		st.users.add(&user{head: i.head(kindUser, 3000), username: strings.ToLower(name) + strconv.Itoa(n), roles: []string{"ROLE_MEMBER", "ROLE_GROUP_MEMBER"}})
	}
	users := st.users.all
	for n := range 5 + titles/10 {
		i := d.inventor(ofGroup, n)
		name, _ := i.word(2)
		leader := i.IntN(len(users))
		st.groups.add(&group{
			head: i.head(kindGroup, 3000), leader: users[leader], members: []*user{users[leader], users[(leader+1+i.IntN(len(users)-1))%len(users)]}, follows: i.IntN(5000),
			fields: groupFields{
				Name: name + " " + nouns[i.IntN(len(nouns))] + " Scans", AltNames: []localized{}, FocusedLanguages: []string{"en"},
				Description: some("Invented group " + strconv.Itoa(n) + "."),
			},
		})
	}
	for n := range 6 + titles/2 {
		i := d.inventor(ofAuthor, n)
		first, _ := i.word(2)
		last, _ := i.word(3)
		a := &author{head: i.head(kindAuthor, 3000), fields: authorFields{Name: last + " " + first, Biography: localized{}}}
		if n%2 == 0 {
			a.fields.Biography["en"] = "Draws " + strings.ToLower(nouns[i.IntN(len(nouns))]) + "s."
			a.fields.Website = some("https://" + strings.ToLower(last) + ".example")
		}
		st.authors.add(a)
	}
}

// inventMakers gives a title its creator, author and artist; one in three is drawn by somebody else
// than its author.
func (st *store) inventMakers(i inventor, m *manga, n int) {
	m.creator = st.users.all[i.IntN(len(st.users.all))]
	authors := st.authors.all
	at := i.IntN(len(authors))
	m.authors, m.artists = []*author{authors[at]}, []*author{authors[at]}
	authors[at].works = append(authors[at].works, m)
	if n%3 == 1 {
		at = (at + 1 + i.IntN(len(authors)-1)) % len(authors)
		m.artists[0] = authors[at]
		authors[at].works = append(authors[at].works, m)
	}
}

func (st *store) inventCovers(i inventor, m *manga, n int) {
	for volume := range 1 + n%3 {
		k := &cover{head: i.head(kindCover, 900), manga: m, uploader: m.creator, fileName: i.id().String() + [...]string{".png", ".jpg"}[volume%2]}
		k.fields = coverFields{Description: some(""), Volume: some(strconv.Itoa(volume + 1)), Locale: some("ja")}
		st.covers.add(k)
		m.cover = k
	}
}

// pack puts what searches by title look at into one piece of memory, which makes them much faster.
func pack(all []*manga) {
	var b strings.Builder
	for _, m := range all {
		b.WriteString(m.words)
	}
	rest := b.String()
	for _, m := range all {
		m.words, rest = rest[:len(m.words)], rest[len(m.words):]
	}
}

func idsOf[E entity](list []E) []uuid.UUID {
	ids := make([]uuid.UUID, len(list))
	for n, e := range list {
		ids[n] = e.base().id
	}
	return ids
}

// firstThread is below the threads that are begun later, and above those of the catalogue.
const firstThread = 1_000_000

func (st *store) inventManga(i inventor, n int) *manga {
	english, romaji, japanese := i.title()
	m := &manga{head: i.head(kindManga, 2500), state: "published", follows: i.IntN(20_000)}
	m.fields = mangaFields{
		Title:            localized{"en": english},
		AltTitles:        []localized{{"ja-ro": romaji}, {"ja": japanese}},
		Description:      localized{},
		Links:            links{},
		OriginalLanguage: [...]string{"ja", "ja", "ko", "ja", "zh"}[n%5],
		LastVolume:       some(""),
		LastChapter:      some(""),
		Status:           [...]string{"ongoing", "completed", "ongoing", "hiatus", "cancelled"}[i.IntN(5)],
		ContentRating:    [...]string{"safe", "safe", "safe", "safe", "safe", "suggestive", "safe", "erotica", "safe", "pornographic"}[n%10],
	}
	if n%7 == 3 {
		m.fields.Title = localized{"ja-ro": romaji}
		m.fields.AltTitles = []localized{{"en": english}, {"ja": japanese}}
	}
	if n%4 != 3 {
		hero, _ := i.word(2)
		m.fields.Description["en"] = fmt.Sprintf("%s follows the %s for %d days and finds something else.", hero, strings.ToLower(nouns[i.IntN(len(nouns))]), 2+i.IntN(98))
	}
	if n%3 == 0 {
		m.fields.Links = links{"mu": strconv.FormatUint(i.Uint64N(1<<40), 36), "al": strconv.Itoa(1000 + n)}
	} else if n%3 == 1 {
		m.fields.Links = nil
	}
	if n%5 != 4 {
		m.fields.PublicationDemographic = some([...]string{"shounen", "shoujo", "seinen", "josei"}[i.IntN(4)])
		year := 1990 + i.IntN(36)
		m.fields.Year = &year
	}
	m.index()
	if n == trialPlace {
		m.id, m.fields.Title = trialTitle, localized{"en": "For trials of uploads"}
		m.index()
	}
	first := i.IntN(len(st.tags.all))
	for k := range 1 + i.IntN(4) {
		m.tags = append(m.tags, st.tags.all[(first+k*3)%len(st.tags.all)])
	}
	votes := i.IntN(400)
	for range 4 {
		m.ratings[1+i.IntN(10)] += votes / 4
	}
	if n%2 == 0 {
		m.thread = thread{id: int64(10_000 + n), replies: int64(i.IntN(500))}
	}
	return m
}

// inventChapters makes the chapters of a title. Among ten titles there is one with a chapter 0
// alone, one with chapters that are read elsewhere, one with chapters that cannot be read, one
// that goes on in the future, and one with chapters of two groups in several languages.
func inventChapters(i inventor, m *manga, n int, groups []*group, users []*user) []*chapter {
	count := chapterCounts[n%10]
	chapters := make([]*chapter, count)
	slab := make([]chapter, count) // one allocation for all: there may be 200,000 of them
	at := i.now.Add(-time.Duration(1+i.IntN(300*24*60)) * time.Minute)
	for k := count - 1; k >= 0; k-- {
		c := &slab[k]
		c.manga, c.uploader, c.pages = m, users[i.IntN(len(users))], 3+i.IntN(8)
		c.head = head{id: i.id(), kind: kindChapter, version: 1, created: at, updated: at}
		c.publishAt, c.readableAt = at, at
		first := i.IntN(len(groups))
		c.groups = []*group{groups[first]}
		number := k + 1
		c.fields.TranslatedLanguage = "en"
		switch n % 10 {
		case 2: // a weekly title; the last two chapters are yet to come
			if k >= count-2 {
				c.publishAt = i.now.AddDate(0, 0, 7*(k-count+3))
				c.readableAt = c.publishAt
			}
		case 3:
			number = 0
		case 6: // each chapter in two languages, every third one by two groups
			number = k/2 + 1
			c.fields.TranslatedLanguage = [...]string{"en", "pt-br"}[k%2]
			if k%3 == 0 {
				c.groups = append(c.groups, groups[(first+1+i.IntN(len(groups)-1))%len(groups)])
			}
		case 8:
			if k%2 == 0 {
				c.external = some(fmt.Sprintf("https://reader.example/%s/%d", m.id, number))
				c.pages = 0
			}
			if k == count-1 {
				c.publishAt = farAhead
			}
		case 5:
			c.unavailable = k%2 == 1
		case 9:
			c.fields.TranslatedLanguage = "fr"
			c.groups = nil
		}
		c.fields.Chapter = some(strconv.Itoa(number))
		c.drawn = drawing{m, *c.fields.Chapter}
		if n%10 != 3 && k < count-1 {
			c.fields.Volume = some(strconv.Itoa(1 + (number-1)/6))
		}
		switch k % 3 {
		case 0:
			c.fields.Title = some("The " + adjectives[i.IntN(len(adjectives))] + " " + nouns[i.IntN(len(nouns))])
		case 1:
			c.fields.Title = some("")
		}
		chapters[k] = c
		at = at.Add(-time.Duration(1+i.IntN(7*24*60)) * time.Minute)
	}
	return chapters
}
