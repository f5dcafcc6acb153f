package apitest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// A State is what a server knows. It can be read and changed while the server runs.
type State struct{ server *Server }

// State returns the state of the server.
func (s *Server) State() State { return State{s} }

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

// lock locks the store. The returned function unlocks it.
func (s State) lock() (*store, func()) {
	st := s.server.store
	st.Lock()
	st.writes++
	return st, st.Unlock
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
	return fmt.Errorf("apitest: nothing with the id %s waits for approval", id)
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

// An Upload is an upload session that is open.
type Upload struct {
	ID       uuid.UUID
	Manga    uuid.UUID
	Chapter  uuid.UUID // chapter that is edited; empty for a new one
	Username string
	Files    []string // their names, in the order in which they came
}

// Uploads returns the upload sessions that are open.
func (s State) Uploads() []Upload {
	st, unlock := s.lock()
	defer unlock()
	list := make([]Upload, len(st.uploads.all))
	for n, session := range st.uploads.all {
		u := Upload{ID: session.id, Manga: session.manga.id, Username: session.owner.username}
		if session.chapter != nil {
			u.Chapter = session.chapter.id
		}
		for _, f := range session.files {
			u.Files = append(u.Files, f.name)
		}
		list[n] = u
	}
	return list
}

// Deliveries returns what clients have reported of pages of at-home nodes.
func (s State) Deliveries() []Delivery {
	st, unlock := s.lock()
	defer unlock()
	return slices.Clone(st.deliveries)
}
