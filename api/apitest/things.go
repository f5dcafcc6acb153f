package apitest

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// A Manga is a title, with the fields that a test can choose.
type Manga struct {
	ID               uuid.UUID
	Title            string
	TitleLanguage    string // of Title; en unless it is given
	AltTitles        []map[string]string
	Description      map[string]string
	ContentRating    string // safe unless it is given
	Status           string // ongoing unless it is given
	OriginalLanguage string // ja unless it is given
	Demographic      string // such as shounen; empty for none
	Year             int    // 0 for none
	LastVolume       string
	LastChapter      string
	NumbersReset     bool // the numbers of its chapters begin anew with every volume
	Tags             []uuid.UUID
	Authors          []uuid.UUID
	Artists          []uuid.UUID
	Draft            bool      // it is not published: nobody but its creator, [Server.Account], sees it
	CreatedAt        time.Time // now unless it is given
}

// A Chapter is a chapter, with the fields that a test can choose. Volume, Number and Title are null
// where they are empty.
type Chapter struct {
	ID          uuid.UUID
	Manga       uuid.UUID
	Volume      string
	Number      string
	Title       string
	Language    string      // en unless it is given
	Groups      []uuid.UUID // several have made it together
	Uploader    uuid.UUID   // [Server.Account] unless it is given
	Pages       int         // 500 at most
	ExternalURL string      // where it is read, if not here
	CreatedAt   time.Time   // when it was added; now unless it is given
	PublishAt   time.Time   // CreatedAt unless it is given
	ReadableAt  time.Time   // PublishAt unless it is given; for a chapter that is read elsewhere CreatedAt, if that is earlier
	Unavailable bool
}

// A Group is a group of translators, with the fields that a test can choose.
type Group struct {
	ID   uuid.UUID
	Name string
}

// An Author is somebody who writes or draws, with the fields that a test can choose.
type Author struct {
	ID   uuid.UUID
	Name string
}

// outcome is the error of a change of the state, nil for none.
func outcome(err error) error {
	if err == nil || strings.HasPrefix(err.Error(), "apitest: ") {
		return err
	}
	return fmt.Errorf("apitest: %w", err)
}

// nullable is an optional text, which is empty where there is none.
func nullable(text string) optional {
	if text == "" {
		return nil
	}
	return &text
}

func orEmpty(text optional) string {
	if text == nil {
		return ""
	}
	return *text
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// unused is an id that is wanted, or another one if none is.
func (t *table[E]) unused(wanted, otherwise uuid.UUID) (uuid.UUID, error) {
	if _, used := t.get(wanted); used {
		return uuid.Nil, fmt.Errorf("apitest: the id %s is in use", wanted)
	}
	if wanted == uuid.Nil {
		return otherwise, nil
	}
	return wanted, nil
}

// Manga returns all titles in the order in which they were made.
func (s State) Manga() []Manga {
	st, unlock := s.lock()
	defer unlock()
	list := make([]Manga, len(st.manga.all))
	for n, m := range st.manga.all {
		list[n] = m.public()
	}
	return list
}

// public is what tests may choose of a title.
func (m *manga) public() Manga {
	language, title := m.mainTitle()
	p := Manga{
		ID: m.id, Title: title, TitleLanguage: language, Description: maps.Clone(m.fields.Description),
		ContentRating: m.fields.ContentRating, Status: m.fields.Status, OriginalLanguage: m.fields.OriginalLanguage,
		Demographic: orEmpty(m.fields.PublicationDemographic), Year: number(m.fields.Year), LastVolume: orEmpty(m.fields.LastVolume),
		LastChapter: orEmpty(m.fields.LastChapter), NumbersReset: m.fields.ChapterNumbersResetOnNewVolume,
		Tags: idsOf(m.tags), Authors: idsOf(m.authors), Artists: idsOf(m.artists), Draft: m.state != "published", CreatedAt: m.created,
	}
	for _, title := range m.fields.AltTitles {
		p.AltTitles = append(p.AltTitles, maps.Clone(title))
	}
	return p
}

// set makes a title what a test has chosen, or nothing of it.
func (m *manga) set(st *store, p Manga) error {
	p.OriginalLanguage, p.Status, p.ContentRating = orElse(p.OriginalLanguage, "ja"), orElse(p.Status, "ongoing"), orElse(p.ContentRating, "safe")
	switch {
	case !slices.Contains(publicationStatuses, p.Status):
		return fmt.Errorf("there is no status %q of a publication; give one of %s", p.Status, strings.Join(publicationStatuses, ", "))
	case !slices.Contains(contentRatings, p.ContentRating):
		return fmt.Errorf("there is no content rating %q; give one of %s", p.ContentRating, strings.Join(contentRatings, ", "))
	case p.Demographic != "" && !slices.Contains(demographics, p.Demographic):
		return fmt.Errorf("there is no demographic %q; give one of %s", p.Demographic, strings.Join(demographics, ", "))
	}
	tags, errTags := find(&st.tags, "Tag", p.Tags)
	authors, errAuthors := find(&st.authors, "Author", p.Authors)
	artists, errArtists := find(&st.authors, "Artist", p.Artists)
	if err := errors.Join(errTags, errAuthors, errArtists); err != nil {
		return err
	}
	m.setMakers(authors, artists)
	m.tags = tags
	f := &m.fields
	f.Title = localized{orElse(p.TitleLanguage, "en"): p.Title}
	f.AltTitles = make([]localized, len(p.AltTitles))
	for n, title := range p.AltTitles {
		f.AltTitles[n] = maps.Clone(title)
	}
	f.Description = localized{}
	maps.Copy(f.Description, p.Description)
	f.OriginalLanguage, f.Status, f.ContentRating = p.OriginalLanguage, p.Status, p.ContentRating
	f.PublicationDemographic, f.Year = nullable(p.Demographic), nil
	if p.Year != 0 {
		f.Year = &p.Year
	}
	f.LastVolume, f.LastChapter = nullable(p.LastVolume), nullable(p.LastChapter)
	f.ChapterNumbersResetOnNewVolume = p.NumbersReset
	if m.state = "published"; p.Draft {
		m.state = "draft"
	}
	if !p.CreatedAt.IsZero() {
		m.created = p.CreatedAt.UTC()
	}
	m.index()
	return nil
}

// AddManga adds a title and returns its id, a new one unless it is given.
func (s State) AddManga(p Manga) (uuid.UUID, error) {
	st, unlock := s.lock()
	defer unlock()
	added := &manga{head: newHead(kindManga, st.clock().UTC())}
	added.creator, _ = st.users.get(s.server.Account.ID)
	added.fields.Links = links{}
	var err error
	if added.id, err = st.manga.unused(p.ID, added.id); err != nil {
		return uuid.Nil, err
	}
	if err := added.set(st, p); err != nil {
		return uuid.Nil, outcome(err)
	}
	st.manga.add(added)
	return added.id, nil
}

// EditManga changes a title, as a moderator does. The title becomes what change makes of it.
func (s State) EditManga(id uuid.UUID, change func(*Manga)) error {
	st, unlock := s.lock()
	defer unlock()
	m, ok := st.manga.get(id)
	if !ok {
		return fmt.Errorf("apitest: there is no title %s", id)
	}
	p, state := m.public(), m.state
	change(&p)
	if err := m.set(st, p); err != nil {
		return outcome(err)
	}
	if p.Draft && state != "published" {
		m.state = state // it may have been submitted
	}
	m.edit(st.clock().UTC())
	st.manga.changed()
	return nil
}

// DeleteManga deletes a title with all that belongs to it.
func (s State) DeleteManga(id uuid.UUID) error {
	st, unlock := s.lock()
	defer unlock()
	m, ok := st.manga.get(id)
	if !ok {
		return fmt.Errorf("apitest: there is no title %s", id)
	}
	st.removeManga(m)
	return nil
}

// Chapters returns the chapters of a title in the order in which they were made.
func (s State) Chapters(manga uuid.UUID) []Chapter {
	st, unlock := s.lock()
	defer unlock()
	m, ok := st.manga.get(manga)
	if !ok {
		return nil
	}
	list := make([]Chapter, len(m.chapters))
	for n, ch := range m.chapters {
		list[n] = ch.public()
	}
	return list
}

// public is what tests may choose of a chapter.
func (c *chapter) public() Chapter {
	p := Chapter{
		ID: c.id, Manga: c.manga.id, Volume: orEmpty(c.fields.Volume), Number: orEmpty(c.fields.Chapter), Title: orEmpty(c.fields.Title),
		Language: c.fields.TranslatedLanguage, Groups: idsOf(c.groups), Pages: c.pageCount(), ExternalURL: orEmpty(c.external),
		CreatedAt: c.created, PublishAt: c.publishAt, ReadableAt: c.readableAt, Unavailable: c.unavailable,
	}
	if c.uploader != nil {
		p.Uploader = c.uploader.id
	}
	return p
}

// set makes a chapter what a test has chosen, or nothing of it.
func (c *chapter) set(st *store, p Chapter) error {
	if p.Pages < 0 || p.Pages > maxSessionFiles {
		return fmt.Errorf("a chapter of %d pages; it can have 0 to %d", p.Pages, maxSessionFiles)
	}
	m, ok := st.manga.get(p.Manga)
	if !ok {
		return fmt.Errorf("there is no title %s for the chapter", p.Manga)
	}
	groups, err := find(&st.groups, "Scanlation group", p.Groups)
	if err != nil {
		return err
	}
	uploader := c.uploader
	if p.Uploader != uuid.Nil {
		if uploader, ok = st.users.get(p.Uploader); !ok {
			return fmt.Errorf("there is no account %s that could have uploaded the chapter", p.Uploader)
		}
	}
	if !p.CreatedAt.IsZero() {
		c.created = p.CreatedAt.UTC()
	}
	if c.publishAt = p.PublishAt.UTC(); p.PublishAt.IsZero() {
		c.publishAt = c.created
	}
	switch c.readableAt = p.ReadableAt.UTC(); {
	case !p.ReadableAt.IsZero():
	case p.ExternalURL != "" && c.created.Before(c.publishAt):
		c.readableAt = c.created
	default:
		c.readableAt = c.publishAt
	}
	if p.Pages != c.pageCount() {
		c.pages, c.files, c.savers = p.Pages, nil, nil
	}
	c.uploader, c.groups, c.external, c.unavailable = uploader, groups, nullable(p.ExternalURL), p.Unavailable
	c.fields = chapterFields{nullable(p.Volume), nullable(p.Number), nullable(p.Title), orElse(p.Language, "en")}
	if c.drawn.manga == nil {
		c.drawn = drawing{m, orNone(c.fields.Chapter)}
	}
	if c.manga != m {
		if c.manga != nil {
			c.manga.chapters = slices.DeleteFunc(c.manga.chapters, func(other *chapter) bool { return other == c })
			st.changedChapters(c.manga)
		}
		m.chapters = append(m.chapters, c)
		c.manga = m
	}
	return nil
}

// AddChapter adds a chapter and returns its id, a new one unless it is given.
func (s State) AddChapter(p Chapter) (uuid.UUID, error) {
	st, unlock := s.lock()
	defer unlock()
	added := &chapter{head: newHead(kindChapter, st.clock().UTC())}
	added.uploader, _ = st.users.get(s.server.Account.ID)
	var err error
	if added.id, err = st.chapters.unused(p.ID, added.id); err != nil {
		return uuid.Nil, err
	}
	if err := added.set(st, p); err != nil {
		return uuid.Nil, outcome(err)
	}
	st.chapters.add(added)
	st.changedChapters(added.manga)
	return added.id, nil
}

// EditChapter changes a chapter, as a moderator does: another number, volume or group, another title
// that it belongs to. The chapter becomes what change makes of it.
func (s State) EditChapter(id uuid.UUID, change func(*Chapter)) error {
	st, unlock := s.lock()
	defer unlock()
	ch, ok := st.chapters.get(id)
	if !ok {
		return fmt.Errorf("apitest: there is no chapter %s", id)
	}
	p := ch.public()
	change(&p)
	if err := ch.set(st, p); err != nil {
		return outcome(err)
	}
	st.changedChapter(ch, st.clock().UTC())
	return nil
}

// DeleteChapter deletes a chapter.
func (s State) DeleteChapter(id uuid.UUID) error {
	st, unlock := s.lock()
	defer unlock()
	ch, ok := st.chapters.get(id)
	if !ok {
		return fmt.Errorf("apitest: there is no chapter %s", id)
	}
	st.removeChapter(ch)
	return nil
}

// ReplacePage puts another picture in the place of a page of a chapter, which is counted from 1. The
// picture has another name, as after a correction by the group.
func (s State) ReplacePage(chapter uuid.UUID, page int) error {
	st, unlock := s.lock()
	defer unlock()
	ch, ok := st.chapters.get(chapter)
	if !ok || page < 1 || page > ch.pageCount() {
		return fmt.Errorf("apitest: there is no page %d of a chapter %s", page, chapter)
	}
	ch.redraw(page)
	st.changedChapter(ch, st.clock().UTC())
	return nil
}

// A Page is a page of a chapter, with the fields that a test can choose. It need not be a picture.
type Page struct {
	Name  string // of the file at the node; number and SHA-256 unless it is given
	Data  []byte
	Saver []byte // the smaller version; nil for none
}

// SetPages gives a chapter other pages, as they are.
func (s State) SetPages(chapter uuid.UUID, pages ...Page) error {
	st, unlock := s.lock()
	defer unlock()
	ch, ok := st.chapters.get(chapter)
	if !ok {
		return fmt.Errorf("apitest: there is no chapter %s", chapter)
	}
	ch.files, ch.savers, ch.redrawn = make([]file, len(pages)), make([]file, len(pages)), nil
	for n, p := range pages {
		ch.files[n] = pageFile(n+1, http.DetectContentType(p.Data), p.Data)
		ch.files[n].name = orElse(p.Name, ch.files[n].name)
		ch.savers[n] = pageFile(n+1, http.DetectContentType(p.Saver), p.Saver)
	}
	st.changedChapter(ch, st.clock().UTC())
	return nil
}

// redraw gives a page another picture.
func (c *chapter) redraw(page int) {
	c.redrawn = maps.Clone(c.redrawn)
	put(&c.redrawn, page, c.redrawn[page]+1)
}

// Groups returns all groups in the order in which they were made.
func (s State) Groups() []Group {
	st, unlock := s.lock()
	defer unlock()
	list := make([]Group, len(st.groups.all))
	for n, g := range st.groups.all {
		list[n] = Group{g.id, g.fields.Name}
	}
	return list
}

// AddGroup adds a group, which [Server.Account] leads, and returns its id, a new one unless it is
// given.
func (s State) AddGroup(p Group) (uuid.UUID, error) {
	st, unlock := s.lock()
	defer unlock()
	added := &group{head: newHead(kindGroup, st.clock().UTC())}
	added.fields = groupFields{Name: p.Name, AltNames: []localized{}, FocusedLanguages: []string{}}
	if leader, ok := st.users.get(s.server.Account.ID); ok {
		added.leader, added.members = leader, []*user{leader}
	}
	var err error
	if added.id, err = st.groups.unused(p.ID, added.id); err != nil {
		return uuid.Nil, err
	}
	st.groups.add(added)
	return added.id, nil
}

// Authors returns all authors and artists in the order in which they were made.
func (s State) Authors() []Author {
	st, unlock := s.lock()
	defer unlock()
	list := make([]Author, len(st.authors.all))
	for n, a := range st.authors.all {
		list[n] = Author{a.id, a.fields.Name}
	}
	return list
}

// AddAuthor adds somebody who writes or draws, and returns the id, a new one unless it is given.
func (s State) AddAuthor(p Author) (uuid.UUID, error) {
	st, unlock := s.lock()
	defer unlock()
	added := &author{head: newHead(kindAuthor, st.clock().UTC()), fields: authorFields{Name: p.Name, Biography: localized{}}}
	var err error
	if added.id, err = st.authors.unused(p.ID, added.id); err != nil {
		return uuid.Nil, err
	}
	st.authors.add(added)
	return added.id, nil
}
