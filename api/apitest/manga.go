package apitest

import (
	"bytes"
	"cmp"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// sees tells whether who asks may see a title.
func (c *call) sees(m *manga) bool {
	return m.state == "published" || c.user != nil && (m.creator == c.user || c.user.may("manga.edit.any"))
}

func (c *call) mangaOf(parameter string) (*manga, error) {
	return lookup(c, &c.manga, "Manga", parameter, c.sees)
}

var mangaKeys = map[string]func(a, b *manga) int{
	"title":     func(a, b *manga) int { return cmp.Compare(strings.ToLower(a.name()), strings.ToLower(b.name())) },
	"year":      func(a, b *manga) int { return cmp.Compare(number(a.fields.Year), number(b.fields.Year)) },
	"createdAt": byCreated[*manga],
	"updatedAt": byUpdated[*manga],
	"latestUploadedChapter": func(a, b *manga) int {
		return a.latest.Compare(b.latest)
	},
	"followedCount": func(a, b *manga) int { return cmp.Compare(a.follows, b.follows) },
	"rating":        func(a, b *manga) int { return cmp.Compare(a.bayesian(), b.bayesian()) },
}

func number(n *int) int {
	if n == nil {
		return 0
	}
	return *n
}

// findLatest notes when the last chapter was uploaded.
func (m *manga) findLatest() {
	m.latest = time.Time{}
	for _, ch := range m.chapters {
		if !ch.waiting && ch.created.After(m.latest) {
			m.latest = ch.created
		}
	}
}

var publicationStatuses = []string{"ongoing", "completed", "hiatus", "cancelled"}

var demographics = []string{"shounen", "shoujo", "seinen", "josei"}

var contentRatings = []string{"safe", "suggestive", "erotica", "pornographic"}

// defaultRatings are those that lists show unless the request says otherwise.
var defaultRatings = contentRatings[:3:3]

// A mangaFilter is what a search asks for. A nil field asks for nothing.
type mangaFilter struct {
	words          []string
	ids            map[uuid.UUID]bool
	authors        map[uuid.UUID]bool
	artists        map[uuid.UUID]bool
	either         map[uuid.UUID]bool // author or artist
	tags, without  []uuid.UUID
	tagsAny        bool
	withoutAll     bool
	status         texts
	original       texts
	notOriginal    texts
	translated     texts
	demographic    texts
	ratings        texts
	year           int // 0 for any
	noYear         bool
	created        time.Time
	updated        time.Time
	group          uuid.UUID
	available      bool
	askAvailable   bool
	unavailable    bool
	askUnavailable bool

	until time.Time // when a chapter appears that may change what match says; zero is never
}

func (c *call) mangaFilter() (mangaFilter, error) {
	ids, err := c.wantedIDs()
	f := mangaFilter{
		words:       strings.Fields(strings.ToLower(c.query.Get("title"))),
		ids:         ids,
		authors:     set(c.ids("authors[]")),
		artists:     set(c.ids("artists[]")),
		either:      set(c.ids("authorOrArtist")),
		tags:        c.ids("includedTags[]"),
		without:     c.ids("excludedTags[]"),
		tagsAny:     c.query.Get("includedTagsMode") == "OR",
		withoutAll:  c.query.Get("excludedTagsMode") == "AND",
		status:      texts(c.query["status[]"]),
		original:    texts(c.query["originalLanguage[]"]),
		notOriginal: texts(c.query["excludedOriginalLanguage[]"]),
		translated:  texts(c.query["availableTranslatedLanguage[]"]),
		demographic: texts(c.query["publicationDemographic[]"]),
		ratings:     c.ratings(),
		year:        c.number("year", 0),
		noYear:      c.query.Get("year") == "none",
		created:     c.since("createdAtSince"),
		updated:     c.since("updatedAtSince"),
	}
	if group := c.ids("group"); group != nil {
		f.group = group[0]
	}
	f.available, f.askAvailable = c.flag("hasAvailableChapters")
	f.unavailable, f.askUnavailable = c.flag("hasUnavailableChapters")
	return f, err
}

// ratings are the content ratings to show.
func (c *call) ratings() texts {
	if wanted := c.query["contentRating[]"]; len(wanted) > 0 {
		return wanted
	}
	return defaultRatings
}

// match tells whether a title is one that the search asks for; cheap questions come first.
func (f *mangaFilter) match(m *manga, now time.Time) bool {
	switch {
	case m.state != "published",
		f.ids != nil && !f.ids[m.id],
		!f.ratings.has(m.fields.ContentRating),
		f.status != nil && !f.status.has(m.fields.Status),
		f.original != nil && !f.original.has(m.fields.OriginalLanguage),
		len(f.notOriginal) > 0 && f.notOriginal.has(m.fields.OriginalLanguage),
		f.noYear && m.fields.Year != nil,
		f.year != 0 && number(m.fields.Year) != f.year,
		f.demographic != nil && !f.demographic.has(m.demographic),
		!f.created.IsZero() && m.created.Before(f.created),
		!f.updated.IsZero() && m.updated.Before(f.updated),
		f.authors != nil && !anyAuthor(m.authors, f.authors),
		f.artists != nil && !anyAuthor(m.artists, f.artists),
		f.either != nil && !anyAuthor(m.authors, f.either) && !anyAuthor(m.artists, f.either):
		return false
	}
	if len(f.tags) > 0 && !hasTags(m, f.tags, f.tagsAny) || len(f.without) > 0 && hasTags(m, f.without, !f.withoutAll) {
		return false
	}
	for _, word := range f.words {
		if !strings.Contains(m.words, word) {
			return false
		}
	}
	if f.translated == nil && f.group == uuid.Nil && !f.askAvailable && !f.askUnavailable {
		return true
	}
	chapters := m.summarize(now)
	if !chapters.until.IsZero() && (f.until.IsZero() || chapters.until.Before(f.until)) {
		f.until = chapters.until
	}
	return (!f.askAvailable || chapters.available == f.available) && (!f.askUnavailable || chapters.unavailable == f.unavailable) &&
		(f.translated == nil || slices.ContainsFunc(chapters.languages, func(l string) bool { return f.translated.has(l) })) &&
		(f.group == uuid.Nil || m.hasGroup(f.group, now))
}

// hasGroup tells whether a group has made a chapter of the title.
func (m *manga) hasGroup(id uuid.UUID, now time.Time) bool {
	return slices.ContainsFunc(m.chapters, func(ch *chapter) bool {
		return !ch.waiting && !ch.appears().After(now) && slices.ContainsFunc(ch.groups, func(g *group) bool { return g.id == id })
	})
}

func anyAuthor(list []*author, wanted map[uuid.UUID]bool) bool {
	return slices.ContainsFunc(list, func(a *author) bool { return wanted[a.id] })
}

// hasTags tells whether a title has all of the tags, or at least one of them.
func hasTags(m *manga, tags []uuid.UUID, one bool) bool {
	for _, id := range tags {
		has := slices.ContainsFunc(m.tags, func(t *tag) bool { return t.id == id })
		if has == one {
			return one
		}
	}
	return !one
}

// matching are all titles that a filter lets through.
func (c *call) matching(f *mangaFilter) []*manga {
	var found []*manga
	for _, m := range c.manga.all {
		if f.match(m, c.now) {
			found = append(found, m)
		}
	}
	return found
}

func getRandomManga(c *call) ([]byte, error) {
	f, err := c.mangaFilter()
	if err != nil {
		return nil, err
	}
	found := c.matching(&f)
	if found == nil {
		return nil, &problem{status: http.StatusNotFound, title: "not_found_http_exception", detail: "No manga fits."}
	}
	// This operation is one of those that still write an empty map as a list.
	return emptyLists(one(found[rand.IntN(len(found))], c.includes(), c.now)), nil
}

// emptyLists turns empty descriptions into what PHP makes of them. Nothing but a member can match:
// within a text the quotes are escaped.
func emptyLists(body []byte) []byte {
	return bytes.ReplaceAll(body, []byte(`"description":{}`), []byte(`"description":[]`))
}

func listTags(c *call) ([]byte, error) {
	n := len(c.tags.all)
	return many(c.tags.all, page{limit: n}, n, nil, c.now), nil
}

// mangaRefs are the members of a title in a body that point to other things. What the body does
// not have is nil.
type mangaRefs struct {
	Tags         *[]uuid.UUID `json:"tags"`
	Authors      *[]uuid.UUID `json:"authors"`
	Artists      *[]uuid.UUID `json:"artists"`
	PrimaryCover *uuid.UUID   `json:"primaryCover"`
}

// setManga writes the body into a title, or nothing at all.
func (c *call) setManga(m *manga) error {
	body := fields[mangaRefs](c)
	tags, authors, artists, primary := m.tags, m.authors, m.artists, m.cover
	var err error
	if body.Tags != nil {
		if tags, err = find(&c.tags, "Tag", *body.Tags); err != nil {
			return err
		}
	}
	if body.Authors != nil {
		if authors, err = find(&c.authors, "Author", *body.Authors); err != nil {
			return err
		}
	}
	if body.Artists != nil {
		if artists, err = find(&c.authors, "Artist", *body.Artists); err != nil {
			return err
		}
	}
	if body.PrimaryCover != nil {
		k, ok := c.covers.get(*body.PrimaryCover)
		if !ok || m.state != "" && k.manga != m { // a new title has no cover of its own yet
			return notFound("Cover", *body.PrimaryCover)
		}
		primary = k
	}
	m.setMakers(authors, artists)
	m.tags, m.cover = tags, primary
	c.decode(&m.fields)
	m.index()
	c.manga.changed()
	return nil
}

func createManga(c *call) ([]byte, error) {
	m := &manga{head: newHead(kindManga, c.now), creator: c.user}
	m.fields = mangaFields{AltTitles: []localized{}, Description: localized{}, Links: links{}}
	if err := c.setManga(m); err != nil {
		return nil, err
	}
	if len(m.fields.Title) == 0 {
		return nil, invalid("/title", "a title in one language at least is required")
	}
	m.state = "draft"
	c.manga.add(m)
	return one(m, c.includes(), c.now), nil
}

func updateManga(c *call) ([]byte, error) {
	m, err := newest(c, (*call).mangaOf, "id")
	if err != nil {
		return nil, err
	}
	if err := c.setManga(m); err != nil {
		return nil, err
	}
	m.edit(c.now)
	return one(m, c.includes(), c.now), nil
}

func deleteManga(c *call) ([]byte, error) {
	m, err := c.mangaOf("id")
	if err != nil {
		return nil, err
	}
	if !c.user.may("manga.delete") && (m.creator != c.user || m.state == "published") {
		return nil, denied("The permission manga.delete is required.")
	}
	c.removeManga(m)
	return done, nil
}

// removeManga takes a title out, with all that hangs on it.
func (st *store) removeManga(m *manga) {
	for _, ch := range m.chapters {
		st.chapters.remove(ch.id)
	}
	for _, k := range st.coversOf(m.id) {
		st.covers.remove(k.id)
	}
	for _, r := range slices.Clone(m.related) {
		st.unrelate(r)
	}
	for _, a := range slices.Concat(m.authors, m.artists) {
		a.works = slices.DeleteFunc(a.works, func(work *manga) bool { return work == m })
	}
	for _, l := range st.lists.all {
		l.manga = slices.DeleteFunc(l.manga, func(other *manga) bool { return other == m })
	}
	st.manga.remove(m.id)
}

func listMangaDrafts(c *call) ([]byte, error) {
	state := c.query.Get("state")
	o := c.order(orderKey{"createdAt", true})
	return list(c, &c.manga, o, mangaKeys, func(m *manga) bool {
		return m.creator == c.user && m.state != "published" && (state == "" || m.state == state)
	})
}

// draftOf finds a draft, a title that nobody but its creator sees.
func (c *call) draftOf(parameter string) (*manga, error) {
	return lookup(c, &c.manga, "Manga draft", parameter, func(m *manga) bool { return c.sees(m) && m.state != "published" })
}

func commitMangaDraft(c *call) ([]byte, error) {
	m, err := newest(c, (*call).draftOf, "id")
	if err != nil {
		return nil, err
	}
	if m.state == "submitted" {
		return nil, conflict("The draft has been submitted already.")
	}
	m.state = "submitted"
	m.edit(c.now)
	c.manga.changed()
	c.status = http.StatusCreated
	return one(m, nil, c.now), nil
}
