package apitest

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Kinds of entities.
const (
	kindManga   = "manga"
	kindChapter = "chapter"
	kindAuthor  = "author"
	kindGroup   = "scanlation_group"
	kindCover   = "cover_art"
	kindTag     = "tag"
	kindUser    = "user"
)

// texts of optional attributes.
type optional = *string

func some(s string) optional { return &s }

type tag struct {
	head
	name  localized
	group string
}

func (t *tag) attributes(time.Time) any {
	return map[string]any{"name": t.name, "description": localized{}, "group": t.group, "version": t.version}
}

func (t *tag) relationships() []relationship { return nil }

type author struct {
	head
	fields authorFields
	works  []*manga // those that it wrote or drew
}

type authorFields struct {
	Name      string    `json:"name"`
	ImageURL  optional  `json:"imageUrl"`
	Biography localized `json:"biography"`
	Twitter   optional  `json:"twitter"`
	Pixiv     optional  `json:"pixiv"`
	MelonBook optional  `json:"melonBook"`
	FanBox    optional  `json:"fanBox"`
	Booth     optional  `json:"booth"`
	Namicomi  optional  `json:"namicomi"`
	NicoVideo optional  `json:"nicoVideo"`
	Skeb      optional  `json:"skeb"`
	Fantia    optional  `json:"fantia"`
	Tumblr    optional  `json:"tumblr"`
	Youtube   optional  `json:"youtube"`
	Weibo     optional  `json:"weibo"`
	Naver     optional  `json:"naver"`
	Website   optional  `json:"website"`
}

// times are the attributes that end those of most entities.
type times struct {
	CreatedAt stamp `json:"createdAt"`
	UpdatedAt stamp `json:"updatedAt"`
	Version   int   `json:"version"`
}

func (h *head) times() times { return times{stamp(h.created), stamp(h.updated), h.version} }

func (a *author) attributes(time.Time) any {
	return struct {
		authorFields
		times
	}{a.fields, a.times()}
}

func (a *author) relationships() []relationship {
	return refs[*manga](kindManga, visible(a.works))
}

// refs are the relationships to entities of a kind.
func refs[E entity](kind string, targets []E) []relationship {
	list := make([]relationship, len(targets))
	for i, target := range targets {
		list[i] = relationship{kind: kind, target: target}
	}
	return list
}

type group struct {
	head
	fields  groupFields
	locked  bool
	leader  *user
	members []*user
	follows int // how many follow it, accounts of this server among them
	thread  thread
}

type groupFields struct {
	Name             string      `json:"name"`
	AltNames         []localized `json:"altNames"`
	Website          optional    `json:"website"`
	IrcServer        optional    `json:"ircServer"`
	IrcChannel       optional    `json:"ircChannel"`
	Discord          optional    `json:"discord"`
	ContactEmail     optional    `json:"contactEmail"`
	Description      optional    `json:"description"`
	Twitter          optional    `json:"twitter"`
	MangaUpdates     optional    `json:"mangaUpdates"`
	FocusedLanguages []string    `json:"focusedLanguages"`
	Inactive         bool        `json:"inactive"`
	PublishDelay     optional    `json:"publishDelay"`
}

func (g *group) attributes(time.Time) any {
	return struct {
		groupFields
		Locked     bool `json:"locked"`
		Official   bool `json:"official"`
		Verified   bool `json:"verified"`
		ExLicensed bool `json:"exLicensed"`
		times
	}{groupFields: g.fields, Locked: g.locked, times: g.times()}
}

func (g *group) relationships() []relationship {
	var list []relationship
	if g.leader != nil {
		list = append(list, relationship{kind: "leader", target: g.leader})
	}
	return append(list, refs("member", g.members)...)
}

type cover struct {
	head
	fields   coverFields
	fileName string
	picture  []byte // as it was uploaded; nil for one that is drawn
	manga    *manga
	uploader *user
}

type coverFields struct {
	Description optional `json:"description"`
	Volume      optional `json:"volume"`
	Locale      optional `json:"locale"`
}

func (c *cover) attributes(time.Time) any {
	return struct {
		coverFields
		FileName string `json:"fileName"`
		times
	}{c.fields, c.fileName, c.times()}
}

func (c *cover) relationships() []relationship {
	return []relationship{{kind: kindManga, target: c.manga}, {kind: kindUser, target: c.uploader}}
}

type manga struct {
	head
	state    string // draft, submitted, published or rejected
	fields   mangaFields
	tags     []*tag
	authors  []*author
	artists  []*author
	cover    *cover
	creator  *user
	chapters []*chapter // in the order of their upload
	drawn    string     // the title on the pages of its chapters
	related  []*relation

	summary     *summary  // nil when it has to be made again
	latest      time.Time // when the last chapter was uploaded
	words       string    // all titles in lower case, for searches
	demographic string    // likewise; none without one
	ratings     [11]int
	follows     int // how many follow it, accounts of this server among them
	thread      thread
}

// mangaFields begin with what nearly every search looks at.
type mangaFields struct {
	ContentRating                  string      `json:"contentRating"`
	OriginalLanguage               string      `json:"originalLanguage"`
	Status                         string      `json:"status"`
	Title                          localized   `json:"title"`
	AltTitles                      []localized `json:"altTitles"`
	Description                    localized   `json:"description"`
	Links                          links       `json:"links"`
	OfficialLinks                  links       `json:"officialLinks"`
	LastVolume                     optional    `json:"lastVolume"`
	LastChapter                    optional    `json:"lastChapter"`
	PublicationDemographic         optional    `json:"publicationDemographic"`
	Year                           *int        `json:"year"`
	ChapterNumbersResetOnNewVolume bool        `json:"chapterNumbersResetOnNewVolume"`
}

// links are null when there are none.
type links = localized

// A summary is what follows from the chapters of a title.
type summary struct {
	until       time.Time  // when it ends to be true, because a chapter comes out; zero is never
	latest      *uuid.UUID // the chapter that came out last
	languages   []string
	available   bool // there is a chapter that can be read
	unavailable bool // there is one that cannot
}

// summarize looks at the chapters, unless nothing can have changed.
func (m *manga) summarize(now time.Time) *summary {
	if s := m.summary; s != nil && (s.until.IsZero() || now.Before(s.until)) {
		return s
	}
	s := &summary{languages: []string{}}
	var newest time.Time
	for _, c := range m.chapters {
		if c.waiting {
			continue
		}
		if at := c.appears(); at.After(now) {
			if s.until.IsZero() || at.Before(s.until) {
				s.until = at
			}
			continue
		}
		if c.unavailable {
			s.unavailable = true
		} else {
			s.available = true
		}
		if !slices.Contains(s.languages, c.fields.TranslatedLanguage) {
			s.languages = append(s.languages, c.fields.TranslatedLanguage)
		}
		if s.latest == nil || c.readableAt.After(newest) {
			s.latest, newest = &c.id, c.readableAt
		}
	}
	slices.Sort(s.languages)
	m.summary = s
	return s
}

func (m *manga) attributes(now time.Time) any {
	s := m.summarize(now)
	m.stale = s.until
	tags := make([]json.RawMessage, len(m.tags))
	for i, t := range m.tags {
		tags[i] = appendEntity(nil, t, nil, now)
	}
	return struct {
		mangaFields
		IsLocked                     bool              `json:"isLocked"`
		Tags                         []json.RawMessage `json:"tags"`
		State                        string            `json:"state"`
		AvailableTranslatedLanguages []string          `json:"availableTranslatedLanguages"`
		LatestUploadedChapter        *uuid.UUID        `json:"latestUploadedChapter"`
		times
	}{m.fields, false, tags, m.state, s.languages, s.latest, m.times()}
}

func (m *manga) relationships() []relationship {
	list := make([]relationship, 0, 4+len(m.authors)+len(m.artists)+len(m.related))
	for _, a := range m.authors {
		list = append(list, relationship{kind: kindAuthor, target: a})
	}
	for _, a := range m.artists {
		list = append(list, relationship{kind: "artist", target: a})
	}
	if m.cover != nil {
		list = append(list, relationship{kind: kindCover, target: m.cover})
	}
	for _, r := range m.related {
		if r.target.state == "published" {
			list = append(list, relationship{kind: kindManga, target: r.target, related: r.relation})
		}
	}
	return append(list, relationship{kind: "creator", target: m.creator})
}

// visible are the titles that everybody sees.
func visible(all []*manga) []*manga {
	list := make([]*manga, 0, len(all))
	for _, m := range all {
		if m.state == "published" {
			list = append(list, m)
		}
	}
	return list
}

// index notes what searches look at.
func (m *manga) index() {
	var b strings.Builder
	for _, title := range append([]localized{m.fields.Title}, m.fields.AltTitles...) {
		for _, text := range title {
			b.WriteString(strings.ToLower(text))
			b.WriteByte('\n')
		}
	}
	m.words = b.String()
	if m.drawn == "" {
		m.drawn = m.name()
	}
	m.demographic = "none"
	if m.fields.PublicationDemographic != nil {
		m.demographic = *m.fields.PublicationDemographic
	}
}

// name is the title that lists are sorted by.
func (m *manga) name() string {
	_, title := m.mainTitle()
	return title
}

// mainTitle is the title in English, or in another language with it.
func (m *manga) mainTitle() (language, title string) {
	if text := m.fields.Title["en"]; text != "" {
		return "en", text
	}
	for _, language := range slices.Sorted(maps.Keys(m.fields.Title)) {
		return language, m.fields.Title[language]
	}
	return "", ""
}

// setMakers gives a title other authors and artists.
func (m *manga) setMakers(authors, artists []*author) {
	for _, a := range slices.Concat(m.authors, m.artists) {
		a.works = slices.DeleteFunc(a.works, func(work *manga) bool { return work == m })
	}
	m.authors, m.artists = authors, artists
	for _, a := range slices.Concat(authors, artists) {
		if !slices.Contains(a.works, m) {
			a.works = append(a.works, m)
		}
	}
}

// A relation points from one title to another. The other one has the reverse.
type relation struct {
	head
	relation string
	source   *manga
	target   *manga
	reverse  *relation
}

func (r *relation) attributes(time.Time) any {
	return map[string]any{"relation": r.relation, "version": r.version}
}

func (r *relation) relationships() []relationship {
	return []relationship{{kind: kindManga, target: r.target, related: r.relation}}
}

type chapter struct {
	head
	fields      chapterFields
	manga       *manga
	groups      []*group
	uploader    *user
	publishAt   time.Time  // as planned; decades ahead for some that are read elsewhere
	readableAt  time.Time  // lists leave it out before
	held        *time.Time // nobody but its uploader sees it before; nil for none
	external    optional
	unavailable bool
	waiting     bool        // for the approval of a moderator
	pages       int         // drawn pages
	files       []file      // uploaded pages, in place of drawn ones
	savers      []file      // the smaller versions of files that a test has set; nil for uploaded ones
	redrawn     map[int]int // how often pages have been replaced; never changed
	drawn       drawing
	thread      thread
}

// A drawing is what the drawn pages of a chapter show: the title as it was first, and the number.
// They stay as they are when the title gets another name or the chapter another number.
type drawing struct {
	manga  *manga
	number string
}

type chapterFields struct {
	Volume             optional `json:"volume"`
	Chapter            optional `json:"chapter"`
	Title              optional `json:"title"`
	TranslatedLanguage string   `json:"translatedLanguage"`
}

func (c *chapter) pageCount() int {
	if c.files != nil {
		return len(c.files)
	}
	return c.pages
}

// published tells whether the chapter is there for everybody; its time may be yet to come.
func (c *chapter) published() bool { return !c.waiting && c.manga.state == "published" }

// heldBack tells whether only its uploader sees the chapter.
func (c *chapter) heldBack(now time.Time) bool { return c.held != nil && c.held.After(now) }

// appears is when lists have the chapter.
func (c *chapter) appears() time.Time {
	if c.held != nil && c.held.After(c.readableAt) {
		return *c.held
	}
	return c.readableAt
}

func (c *chapter) attributes(time.Time) any {
	return struct {
		chapterFields
		ExternalURL   optional `json:"externalUrl"`
		IsUnavailable bool     `json:"isUnavailable"`
		PublishAt     stamp    `json:"publishAt"`
		ReadableAt    stamp    `json:"readableAt"`
		Pages         int      `json:"pages"`
		times
	}{c.fields, c.external, c.unavailable, stamp(c.publishAt), stamp(c.readableAt), c.pageCount(), c.times()}
}

func (c *chapter) relationships() []relationship {
	list := make([]relationship, 0, 2+len(c.groups))
	for _, g := range c.groups {
		list = append(list, relationship{kind: kindGroup, target: g})
	}
	return append(list, relationship{kind: kindManga, target: c.manga}, relationship{kind: kindUser, target: c.uploader})
}
