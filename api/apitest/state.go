package apitest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// A State is what a server knows. It can be looked into and changed while the server runs.
type State struct{ server *Server }

// State returns the state of the server.
func (s *Server) State() State { return State{s} }

// A Manga is a title, as far as tests want to choose it.
type Manga struct {
	ID               uuid.UUID
	Title            string // in English
	ContentRating    string // safe unless it is given
	Status           string // ongoing unless it is given
	OriginalLanguage string // ja unless it is given
	Year             int    // 0 for none
	Tags             []uuid.UUID
	Draft            bool // it is not published: nobody but its creator, [Server.Account], sees it
}

// A Chapter is a chapter, as far as tests want to choose it.
type Chapter struct {
	ID          uuid.UUID
	Manga       uuid.UUID
	Volume      string
	Number      string
	Title       string
	Language    string // en unless it is given
	Groups      []uuid.UUID
	Pages       int       // 500 at most
	ExternalURL string    // where it is read, if not here
	PublishAt   time.Time // now unless it is given
	Unavailable bool
}

// A Library is what an account keeps.
type Library struct {
	Manga    []uuid.UUID // followed, like the three below, in the order in which that began
	Groups   []uuid.UUID
	Users    []uuid.UUID
	Lists    []uuid.UUID
	Statuses map[uuid.UUID]string // reading, on_hold, … by title
	Ratings  map[uuid.UUID]int    // 1 to 10, by title
	Read     []uuid.UUID          // chapters
}

func (l Library) clone() Library {
	return Library{
		slices.Clone(l.Manga), slices.Clone(l.Groups), slices.Clone(l.Users), slices.Clone(l.Lists),
		maps.Clone(l.Statuses), maps.Clone(l.Ratings), slices.Clone(l.Read),
	}
}

// lock gives the store away until the returned function is called.
func (s State) lock() (*store, func()) {
	st := s.server.store
	st.Lock()
	return st, st.Unlock
}

// Manga returns all titles in the order in which they were made.
func (s State) Manga() []Manga {
	st, unlock := s.lock()
	defer unlock()
	list := make([]Manga, len(st.manga.all))
	for n, m := range st.manga.all {
		list[n] = Manga{
			ID: m.id, Title: m.name(), ContentRating: m.fields.ContentRating, Status: m.fields.Status, OriginalLanguage: m.fields.OriginalLanguage,
			Year: number(m.fields.Year), Tags: idsOf(m.tags), Draft: m.state != "published",
		}
	}
	return list
}

// AddManga adds a title and returns its id, a new one unless it is given.
func (s State) AddManga(m Manga) (uuid.UUID, error) {
	m.OriginalLanguage, m.Status, m.ContentRating = orElse(m.OriginalLanguage, "ja"), orElse(m.Status, "ongoing"), orElse(m.ContentRating, "safe")
	switch {
	case !slices.Contains(publicationStatuses, m.Status):
		return uuid.Nil, fmt.Errorf("apitest: there is no status %q of a publication; give one of %s", m.Status, strings.Join(publicationStatuses, ", "))
	case !slices.Contains(contentRatings, m.ContentRating):
		return uuid.Nil, fmt.Errorf("apitest: there is no content rating %q; give one of %s", m.ContentRating, strings.Join(contentRatings, ", "))
	}
	st, unlock := s.lock()
	defer unlock()
	tags, err := find(&st.tags, "Tag", m.Tags)
	if err != nil {
		return uuid.Nil, fmt.Errorf("apitest: %w", err)
	}
	now := st.clock().UTC()
	added := &manga{head: newHead(kindManga, now), tags: tags, state: "published"}
	added.creator, _ = st.users.get(s.server.Account.ID)
	if m.Draft {
		added.state = "draft"
	}
	if added.id, err = st.manga.unused(m.ID, added.id); err != nil {
		return uuid.Nil, err
	}
	added.fields = mangaFields{
		Title: localized{"en": m.Title}, AltTitles: []localized{}, Description: localized{}, Links: links{},
		OriginalLanguage: m.OriginalLanguage, Status: m.Status, ContentRating: m.ContentRating,
	}
	if m.Year != 0 {
		added.fields.Year = &m.Year
	}
	added.index()
	st.manga.add(added)
	return added.id, nil
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

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// Chapters returns the chapters of a title in the order in which they were made.
func (s State) Chapters(manga uuid.UUID) []Chapter {
	st, unlock := s.lock()
	defer unlock()
	m, ok := st.manga.get(manga)
	if !ok {
		return nil
	}
	text := func(o optional) string {
		if o == nil {
			return ""
		}
		return *o
	}
	list := make([]Chapter, len(m.chapters))
	for n, ch := range m.chapters {
		list[n] = Chapter{
			ID: ch.id, Manga: m.id, Volume: text(ch.fields.Volume), Number: text(ch.fields.Chapter), Title: text(ch.fields.Title),
			Language: ch.fields.TranslatedLanguage, Groups: idsOf(ch.groups), Pages: ch.pageCount(), ExternalURL: text(ch.external),
			PublishAt: ch.publishAt, Unavailable: ch.unavailable,
		}
	}
	return list
}

// AddChapter adds a chapter and returns its id, a new one unless it is given.
func (s State) AddChapter(ch Chapter) (uuid.UUID, error) {
	if ch.Pages < 0 || ch.Pages > maxSessionFiles {
		return uuid.Nil, fmt.Errorf("apitest: a chapter of %d pages; it can have 0 to %d", ch.Pages, maxSessionFiles)
	}
	st, unlock := s.lock()
	defer unlock()
	m, ok := st.manga.get(ch.Manga)
	if !ok {
		return uuid.Nil, fmt.Errorf("apitest: there is no title %s for the chapter", ch.Manga)
	}
	groups, err := find(&st.groups, "Scanlation group", ch.Groups)
	if err != nil {
		return uuid.Nil, fmt.Errorf("apitest: %w", err)
	}
	now := st.clock().UTC()
	added := &chapter{head: newHead(kindChapter, now), manga: m, groups: groups, publishAt: ch.PublishAt.UTC(), unavailable: ch.Unavailable, pages: ch.Pages}
	added.uploader, _ = st.users.get(s.server.Account.ID)
	if added.id, err = st.chapters.unused(ch.ID, added.id); err != nil {
		return uuid.Nil, err
	}
	if ch.PublishAt.IsZero() {
		added.publishAt = now
	}
	some := func(text string) optional {
		if text == "" {
			return nil
		}
		return &text
	}
	added.external = some(ch.ExternalURL)
	added.fields = chapterFields{some(ch.Volume), some(ch.Number), some(ch.Title), orElse(ch.Language, "en")}
	m.chapters = append(m.chapters, added)
	st.chapters.add(added)
	st.changedChapters(m)
	return added.id, nil
}

// Approve does what a moderator does: it publishes a draft that was submitted or a chapter that
// waits, and lets an API client be used.
func (s State) Approve(id uuid.UUID) error {
	st, unlock := s.lock()
	defer unlock()
	now := st.clock().UTC()
	if m, ok := st.manga.get(id); ok && m.state == "submitted" {
		m.state = "published"
		m.edit(now)
		st.manga.changed()
		return nil
	}
	if ch, ok := st.chapters.get(id); ok && ch.waiting {
		ch.waiting = false
		st.changedChapter(ch, now)
		return nil
	}
	if client, ok := st.clients.get(id); ok && client.state == "requested" {
		client.approve(now)
		return nil
	}
	return fmt.Errorf("apitest: %s is nothing that waits for approval", id)
}

// AddAccount adds an account, and returns it with what was made up, as [WithAccount] says.
func (s State) AddAccount(a Account) (Account, error) {
	if a.Username == "" {
		return Account{}, errors.New("apitest: an account needs a Username")
	}
	st, unlock := s.lock()
	defer unlock()
	if st.userNamed(a.Username) != nil {
		return Account{}, fmt.Errorf("apitest: there is an account %q already", a.Username)
	}
	return st.addAccount(a), nil
}

// userNamed is the account of a name, nil if nobody with the name can log in.
func (st *store) userNamed(name string) *user {
	for _, u := range st.users.all {
		if u.username == name && u.password != "" {
			return u
		}
	}
	return nil
}

// Account returns an account by its name, with its password and its client.
func (s State) Account(username string) (Account, bool) {
	st, unlock := s.lock()
	defer unlock()
	u := st.userNamed(username)
	if u == nil {
		return Account{}, false
	}
	a := Account{
		ID: u.id, Username: u.username, Email: u.email, Password: u.password,
		Roles: slices.Clone(u.roles), Permissions: slices.Clone(u.permissions), Disabled: u.disabled,
	}
	if client := st.clientOfUser(u); client != nil {
		a.ClientID, a.ClientSecret = client.clientID, client.secret
	}
	return a, true
}

// Library returns what an account keeps.
func (s State) Library(username string) (Library, bool) {
	st, unlock := s.lock()
	defer unlock()
	u := st.userNamed(username)
	if u == nil {
		return Library{}, false
	}
	return u.library.clone(), true
}

// SetLibrary replaces what an account keeps. Statistics follow.
func (s State) SetLibrary(username string, l Library) error {
	st, unlock := s.lock()
	defer unlock()
	u := st.userNamed(username)
	if u == nil {
		return fmt.Errorf("apitest: there is no account %q", username)
	}
	titles, err := find(&st.manga, "Manga", l.Manga)
	if err != nil {
		return fmt.Errorf("apitest: %w", err)
	}
	groups, err := find(&st.groups, "Scanlation group", l.Groups)
	if err != nil {
		return fmt.Errorf("apitest: %w", err)
	}
	for id, rating := range l.Ratings {
		if _, ok := st.manga.get(id); !ok || rating < 1 || rating > 10 {
			return fmt.Errorf("apitest: the rating %d of %s is not one of 1 to 10 for a title", rating, id)
		}
	}
	for id, status := range l.Statuses {
		if _, ok := st.manga.get(id); !ok || !slices.Contains(readingStatuses, status) {
			return fmt.Errorf("apitest: the reading status %q of %s is not one of %s for a title", status, id, strings.Join(readingStatuses, ", "))
		}
	}
	now := st.clock().UTC()
	for _, id := range slices.Clone(u.library.Manga) {
		if m, ok := st.manga.get(id); ok {
			st.follow(u, m, false)
		}
	}
	for _, id := range slices.Clone(u.library.Groups) {
		if g, ok := st.groups.get(id); ok {
			st.followGroup(u, g, false)
		}
	}
	for id := range u.library.Ratings {
		if m, ok := st.manga.get(id); ok {
			st.rate(u, m, 0, now)
		}
	}
	kept := l.clone()
	u.library = Library{Users: kept.Users, Lists: kept.Lists, Statuses: kept.Statuses, Read: kept.Read}
	for _, m := range titles {
		st.follow(u, m, true)
	}
	for _, g := range groups {
		st.followGroup(u, g, true)
	}
	for id, rating := range l.Ratings {
		m, _ := st.manga.get(id)
		st.rate(u, m, rating, now)
	}
	return nil
}

// DeletionCode returns the code that deletes an account, which MangaDex sends by mail.
func (s State) DeletionCode(username string) (uuid.UUID, bool) {
	st, unlock := s.lock()
	defer unlock()
	u := st.userNamed(username)
	if u == nil || u.deletion == uuid.Nil {
		return uuid.Nil, false
	}
	return u.deletion, true
}

// Deliveries returns what clients have reported of pages of at-home nodes.
func (s State) Deliveries() []Delivery {
	st, unlock := s.lock()
	defer unlock()
	return slices.Clone(st.deliveries)
}
