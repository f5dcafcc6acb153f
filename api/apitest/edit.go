package apitest

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Edits of the catalogue.

// mangaRefs are the members of a title in a body that point to other things. What the body does
// not have is nil.
type mangaRefs struct {
	Tags         *[]uuid.UUID `json:"tags"`
	Authors      *[]uuid.UUID `json:"authors"`
	Artists      *[]uuid.UUID `json:"artists"`
	PrimaryCover *uuid.UUID   `json:"primaryCover"`
}

// find looks ids up in a table.
func find[E entity](t *table[E], what string, ids []uuid.UUID) ([]E, error) {
	list := make([]E, 0, len(ids))
	for _, id := range ids {
		e, ok := t.get(id)
		if !ok {
			return nil, notFound(what, id)
		}
		list = append(list, e)
	}
	return list, nil
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
	for _, a := range slices.Concat(m.authors, m.artists) {
		a.works = slices.DeleteFunc(a.works, func(work *manga) bool { return work == m })
	}
	m.tags, m.authors, m.artists, m.cover = tags, authors, artists, primary
	for _, a := range slices.Concat(authors, artists) {
		if !slices.Contains(a.works, m) {
			a.works = append(a.works, m)
		}
	}
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
		return nil, invalid("body/title", "a title in one language at least is required")
	}
	m.state = "draft"
	c.manga.add(m)
	return one(m, c.includes(), c.now), nil
}

func updateManga(c *call) ([]byte, error) {
	m, err := c.mangaOf("id")
	if err != nil {
		return nil, err
	}
	if err := c.current(&m.head); err != nil {
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

// Drafts are titles that nobody but their creator sees.

var draftKeys = mangaKeys

func listMangaDrafts(c *call) ([]byte, error) {
	state := c.query.Get("state")
	o := c.order(orderKey{"createdAt", true})
	return list(c, &c.manga, o, draftKeys, func(m *manga) bool {
		return m.creator == c.user && m.state != "published" && (state == "" || m.state == state)
	})
}

func (c *call) draftOf(parameter string) (*manga, error) {
	return lookup(c, &c.manga, "Manga draft", parameter, func(m *manga) bool { return c.sees(m) && m.state != "published" })
}

func commitMangaDraft(c *call) ([]byte, error) {
	m, err := c.draftOf("id")
	if err != nil {
		return nil, err
	}
	if err := c.current(&m.head); err != nil {
		return nil, err
	}
	if m.state == "submitted" {
		return nil, conflict("The draft has been submitted already.")
	}
	m.state = "submitted"
	m.edit(c.now)
	c.manga.changed()
	c.status = 201
	return one(m, nil, c.now), nil
}

// Relations.

func createMangaRelation(c *call) ([]byte, error) {
	m, err := c.mangaOf("mangaId")
	if err != nil {
		return nil, err
	}
	body := fields[struct {
		TargetManga uuid.UUID
		Relation    string
	}](c)
	target, ok := c.manga.get(body.TargetManga)
	if !ok || !c.sees(target) {
		return nil, notFound("Manga", body.TargetManga)
	}
	if target == m {
		return nil, invalid("body/targetManga", "a title cannot be related to itself")
	}
	if slices.ContainsFunc(m.related, func(r *relation) bool { return r.target == target && r.relation == body.Relation }) {
		return nil, conflict("This relation is there already.")
	}
	return one(c.relate(m, target, body.Relation, newHead("manga_relation", c.now)), nil, c.now), nil
}

func deleteMangaRelation(c *call) ([]byte, error) {
	m, err := c.mangaOf("mangaId")
	if err != nil {
		return nil, err
	}
	for _, r := range m.related {
		if r.id == c.id("id") {
			c.unrelate(r)
			return done, nil
		}
	}
	return nil, notFound("Manga relation", c.id("id"))
}

// unrelate removes a relation and its reverse.
func (st *store) unrelate(r *relation) {
	for _, side := range []*relation{r, r.reverse} {
		side.source.related = slices.DeleteFunc(side.source.related, func(other *relation) bool { return other == side })
	}
}

// Authors.

func (c *call) authorOf(parameter string) (*author, error) {
	return lookup(c, &c.authors, "Author", parameter, everyone[*author])
}

func createAuthor(c *call) ([]byte, error) {
	a := &author{head: newHead(kindAuthor, c.now), fields: authorFields{Biography: localized{}}}
	c.decode(&a.fields)
	c.authors.add(a)
	return one(a, nil, c.now), nil
}

func updateAuthor(c *call) ([]byte, error) {
	a, err := c.authorOf("id")
	if err != nil {
		return nil, err
	}
	if err := c.current(&a.head); err != nil {
		return nil, err
	}
	c.decode(&a.fields)
	a.edit(c.now)
	c.authors.changed()
	return one(a, nil, c.now), nil
}

func deleteAuthor(c *call) ([]byte, error) {
	a, err := c.authorOf("id")
	if err != nil {
		return nil, err
	}
	for _, m := range a.works {
		is := func(other *author) bool { return other == a }
		m.authors, m.artists = slices.DeleteFunc(m.authors, is), slices.DeleteFunc(m.artists, is)
	}
	c.authors.remove(a.id)
	return done, nil
}

// Groups.

func (c *call) groupOf(parameter string) (*group, error) {
	return lookup(c, &c.groups, "Scanlation group", parameter, everyone[*group])
}

func createGroup(c *call) ([]byte, error) {
	g := &group{head: newHead(kindGroup, c.now), leader: c.user, members: []*user{c.user}}
	g.fields = groupFields{AltNames: []localized{}, FocusedLanguages: []string{}}
	c.decode(&g.fields)
	if slices.ContainsFunc(c.groups.all, func(other *group) bool { return strings.EqualFold(other.fields.Name, g.fields.Name) }) {
		return nil, conflict("There is a group of this name already.")
	}
	c.groups.add(g)
	return one(g, nil, c.now), nil
}

func updateGroup(c *call) ([]byte, error) {
	g, err := c.groupOf("id")
	if err != nil {
		return nil, err
	}
	if c.user != g.leader && !slices.Contains(g.members, c.user) && !c.user.may("scanlation_group.edit.any") {
		return nil, denied("Only members of the group may edit it.")
	}
	if err := c.current(&g.head); err != nil {
		return nil, err
	}
	body := fields[struct {
		Leader  *uuid.UUID
		Members *[]uuid.UUID
		Locked  *bool
	}](c)
	leader, members := g.leader, g.members
	if body.Leader != nil {
		found, err := find(&c.users, "User", []uuid.UUID{*body.Leader})
		if err != nil {
			return nil, err
		}
		leader = found[0]
	}
	if body.Members != nil {
		if members, err = find(&c.users, "User", *body.Members); err != nil {
			return nil, err
		}
	}
	g.leader, g.members = leader, members
	if body.Locked != nil {
		g.locked = *body.Locked
	}
	c.decode(&g.fields)
	g.edit(c.now)
	c.groups.changed()
	return one(g, nil, c.now), nil
}

func deleteGroup(c *call) ([]byte, error) {
	g, err := c.groupOf("id")
	if err != nil {
		return nil, err
	}
	for _, ch := range c.chapters.all {
		ch.groups = slices.DeleteFunc(ch.groups, func(other *group) bool { return other == g })
	}
	c.groups.remove(g.id)
	return done, nil
}

// Chapters.

// editsChapter tells whether who asks may change a chapter.
func (c *call) editsChapter(ch *chapter) bool {
	return ch.uploader == c.user || c.user.may("chapter.edit.any") || slices.ContainsFunc(ch.groups, func(g *group) bool { return g.leader == c.user })
}

func updateChapter(c *call) ([]byte, error) {
	ch, err := c.chapterOf("id")
	if err != nil {
		return nil, err
	}
	if !c.editsChapter(ch) {
		return nil, denied("The permission chapter.edit.any is required.")
	}
	if err := c.current(&ch.head); err != nil {
		return nil, err
	}
	if body := fields[struct{ Groups *[]uuid.UUID }](c); body.Groups != nil {
		if ch.groups, err = find(&c.groups, "Scanlation group", *body.Groups); err != nil {
			return nil, err
		}
	}
	c.decode(&ch.fields)
	c.changedChapter(ch, c.now)
	return one(ch, c.includes(), c.now), nil
}

// changedChapter notes an edit of a chapter.
func (st *store) changedChapter(ch *chapter, now time.Time) {
	ch.edit(now)
	st.chapters.changed()
	st.changedChapters(ch.manga)
}

// changedChapters notes that a title has other chapters than before.
func (st *store) changedChapters(m *manga) {
	m.touch()
	m.summary = nil
	m.findLatest()
	st.manga.changed("latestUploadedChapter")
}

func deleteChapter(c *call) ([]byte, error) {
	ch, err := c.chapterOf("id")
	if err != nil {
		return nil, err
	}
	if !c.editsChapter(ch) {
		return nil, denied("The permission chapter.edit.any is required.")
	}
	ch.manga.chapters = slices.DeleteFunc(ch.manga.chapters, func(other *chapter) bool { return other == ch })
	c.chapters.remove(ch.id)
	c.changedChapters(ch.manga)
	return done, nil
}
